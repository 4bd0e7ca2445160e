"""The cache folder lies where the user says, and is never in the way."""

from training.cli.cache import cache_folder, keep


def test_it_is_the_folder_that_a_server_keeps_bundles_in(monkeypatch, tmp_path):
    monkeypatch.setenv("TILLSIDE_CACHE", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("TILLSIDE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "tillside"


def test_what_cannot_be_kept_is_not_an_error(tmp_path):
    keep(tmp_path / "new" / "one", b"1")
    assert (tmp_path / "new" / "one").read_bytes() == b"1"
    (tmp_path / "file").touch()
    keep(tmp_path / "file" / "one", b"1")
    assert (tmp_path / "file").read_bytes() == b""
