"""Rows of the serving tables, figures of an overload, broken bundles, fuzzed requests, a synthetic bundle served."""

import json

import httpx
import numpy as np
import pytest

from benchmarks import results, serving
from benchmarks.broken import KINDS, again, break_bundle
from benchmarks.bundles import write_bundle
from benchmarks.faults import growth, overload_figures
from benchmarks.fuzzing import mutated_bodies, mutated_heads
from serving.bench.ledger import Ledger
from serving.bench.shoppers import LoadShop, draw_requests
from serving.bench.summary import Summary
from serving.bundles.loading import load_recommender
from serving.protocol.limits import Limits
from tests.bundles import tiny_bundle
from tests.serving.server_process import ServerProcess
from tillside.bundle import open_bundle


def test_medians_are_taken_for_each_system_and_metric():
    runs = [serving.rows_of("http-1k-50rps", {"p50_ms": value}) for value in (3.0, 1.0, 2.0)]
    runs[0] += serving.rows_of("tillside/mlflow-serve", {"rate_ratio_10ms": 7.0})
    assert serving.medians(runs) == [
        {"log": "synthetic", "system": "http-1k-50rps", "metric": "p50_ms", "value": 2.0, "runs": 3},
        {"log": "synthetic", "system": "tillside/mlflow-serve", "metric": "rate_ratio_10ms", "value": 7.0, "runs": 1},
    ]


def test_rows_of_systems_that_were_not_run_are_kept_with_their_origin(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "machine", lambda: "a box")
    serving.publish("faults", serving.rows_of("soak", {"minutes": 30.0}), folder=tmp_path)
    monkeypatch.setattr(results, "machine", lambda: "another box")
    serving.publish("faults", serving.rows_of("fuzz", {"requests": 9.0, "5xx": 1.0}), folder=tmp_path)
    serving.publish("faults", serving.rows_of("fuzz", {"requests": 10.0, "5xx": 0.0}), folder=tmp_path)
    document = json.loads((tmp_path / "faults.json").read_text(encoding="utf-8"))
    assert document["machine"] == "another box"
    found = {(row["system"], row["metric"]): (row["value"], row.get("machine")) for row in document["rows"]}
    assert found == {
        ("fuzz", "requests"): (10.0, None),
        ("fuzz", "5xx"): (0.0, None),
        ("soak", "minutes"): (30.0, "a box"),
    }
    assert "| soak |" in (tmp_path / "faults.md").read_text(encoding="utf-8")


def test_the_metrics_of_a_load_have_the_names_of_the_issue():
    ledger = Ledger(np.zeros(4))
    ledger.taken_R[:] = ledger.sent_R[:] = 0.0
    for number, reason in enumerate(("", "", "queue")):
        tier = "popularity" if reason else "model"
        ledger.answered(number, at=0.001 * (number + 1), status=200, tier=tier, reason=reason)
    ledger.failed(3, at=1.0, error="reset")
    found = serving.figures(Summary.of(ledger, rate=4, seconds=1))
    assert {"p50_ms", "p90_ms", "p99_ms", "p999_ms", "errors"} <= found.keys()
    assert found["errors"] == 1
    assert found["model_share"] == 0.5  # two of four requests
    assert found["p50_ms"] == pytest.approx(2)  # the second of the three that were answered


@pytest.mark.parametrize(("items", "name"), [(1_000, "1k"), (100_000, "100k"), (1_000_000, "1m"), (1_500, "1500")])
def test_catalogue_sizes_are_named_as_in_the_issue(items, name):
    assert serving.short(items) == name


def test_ratios_have_no_row_where_a_rival_held_no_rate():
    mine = {"p50_ms": 2.0, "rate_held_10ms": 1000.0, "rate_held_50ms": 1500.0}
    theirs = {"p50_ms": 10.0, "rate_held_10ms": 0.0, "rate_held_50ms": 100.0}
    assert serving.ratios(mine, theirs) == {"p50_ratio": 5.0, "rate_ratio_50ms": 15.0}


