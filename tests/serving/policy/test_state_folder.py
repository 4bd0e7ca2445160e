"""The sum of all feeds is the same after a restart, whenever the server was killed."""

import pytest

from serving.policy import state_folder
from serving.policy.feeds import combined
from serving.policy.revisions import NO_REVISION
from serving.policy.state_folder import SUM, TAIL, StateFolder, exported, imported
from tests.tills import feed
from tillside.policy import read_feed
from tillside.policy.merchandising import NOTHING_BY_HAND

FEEDS = [read_feed(feed({"item_id": f"p-{n % 3}", "stock": n, "price": None if n == 2 else 1.5})) for n in range(5)]


def whole():
    found = None
    for each in FEEDS:
        found = combined(found, each)
    return found


def reopened(folder: StateFolder) -> StateFolder:
    folder.close()
    return StateFolder(folder.path)


def test_what_was_added_is_there_again(tmp_path):
    folder = StateFolder(tmp_path / "state")
    assert folder.feed is None
    for each in FEEDS:
        folder.add(each)
        folder = reopened(folder)
    assert folder.feed == whole()


def test_the_tail_is_summed_up_once_it_is_long(tmp_path, monkeypatch):
    monkeypatch.setattr(state_folder, "LEAST_TAIL_BYTES", 100)
    folder = StateFolder(tmp_path)
    sizes = []
    for each in FEEDS * 20:
        folder.add(each)
        sizes.append((tmp_path / TAIL).stat().st_size)
    assert max(sizes) < 1000
    assert reopened(folder).feed == whole()


def test_a_kill_between_the_sum_and_the_empty_tail_changes_nothing(tmp_path):
    folder = StateFolder(tmp_path)
    for each in FEEDS:
        folder.add(each)
    tail = (tmp_path / TAIL).read_bytes()
    folder = reopened(folder)
    assert (tmp_path / TAIL).read_bytes() == b""
    (tmp_path / TAIL).write_bytes(tail)
    assert reopened(folder).feed == whole()


def test_a_feed_that_a_kill_tore_is_left_out_and_the_next_one_is_whole(tmp_path, caplog):
    folder = StateFolder(tmp_path)
    folder.add(FEEDS[0])
    with (tmp_path / TAIL).open("ab") as file:
        file.write(b'{"time_ms": 17800000')
    folder = reopened(folder)
    assert "was not written to its end" in caplog.text
    assert folder.feed == FEEDS[0]
    folder.add(FEEDS[1])
    assert reopened(folder).feed == combined(FEEDS[0], FEEDS[1])


def test_a_damaged_file_is_named_and_nothing_is_lost_silently(tmp_path):
    StateFolder(tmp_path).close()
    (tmp_path / SUM).write_text("{")
    with pytest.raises(ValueError, match=r"items\.json is damaged .* remove it, or name another --state"):
        StateFolder(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"--state .*file/state cannot be written: Not a directory"):
        StateFolder(tmp_path / "file" / "state")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_was_taken_away_keeps_nothing_and_says_so(tmp_path, replaced):
    folder = StateFolder(tmp_path / "state")
    folder.add(FEEDS[0])
    (tmp_path / "state").rename(tmp_path / "moved")
    if replaced:
        StateFolder(tmp_path / "state").close()
    gone = "state was removed or replaced while the server ran"
    with pytest.raises(OSError, match=gone):
        folder.add(FEEDS[1])
    with pytest.raises(OSError, match=gone):
        folder.revisions.keep(folder.revisions.changed("pins", NOTHING_BY_HAND))
    assert folder.feed == FEEDS[0]
    assert folder.revisions.current.revision == 0
    assert (tmp_path / "state").exists() == replaced
    assert {path.name for path in tmp_path.glob("state/*")} <= {"lock"}
    if replaced:
        (tmp_path / "state" / "lock").unlink()
        (tmp_path / "state").rmdir()
    (tmp_path / "moved").rename(tmp_path / "state")
    folder.add(FEEDS[1])
    assert reopened(folder).feed == combined(FEEDS[0], FEEDS[1])


def test_state_travels_to_another_server_and_nonsense_is_refused():
    assert imported(exported(whole(), NO_REVISION)).items_feed() == whole()
    assert imported(exported(None, NO_REVISION)).items_feed() is None
    with pytest.raises(ValueError, match="it is no state of a server"):
        imported(b"<html>")
