"""A checkpoint is written beside its destination, whole or not at all."""

import tempfile

import pytest
import torch

from training.learning.checkpoint_files import AtomicCheckpoints


def test_what_was_there_survives_a_disk_that_fills_up_and_no_other_folder_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    path, files = tmp_path / "resume.ckpt", AtomicCheckpoints()
    files.save_checkpoint({"step": 1}, path)

    def fill_up(checkpoint, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", fill_up)
        with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
            files.save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["resume.ckpt"]


def test_a_full_disk_is_named_though_torch_raises_something_else_over_it(tmp_path, monkeypatch):
    """torch's archive writes to a file that takes no more, and fails again when it is closed."""

    class Full:
        def __init__(self, file):
            self._file = file

        def write(self, data):
            if self._file.tell() > 1000:
                raise OSError(28, "No space left on device")
            return self._file.write(data)

        def __getattr__(self, name):
            return getattr(self._file, name)

    save, path = torch.save, tmp_path / "resume.ckpt"
    monkeypatch.setattr(torch, "save", lambda checkpoint, file: save(checkpoint, Full(file)))
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
        AtomicCheckpoints().save_checkpoint({"weights": torch.zeros(100_000)}, path)
    assert list(tmp_path.iterdir()) == []