def test_an_overload_has_recovered_with_the_last_bad_answer():
    # the storm ends at 2 s, with two answers; then one degraded (due 2.2), one past its deadline (due 2.6), one good
    ledger = Ledger(np.array([0.5, 1.0, 2.2, 2.6, 3.0]))
    ledger.taken_R[:] = ledger.sent_R[:] = ledger.due_R
    ledger.answered(0, at=0.51, status=200, tier="model")
    ledger.answered(1, at=1.03, status=200, tier="popularity", reason="queue")
    ledger.answered(2, at=2.21, status=200, tier="popularity", reason="queue")
    ledger.answered(3, at=2.70, status=200, tier="model")
    ledger.answered(4, at=3.01, status=200, tier="model")
    samples = [(0.5 * number, size) for number, size in enumerate([90, 95, 100, 102, 0, 0, 0, 0, 108, 110])]
    found = overload_figures(ledger, samples, saturation=1.0, end=2.0, deadline_ms=50)
    assert found["recovery_s"] == pytest.approx(0.6)
    assert (found["requests"], found["5xx"], found["errors"]) == (2, 0, 0)
    assert found["model_share"] == 0.5
    assert found["p50_ms"] == pytest.approx(10)
    assert found["p99_ms"] == pytest.approx(30)
    assert found["rss_growth_mb"] == 8  # (108 + 110) / 2 - (100 + 102) / 2; the first fifth is warming up
    assert overload_figures(ledger, [], saturation=1.0, end=2.0, deadline_ms=200)["recovery_s"] == pytest.approx(0.2)
    assert growth(samples[:9]) == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_every_broken_bundle_is_refused_and_the_good_one_stays_good(kind, tmp_path):
    good = tiny_bundle(tmp_path / "good")
    version = open_bundle(good).version
    with pytest.raises(ValueError):
        load_recommender(break_bundle(good, kind), Limits())
    assert load_recommender(good, Limits()).bundle.version == version


def test_another_good_bundle_has_another_version(tmp_path):
    good = tiny_bundle(tmp_path / "good")
    assert len(KINDS) == 10
    assert load_recommender(again(good, 1), Limits()).bundle.version != open_bundle(good).version


def test_fuzzed_requests_are_the_same_for_a_seed_and_bodies_have_sound_heads():
    bodies = [b'{"session": []}', b'{"session": [{"item_id": "pear"}], "k": 3}']
    requests = mutated_bodies(bodies, count=300, path="/v1/recommend", host="h", seed=1)
    assert requests == mutated_bodies(bodies, count=300, path="/v1/recommend", host="h", seed=1)
    assert len(set(requests)) > 250
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert head.endswith(b"content-length: %d" % len(body))
    heads = mutated_heads([b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"], count=50, seed=1)
    assert all(request.endswith(b"{}") for request in heads)
    assert len(set(heads)) > 40


@pytest.mark.slow
def test_a_synthetic_bundle_is_accepted_by_a_real_server(tmp_path):
    out = tmp_path / "bundle"
    write_bundle(out, items=300, memory=True, sessions=2_000, dim=8)
    bundle = open_bundle(out)
    assert bundle.items_ND.shape == (300, 9)
    assert bundle.memory is not None
    unit_ND = bundle.items_ND[:, :-1]
    likeness = np.sort(unit_ND @ unit_ND.T, axis=1)[:, -10]
    assert (
        np.median(likeness) > 0.6
    )  # clustered: ten items in the neighbourhood, where random ones of 8 dimensions vary
    server = ServerProcess(out, tmp_path / "log")
    try:
        (request,) = draw_requests(LoadShop.of_bundle(out), count=1, k=5, rng=np.random.default_rng(0))
        answer = httpx.post(f"{server.url}/v1/recommend", json=request).json()
    finally:
        assert server.stop() == 0
    assert answer["tier"] == "model"
    assert len(answer["items"]) == 5
    assert answer["unknown_items"] == []
