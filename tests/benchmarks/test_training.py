"""The speed benchmark: its sessions, its count of operations, its clock and its ratios."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.loop import IN_PLACE, LOOKS, measure
from benchmarks.results import markdown
from benchmarks.sessions import MEAN_LENGTH, write_sessions
from benchmarks.training import main, rows_of, standing_accounts, times_to_quality
from tillside.dataset import load_dataset
from training.model.losses import full_softmax


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speed") / "sessions"
    write_sessions(path, items=300, sessions=4000)
    return path


def test_sessions_have_two_events_at_least_and_the_mean_length_and_a_few_popular_items(sessions: Path) -> None:
    dataset = load_dataset(sessions)
    lengths = np.diff(np.asarray(dataset.part("train").offsets))
    assert lengths.min() == 2
    assert lengths.mean() == pytest.approx(MEAN_LENGTH, rel=0.05)
    counts = np.sort(dataset.catalogue.counts_NB[:, 0])[::-1]
    assert counts.sum() == lengths.sum()
    assert counts[:30].sum() > 0.4 * counts.sum()  # a tenth of the items; a power law of .9 gives them .56


def test_the_counter_sees_every_product_of_the_chunked_softmax() -> None:
    # 5 queries, 7 items, width 3: logits, their gradient to queries, and to items, 2 * 5 * 7 * 3 operations each
    queries, items = nn.Parameter(torch.randn(5, 3)), nn.Parameter(torch.randn(7, 3))
    with FlopCounterMode(display=False, custom_mapping=IN_PLACE) as counter:
        full_softmax(queries, items, torch.zeros(5, dtype=torch.int64), torch.ones(5)).backward()
    assert counter.get_total_flops() == 3 * 2 * 5 * 7 * 3


def test_the_loop_is_measured_and_ends_at_its_limit(sessions: Path) -> None:
    account = measure(load_dataset(sessions), seconds=0.0, quality=None, clock="cpu", seed=0)
    assert account["steps"] == 1
    assert 0 < account["targets"] <= account["batch_events"]
    assert account["targets_per_second"] == pytest.approx(account["targets"] / account["training_seconds"])
    assert account["flops_per_target"] > 0
    assert account["curve"] == []


def test_a_quality_is_reached_within_an_epoch(sessions: Path) -> None:
    account = measure(load_dataset(sessions), seconds=1e9, quality=1e-9, clock="cpu", seed=0)
    assert len(account["curve"]) == 1
    assert account["seconds_to_quality"] == account["curve"][0]["seconds"] > 0
    targets = (np.diff(np.asarray(load_dataset(sessions).part("train").offsets)) - 1).sum()
    assert account["targets"] == pytest.approx(targets / LOOKS, rel=0.1)


def test_ratios_above_one_mean_that_tillside_is_faster_in_the_middle_of_three_rounds() -> None:
    rounds = [
        {
            "tillside": {"targets_per_second": 300.0 * slow, "peak_mb": 5.0},
            "rectools": {"targets_per_second": 100.0 * slow},
            "replay": {"targets_per_second": each},
        }
        for slow, each in ((1.0, 150.0), (0.5, 50.0), (1.0, 60.0))
    ]
    found = {(row["system"], row["metric"]): row["value"] for row in rows_of("log", rounds)}
    assert found["tillside/rectools", "events_per_s_ratio"] == 3
    assert found["tillside/replay", "events_per_s_ratio"] == 3  # of 2, 3 and 5
    assert found["tillside", "events_per_s"] == 300
    assert found["tillside", "peak_mb"] == 5
    del rounds[1]["replay"]
    assert {row["system"] for row in rows_of("log", rounds)} == {"tillside", "rectools", "tillside/rectools"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rounds", "0"], "--rounds must be at least 1, got 0"),
        (["--finished", "peer"], "--finished wants the --dataset"),
        (["--finished", "peer", "--dataset", "d", "--measure", "rates"], "--finished wants the --dataset"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["training", "--seconds", "1", *words])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert said in capsys.readouterr().err


def test_the_time_to_each_peers_best_quality() -> None:
    curve = [{"seconds": 10.0, "mrr@20": 0.1}, {"seconds": 20.0, "mrr@20": 0.2}]
    best = {"rectools-sasrec": (50.0, 0.1), "rectools-ligr": (50.0, 0.15), "replay-sasrec": (90.0, 0.3)}
    rows = times_to_quality("log", curve, {peer: {"seconds": s, "mrr@20": mrr} for peer, (s, mrr) in best.items()})
    found = {(row["system"], row["metric"]): row["value"] for row in rows}
    assert found["tillside/rectools-sasrec", "time_to_quality_ratio"] == 50 / 10
    assert found["tillside/rectools-ligr", "time_to_quality_ratio"] == 50 / 20
    assert found["tillside/rectools", "time_to_quality_ratio"] == 2.5  # the least of the library's
    assert found["replay-sasrec", "time_to_quality_s"] == 90
    assert not [key for key in found if key[0].startswith("tillside/replay")]  # never reached is not a number


def test_what_stands_of_a_peer_is_what_was_written_of_it() -> None:
    best = {"replay-sasrec": {"mrr@20": 0.3, "seconds": 90.0}}
    standing = [row for row in times_to_quality("log", [], best) if row["system"] in best]
    assert standing_accounts(standing) == best


def test_a_table_of_several_logs_has_a_line_for_each() -> None:
    rows = [
        {"log": log, "system": "tillside", "metric": "events_per_s", "value": 1000.0 * n}
        for n, log in ((1, "a"), (2, "b"))
    ]
    document = {"title": "t", "command": "c", "date": "d", "machine": "m", "commit": "0", "notes": "n", "rows": rows}
    lines = markdown(document).splitlines()
    assert "| a | tillside | 1,000 |" in lines
    assert "| b | tillside | 2,000 |" in lines
    assert "| tillside | 1,000 |" in markdown({**document, "rows": rows[:1]}).splitlines()
