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
