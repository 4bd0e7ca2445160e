"""A shop's day: what grew between two minutes, what counts as failed, and which changes are made."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import day
from benchmarks.day import Changes, Resending, Size, growth


def test_growth_is_from_the_window_after_settling_to_the_last_one_by_medians():
    """100, 120, 900 MB from second 10 on have the median 120; 126, 126, 132 in the last ten seconds 126: 5 % more."""
    sizes = [Size(0.0, 50.0, 1)]
    sizes += [Size(10.0 + second, megabytes, 40) for second, megabytes in enumerate((100.0, 120.0, 900.0))]
    sizes += [Size(90.0, 5000.0, 900)]
    sizes += [Size(98.0 + second, megabytes, 42) for second, megabytes in enumerate((126.0, 126.0, 132.0))]
    found = growth(sizes, settled=10.0, window=10.0)
    assert found["rss_growth_share"] == pytest.approx(0.05)
    assert (found["rss_mb"], found["files_growth"], found["files"]) == (126.0, 2.0, 42.0)


def test_a_request_whose_connection_broke_is_sent_once_more_and_then_fails():
    sent: list[int] = []
    slot = SimpleNamespace(send=lambda request, payload: sent.append(request))
    load = Resending("http://127.0.0.1:1", [b"a request"], np.zeros(3))
    load.failed(slot, 0, "reset")
    assert (sent, load.resent, load.ledger.error_R.tolist()) == ([0], {0}, [0, 0, 0])
    load.failed(slot, 0, "reset")
    load.failed(slot, 1, "timeout")  # its time is over
    assert (sent, load.resent) == ([0], {0})
    assert [load.ledger.names[number] for number in load.ledger.error_R] == ["reset", "timeout", ""]


def test_changes_that_are_refused_are_counted_and_told(monkeypatch):
    """Of the moments .01, .02, .03 before .035 the second is refused; the others' order and number stay."""
    made: list[int] = []
    monkeypatch.setattr(day, "say", lambda line: None)

    def change(number: int) -> None:
        made.append(number)
        if number == 2:
            raise RuntimeError("refused: no")

    changes = Changes()
    asyncio.run(changes.every(0.01, change, until=0.035))
    assert made == sorted(made)
    assert changes.asked == len(made) <= 3
    assert changes.refused == ["refused: no"] * (2 in made)


def test_another_worker_is_killed_each_time(monkeypatch):
    killed: list[int] = []
    monkeypatch.setattr(day.os, "kill", lambda pid, number: killed.append(pid))
    monkeypatch.setattr(day, "say", lambda line: None)
    for number in (1, 2, 3):
        day.kill_a_worker(SimpleNamespace(children=lambda: [11, 12]), number)
    assert killed == [12, 11, 12]
