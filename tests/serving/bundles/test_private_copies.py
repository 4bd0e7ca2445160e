"""A bundle that is served can be overwritten in its place: nobody reads it there any more."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from serving.bundles.private_copies import LOCK, PREFIX, PrivateCopies
from serving.bundles.reloading import Reloads
from serving.service import Service
from serving.settings import Settings
from tests.bundles import ITEMS_ND, tiny_bundle
from tests.serving.load import BODY
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess
from tillside.bundle import ITEMS, MANIFEST


@pytest.fixture
def place(tmp_path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def test_a_copy_holds_what_the_manifest_lists_and_nothing_else(bundle, place):
    (bundle / "stray.bin").write_bytes(b"never read")
    copies = PrivateCopies(place)
    copy = copies.of(bundle)
    assert copy != bundle
    files = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert "stray.bin" not in files
    assert {MANIFEST, ITEMS, "catalogue/catalogue.json"} <= files
    assert all((copy / name).read_bytes() == (bundle / name).read_bytes() for name in files)
    copies.close()
    assert list(place.iterdir()) == []


def test_a_link_that_leads_outside_is_still_one_and_a_missing_file_still_missing(bundle, place):
    (bundle / ITEMS).unlink()
    (bundle / ITEMS).symlink_to("/etc/hostname")
    (bundle / "goldens.json").unlink()
    copy = PrivateCopies(place).of(bundle)
    assert (copy / ITEMS).is_symlink()
    assert not (copy / "goldens.json").exists()


def test_what_is_no_bundle_is_left_to_the_loading(tmp_path, place):
    (tmp_path / MANIFEST).write_text('{"files": {"../outside": {}}}')
    copies = PrivateCopies(place)
    assert copies.of(tmp_path) == tmp_path
    assert copies.of(tmp_path / "nothing") == tmp_path / "nothing"
    assert list(place.iterdir()) == []


def test_without_room_for_a_copy_the_folder_itself_is_served_and_said(bundle, tmp_path, caplog):
    """A file where the folder should be stands for a disk that is full or may not be written."""
    (tmp_path / "file").write_text("")
    copies = PrivateCopies(tmp_path / "file")
    assert copies.of(bundle) == bundle
    assert "is served in place" in caplog.text
    copies.close()


def test_a_machine_without_any_folder_to_write_in_serves_in_place(bundle, monkeypatch, caplog):
    """As in a container whose whole disk is read-only."""

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("serving.bundles.private_copies.tempfile.gettempdir", nowhere)
    assert PrivateCopies().of(bundle) == bundle
    assert "No usable temporary directory found" in caplog.text


def test_what_a_killed_server_left_is_removed_and_what_a_living_one_holds_is_not(bundle, place):
    left = place / f"{PREFIX}left"
    shutil.copytree(bundle, left / "1")
    (left / LOCK).write_text("")
    living = PrivateCopies(place)
    held = living.of(bundle)
    assert not left.exists()
    other = PrivateCopies(place)
    other.of(bundle)
    assert held.is_dir()
    other.close()
    assert held.is_dir()


def test_a_killed_process_holds_no_lock(bundle, place):
    code = f"""
import asyncio
import os
from pathlib import Path
from serving.bundles.private_copies import PrivateCopies
print(PrivateCopies(Path({str(place)!r})).of(Path({str(bundle)!r})), flush=True)
os.kill(os.getpid(), 9)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    assert Path(said).is_dir()
    PrivateCopies(place).of(bundle)
    assert not Path(said).exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_writing_into_the_served_folder_neither_ends_the_server_nor_changes_an_answer(tmp_path, workers):
    bundle = tiny_bundle(tmp_path / "bundle")
    private = {"TMPDIR": str(tmp_path / "tmp"), "TILLSIDE_ADMIN_TOKEN": "secret"}
    (tmp_path / "tmp").mkdir()
    flags = ("--workers", workers, "--admin-port", "0")
    with ServerProcess(bundle, tmp_path / "log", *flags, variables=private) as server:
        before = httpx.post(f"{server.url}/v1/recommend", json=BODY, timeout=DEADLINE_SECONDS).json()["items"]
        other = tiny_bundle(tmp_path / "other", items_ND=ITEMS_ND[::-1].copy())
        (bundle / ITEMS).write_bytes((other / ITEMS).read_bytes())
        for _ in range(4):  # new connections, so that each worker is asked
            now = httpx.post(f"{server.url}/v1/recommend", json=BODY, timeout=DEADLINE_SECONDS).json()["items"]
            assert now == before
        os.truncate(bundle / ITEMS, 0)
        for _ in range(4):
            now = httpx.post(f"{server.url}/v1/recommend", json=BODY, timeout=DEADLINE_SECONDS).json()["items"]
            assert now == before
        refused = httpx.post(
            f"{server.admin_url}/v1/admin/reload", headers={"authorization": "Bearer secret"}, timeout=DEADLINE_SECONDS
        )
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith(f"bundle {bundle}: items.npy has 0 bytes")
        assert len(list((tmp_path / "tmp").glob(f"{PREFIX}*/[0-9]*"))) == 1
        assert server.stop() == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_replaced_copy_is_removed(bundle, place):
    copies = PrivateCopies(place)

    async def reloads() -> None:
        changes = Reloads(bundle, Service(Settings(bundle)), copies=copies)
        for _ in range(3):
            report = await changes.reload()
            assert report["folder"] == bundle.name
            assert len(list(place.glob(f"{PREFIX}*/[0-9]*"))) == 1

    asyncio.run(reloads())
    copies.close()
