"""Offline = served: what the evaluator ranks is what the server answers, item for item, over HTTP.

A log goes the whole way as a user would send it: prepared, learned, exported, served by ``python -m serving``; then
the server is asked the evaluator's own cases.
"""

from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.serving.server_process import ServerProcess
from tillside.bundle import open_bundle
from tillside.dataset import Dataset, load_dataset
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.recommenders import Popularity, popularity
from training.bundled import BundleGraphs, served_lists
from training.cases import Cases, make_cases
from training.checkpoint import MODEL_FILE, load_model
from training.evaluation import ModelScorer
from training.fitting import TrainerConfig
from training.model import ModelConfig
from training.prepare import PrepareConfig, prepare
from training.readers.rees46 import Rees46Config
from training.tracking import TrackingConfig
from training.train import TrainConfig, train

REES46 = Path(__file__).parents[3] / "shared/data/rees46_2019oct_head/events.csv.gz"
PREFIXES = 1000
TOP = 20


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on the real REES46 log; its folder holds the model and the bundle."""
    if not REES46.exists():
        pytest.skip(f"{REES46} is not on this machine")
    folder = tmp_path_factory.mktemp("rees46")
    dataset = folder / "dataset"
    prepare(PrepareConfig(out=str(dataset), data=Rees46Config(path=str(REES46)), min_item_support=2))
    train(
        TrainConfig(
            dataset=str(dataset),
            model=ModelConfig(dim=32),
            trainer=TrainerConfig(max_epochs=2, progress_bar=False),
            tracking=TrackingConfig(runs=str(folder / "runs")),
        )
    )
    return (folder / "runs/latest").resolve()


def test_a_thousand_real_prefixes_get_the_same_twenty_items_in_the_same_order(run: Path, tmp_path: Path) -> None:
    """The evaluator's lists for the bundle equal the served ones; torch's may swap items that fp32 holds level."""
    dataset = load_dataset(run.parents[1] / "dataset")
    trained = load_model(run / MODEL_FILE, dataset)
    items = dataset.catalogue.rankable
    cases = make_cases(dataset.part("test"), rule="every", spec=trained.spec, items=items, goal=2, limit=None)
    assert len(cases) >= PREFIXES
    chosen = np.arange(PREFIXES)
    assert trained.memory is not None
    assert set(cases.asked_C[chosen].tolist()) & set(np.flatnonzero(trained.memory.blend.weights).tolist())
    fallback = Popularity(popularity(dataset.catalogue.popular_NB[:items]))
    scorer = ModelScorer.of(trained.model, fallback, trained.memory)
    scores, intents = scorer.score_and_intent(cases.batch(chosen), cases.asked_C[chosen])
    offline = [[dataset.catalogue.item_ids[item] for item in row] for row in top_k(scores, TOP)]

    server = ServerProcess(run / "bundle", tmp_path / "server.log")
    try:
        with httpx.Client(base_url=server.url) as client:
            answers = [client.post("/v1/recommend", json=request(dataset, cases, case)).json() for case in chosen]
    finally:
        assert server.stop() == 0

    served = [[item["item_id"] for item in answer["items"]] for answer in answers]
    assert served == lists_of_the_bundle(run, dataset, cases, chosen)
    index_of, resolution = dataset.catalogue.index_of, 1e-5  # scores reach 60; fp32 resolves 4e-6 there
    for row, (left, right) in enumerate(zip(offline, served, strict=True)):
        swapped = [(index_of[a], index_of[b]) for a, b in zip(left, right, strict=True) if a != b]
        assert all(abs(scores[row, a] - scores[row, b]) < resolution for a, b in swapped)
    for answer, intent in zip(answers, intents, strict=True):
        assert answer["purchase_intent"] is None or abs(answer["purchase_intent"] - intent) < 1e-5
    told = cases.batch(chosen).lengths_B > 0  # the others hold nothing that can be ranked
    assert [answer["tier"] == "model" for answer in answers] == told.tolist()
    assert any(index_of[item] >= dataset.catalogue.trained for best in served for item in best)  # cold ones are offered


def lists_of_the_bundle(run: Path, dataset: Dataset, cases: Cases, chosen: np.ndarray) -> list[list[str]]:
    """What ``training.evaluate bundle=DIR`` finds: the best items of each case, by the bundle's own graphs."""
    graphs = BundleGraphs(run / "bundle", open_bundle(run / "bundle").memory)
    items = dataset.catalogue.rankable
    fallback = Popularity(popularity(dataset.catalogue.popular_NB[:items]))
    lists = served_lists(graphs, fallback, cases, chosen, k=TOP)
    return [[dataset.catalogue.item_ids[item] for item in best] for _, best, _ in lists]


def request(dataset: Dataset, cases: Cases, case: int) -> dict[str, object]:
    """The case as the shop's backend would send it."""
    sessions, event = dataset.part("test"), int(cases.events_C[case])
    names = dataset.behaviours.names
    start = int(sessions.offsets[cases.sessions_C[case]])
    events = [
        {
            "item_id": dataset.catalogue.item_ids[int(sessions.items[place])],
            "behaviour": names[int(sessions.behaviours[place])],
            "timestamp": None if sessions.times[place] == TIME_UNKNOWN else int(sessions.times[place]),
        }
        for place in range(start, event)
    ]
    return {"session": events, "behaviour": names[int(cases.asked_C[case])], "k": TOP}
