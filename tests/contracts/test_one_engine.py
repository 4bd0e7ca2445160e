"""Whatever measures a bundle opens its graphs exactly as the server does: the same files, options, providers, threads.

A difference would go unseen: other kernels round differently, and another number of threads has another latency.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from serving.answering.recommender import Recommender
from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tillside.bundle import ENCODER, INT8_SCORER, SCORER, open_bundle
from training.bundle import write
from training.bundle.goldens import make_goldens
from training.bundle.latency import measure_latency
from training.bundle.parity import check_parity
from training.bundle.prefixes import real_queries
from training.bundle.search_tier import choose_search
from training.evaluation.run import MODEL, evaluate_run
from training.review.gate import answer_ms

pytestmark = pytest.mark.slow

ENTRIES = ("session.intra_op.allow_spinning", "session.inter_op.allow_spinning", "session.disable_prepacking")
Opening = tuple[Any, ...]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[Opening]]:
    """By the graph's file name: how every session over it was made; grows while the test runs."""
    found: dict[str, set[Opening]] = {}
    real = onnxruntime.InferenceSession

    def record(path: Path | str, options: onnxruntime.SessionOptions, **given: Any) -> onnxruntime.InferenceSession:
        threads = options.intra_op_num_threads, options.inter_op_num_threads
        entries = tuple(entry(options, key) for key in ENTRIES)
        name = "/".join(Path(path).parts[-2:]) if Path(path).parent.name == "int8" else Path(path).name
        others = options.log_severity_level, options.graph_optimization_level, options.execution_mode
        found.setdefault(name, set()).add((threads, entries, others, str(given)))
        return real(path, options, **given)

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    return found


def entry(options: onnxruntime.SessionOptions, key: str) -> str | None:
    try:
        return options.get_session_config_entry(key)
    except RuntimeError:  # not set
        return None


def test_gate_goldens_tiers_latency_and_evaluation_open_the_graphs_as_the_server_does(tmp_path, monkeypatch, opened):
    rows, tests = random_rows(30, items=30, seed=1), random_rows(20, items=30, seed=2)
    dataset = make_dataset(tmp_path / "d", train=rows, test=tests, trained=30)
    trained, out = make_trained(dataset), tmp_path / "bundle"
    monkeypatch.setattr(write, "choose_search", lambda *given: choose_search(*given, int8_from=2))
    write.export_run(trained, dataset, out, metrics={"systems": {MODEL: {"all": {}}}}, run_id="r")
    bundle = open_bundle(out)
    assert bundle.search.tier == "int8"
    opened.clear()
    Recommender(bundle)
    served = {name: set(made) for name, made in opened.items()}
    assert served.keys() == {ENCODER, SCORER, INT8_SCORER}
    assert all(len(made) == 1 for made in served.values())
    for measure in (
        lambda: check_parity(trained, dataset, out, bundle.search),
        lambda: make_goldens(trained, dataset, out, bundle.search),
        lambda: measure_latency(out, dataset),
        lambda: answer_ms(bundle, seed=0),
        lambda: evaluate_run(trained, dataset, folder=None, seed=0, bundle=bundle, baselines=[]),
    ):
        opened.clear()
        measure()
        assert opened == served
    for measure in (
        lambda: real_queries(trained, dataset, out),
        lambda: choose_search(copy_of(out, tmp_path), np.ones((3, bundle.items_ND.shape[1]), np.float32), int8_from=2),
    ):
        opened.clear()
        measure()
        assert opened
        assert opened.items() <= served.items()


def copy_of(bundle: Path, folder: Path) -> Path:
    """As much of a bundle as there is when its search tier is chosen."""
    copy = folder / "unfinished"
    copy.mkdir()
    for name in ("items.npy", SCORER):
        (copy / name).write_bytes((bundle / name).read_bytes())
    return copy
