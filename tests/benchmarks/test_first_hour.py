"""The benchmark of the first hour: its ratios, its neighbour, and what it refuses."""

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks import first_hour, neighbour
from benchmarks.first_hour import Side, main, rows_of, systems, train_with_neighbour


def test_the_ratio_is_the_median_of_the_rounds_after_over_before() -> None:
    """Wall times 10 to 4, 20 to 10 and 10 to 9: ratios .4, .5 and .9, although the medians are 10 and 9."""
    times = [(10.0, 4.0), (20.0, 10.0), (10.0, 9.0)]
    rounds = [
        {"before": {"": {"wall_s": before, "cpu_s": 1.0}}, "after": {"": {"wall_s": after, "cpu_s": 2.0}}}
        for before, after in times
    ]
    found = {(row["log"], row["metric"]): row["value"] for row in rows_of("demo", rounds)}
    assert found == {
        ("before", "wall_s"): 10.0,
        ("before", "cpu_s"): 1.0,
        ("after", "wall_s"): 9.0,
        ("after", "cpu_s"): 2.0,
        ("after", "ratio"): 0.5,
    }


def test_what_was_ended_at_the_limit_is_told_as_a_bound() -> None:
    """Before: ended at 20 s; after: 5 s. So the ratio is less than .25, and of two bounds there is none."""
    ended, quick = {"": {"wall_s": 20.5, "cpu_s": 9.0}}, {"": {"wall_s": 5.125, "cpu_s": 9.0}}
    rows = rows_of("demo", [{"before": ended, "after": quick}], 20.0)
    assert [(row["log"], row["metric"], row["value"], row.get("bound")) for row in rows] == [
        ("before", "wall_s", 20.5, ">"),
        ("before", "cpu_s", 9.0, ">"),
        ("after", "wall_s", 5.125, None),
        ("after", "cpu_s", 9.0, None),
        ("after", "ratio", 0.25, "<"),
    ]
    assert [row["metric"] for row in rows_of("demo", [{"before": ended, "after": ended}], 20.0)] == 2 * [
        "wall_s",
        "cpu_s",
    ]


def test_without_an_older_checkout_there_is_no_ratio() -> None:
    assert [row["metric"] for row in rows_of("help", [{"after": {"": {"wall_s": 1.0}}}])] == ["wall_s"]


def test_beside_a_neighbour_the_worst_place_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """100 targets a second in quiet, 50 beside a neighbour on core 0, 90 on core 1, 80 anywhere."""
    rates = {None: 100.0, "core 0": 50.0, "core 1": 90.0, "anywhere": 80.0}
    monkeypatch.setattr(first_hour, "places", lambda: ["core 0", "core 1", "anywhere"])
    monkeypatch.setattr(first_hour, "_targets_per_second", lambda side, place, seconds: rates[place])
    found = train_with_neighbour(Side("after", tmp_path, tmp_path), 1.0)
    assert found[""] == {"ratio": 0.5}
    assert found["neighbour core 1"] == {"ratio": 0.9}
    assert found["neighbour anywhere"] == {"ratio": 0.8}
    (worst, *_) = rows_of("train-with-neighbour", [{"after": found}])
    assert worst == {"log": "after", "system": "train-with-neighbour", "metric": "ratio", "value": 0.5}


def test_a_training_that_is_ended_at_the_limit_has_no_speed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor is the speed of a place before it taken for its own."""
    side = Side("after", tmp_path, tmp_path, limit=1.0)
    monkeypatch.setattr(Side, "cost", lambda *_, **__: {"wall_s": 1.0, "cpu_s": 1.0})
    monkeypatch.setattr(Side, "dataset", lambda _: tmp_path)
    (tmp_path / "loop.json").write_text('{"targets_per_second": 100.0}')
    assert first_hour._targets_per_second(side, None, 1.0) == 0.0


def test_a_neighbour_keeps_to_its_core_and_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noting(*arguments: object, **more: object) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **more))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noting)
    place = neighbour.places()[0]
    with neighbour.neighbour(place):
        assert os.sched_getaffinity(started[0].pid) == {int(place.removeprefix("core "))}
        assert started[0].poll() is None
    assert started[0].poll() is not None
    with neighbour.neighbour(None):
        pass
    assert len(started) == 1


def test_what_is_measured_does_not_take_our_threads_for_the_users() -> None:
    ours = {"OMP_NUM_THREADS": "2", "TILLSIDE_OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE", "HOME": "/h"}
    assert neighbour.of_a_user(ours) == {"HOME": "/h"}


def test_every_system_of_the_issue_is_there() -> None:
    promised = ["demo", "demo-with-neighbour", "blend-search", "train-with-neighbour", "help", "first-line", "tests"]
    assert list(systems(1.0)) == promised


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dmeo"], "SYSTEM must be one of demo, "),
        (["--limit", "0"], "--limit must be above 0, got 0"),
        (["--rounds", "0"], "--rounds must be at least 1, got 0"),
        (["--before", "nowhere"], "--before must be a checkout with a .venv, got nowhere"),
    ],
)
def test_options_that_cannot_be_are_refused(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["first_hour", *words])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert said in capsys.readouterr().err


def test_rows_of_systems_that_were_not_asked_for_stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measure(value: float, *words: str) -> dict[tuple[str, str], float]:
        monkeypatch.setattr(first_hour, "help_", lambda side: {"": {"wall_s": value}})
        monkeypatch.setattr(first_hour, "first_line", lambda side: {"": {"wall_s": value}})
        monkeypatch.setattr("sys.argv", ["first_hour", *words, "--rounds", "1", "--results", str(tmp_path)])
        main()
        return {(r["system"], r["metric"]): r["value"] for r in first_hour.read_rows(tmp_path / "first-hour.json")}

    measure(1.0, "help", "first-line")
    assert measure(2.0, "help") == {("first-line", "wall_s"): 1.0, ("help", "wall_s"): 2.0}
