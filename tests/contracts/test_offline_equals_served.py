"""Offline = served: what the evaluator ranks is what the server answers, item for item, over HTTP.

A log goes the whole way as a user would send it: prepared, learned, exported, served by ``python -m serving``; then
the server is asked the evaluator's own cases. Every second case excludes items, the session's latest among them.
"""

import functools
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.figures import figures_left_out
from tests.serving.server_process import ServerProcess
from tillside.bundle import open_bundle
from tillside.dataset import Dataset, Sessions, load_dataset
from tillside.engine import Engine
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.recommenders import Popularity
from tillside.recommenders.blend import Blend
from training.bundle.write import export_run
from training.data.readers.rees46 import Rees46Config
from training.evaluation.run import MODEL, cases_to_judge
from training.evaluation.scorers import ModelScorer, popularity_of
from training.evaluation.served import served_lists
from training.inputs.cases import Cases
from training.inputs.visits import Visits
from training.model.checkpoint import MODEL_FILE, TrainedModel, load_model
from training.settings.model import ModelConfig
from training.settings.prepare import PrepareConfig
from training.settings.tracking import TrackingConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig
from training.stages.prepare import prepare
from training.stages.train import train

pytestmark = pytest.mark.slow

REES46 = Path(__file__).parents[3] / "shared/data/rees46_2019oct_head/events.csv.gz"
PREFIXES = 1000
TOP = 20
BLEND = Blend(
    (1.0, 2.0, 0.5),
    0.01,
    ((-2.0, 1.5, 0.5), (3.0, -1.0, -0.5), (-4.0, 0.0, 1.0)),
    alike=(0.5, 2.0),
    earlier=(1.0, -3.0, 2.0),
)
"""Written down, so that every part of it counts whatever validation says of a short run."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real REES46 log, prepared."""
    if not REES46.exists():
        pytest.skip(f"{REES46} is not on this machine")
    dataset = tmp_path_factory.mktemp("rees46") / "dataset"
    prepare(PrepareConfig(out=str(dataset), data=Rees46Config(path=str(REES46)), min_item_support=2))
    return dataset


@pytest.fixture(scope="module", params=[0, 20], ids=["sessions alone", "behind earlier ones"])
def run(dataset: Path, request: pytest.FixtureRequest) -> Path:
    """A short run on it; its folder holds the model, the bundle comes later."""
    runs = dataset.parent / f"runs{request.param}"
    settings = TrainConfig(
        dataset=str(dataset),
        export=False,
        model=ModelConfig(dim=32, layers=1, heads=1, history=request.param),  # as others traced it, mostly
        trainer=TrainerConfig(max_epochs=1, validation_cases=1000, refit=False, progress_bar=False),
        tracking=TrackingConfig(runs=str(runs)),
    )
    with figures_left_out():
        train(settings)
    return (runs / "latest").resolve()


def test_a_thousand_real_prefixes_get_the_same_twenty_items_in_the_same_order(run: Path, tmp_path: Path) -> None:
    """The evaluator's lists for the bundle equal the served ones; torch's may swap items that fp32 holds level.

    With a history, shoppers who came back come first.
    """
    dataset = load_dataset(run.parents[1] / "dataset")
    trained = load_model(run / MODEL_FILE, dataset)
    assert trained.memory is not None
    trained = replace(trained, memory=replace(trained.memory, blend=BLEND))
    export_run(trained, dataset, tmp_path / "bundle", metrics={"systems": {MODEL: {"all": {}}}}, run_id="short")
    cases = cases_to_judge(dataset, trained.spec)
    assert len(cases) >= PREFIXES
    batch = cases.batch(np.arange(len(cases)))
    returning_C = batch.lengths_B > batch.own_B
    assert returning_C.any() == (trained.spec.history > 0)
    cases = cases.only(np.argsort(~returning_C, kind="stable"))
    chosen = np.arange(PREFIXES)
    lists = lists_of_the_bundle(tmp_path / "bundle", trained, dataset, cases, chosen)
    left_out = [excluded(dataset, cases, case, lists[case]) if case % 2 else [] for case in chosen]

    server = ServerProcess(tmp_path / "bundle", tmp_path / "server.log")
    try:
        with httpx.Client(base_url=server.url) as client:
            requests = [request(dataset, cases, case, left_out[case]) for case in chosen]
            answers = [client.post("/v1/recommend", json=each).json() for each in requests]
    finally:
        assert server.stop() == 0

    item_ids = dataset.catalogue.item_ids
    served = [[item["item_id"] for item in answer["items"]] for answer in answers]
    for case, best in zip(chosen, served, strict=True):
        assert best == [item_ids[item] for item in lists[case] if item not in left_out[case]][:TOP]

    scorer = ModelScorer.of(trained.model, popular(dataset), trained.memory)
    scores, intents = scorer.score_and_intent(cases.batch(chosen), cases.asked_C[chosen])
    for row, items_left_out in enumerate(left_out):
        scores[row, items_left_out] = -np.inf
    index_of, resolution = dataset.catalogue.index_of, 1e-5  # scores reach 60; fp32 resolves 4e-6 there
    for row, (offline, answered) in enumerate(zip(top_k(scores, TOP).tolist(), served, strict=True)):
        swapped = [(a, index_of[b]) for a, b in zip(offline, answered, strict=True) if item_ids[a] != b]
        assert all(abs(scores[row, a] - scores[row, b]) < resolution for a, b in swapped)
    told = cases.batch(chosen).lengths_B > 0  # the others hold nothing that can be ranked
    assert trained.intent
    assert trained.counted_intent is not None
    counted = trained.counted_intent.at(*cases.batch(chosen).counted(len(dataset.behaviours)))
    for answer, intent in zip(answers, np.where(told, intents, counted), strict=True):
        assert abs(answer["purchase_intent"] - intent) < 1e-5
    assert [answer["tier"] == "model" for answer in answers] == told.tolist()
    assert any(index_of[item] >= dataset.catalogue.trained for best in served for item in best)  # cold ones are offered


def popular(dataset: Dataset) -> Popularity:
    return popularity_of(dataset, refit=False)


def lists_of_the_bundle(
    bundle: Path, trained: TrainedModel, dataset: Dataset, cases: Cases, chosen: np.ndarray
) -> list[list[int]]:
    """What ``training.evaluate bundle=DIR`` finds by the bundle's own graphs; longer by what may be excluded."""
    opened = open_bundle(bundle)
    engine = Engine(bundle, opened.items_ND, opened.search)
    lists = served_lists(engine, trained.memory, popular(dataset), cases, chosen, k=TOP + 3)
    return [best.tolist() for _, best, _ in lists]


def excluded(dataset: Dataset, cases: Cases, case: int, best: list[int]) -> list[int]:
    """Two items that would be recommended and, where it can be, the latest one of the session."""
    latest = int(dataset.part("test").items[cases.events_C[case] - 1])
    return sorted({best[0], best[5], latest if latest < dataset.catalogue.rankable else best[9]})


def event(dataset: Dataset, sessions: Sessions, place: int) -> dict[str, object]:
    return {
        "item_id": dataset.catalogue.item_ids[int(sessions.items[place])],
        "behaviour": dataset.behaviours.names[int(sessions.behaviours[place])],
        "timestamp": None if sessions.times[place] == TIME_UNKNOWN else int(sessions.times[place]),
    }


def request(dataset: Dataset, cases: Cases, case: int, left_out: list[int]) -> dict[str, object]:
    """The case as the shop's backend would send it."""
    sessions, end = dataset.part("test"), int(cases.events_C[case])
    names = dataset.behaviours.names
    start = int(sessions.offsets[cases.sessions_C[case]])
    events = [event(dataset, sessions, place) for place in range(start, end)]
    exclude = [dataset.catalogue.item_ids[item] for item in left_out]
    asked = {"session": events, "behaviour": names[int(cases.asked_C[case])], "k": TOP, "exclude": exclude}
    return {**asked, "history": earlier(dataset, int(cases.sessions_C[case]))} if cases.spec.history else asked


@functools.cache
def visits(path: Path) -> Visits:
    return Visits.of(load_dataset(path).sessions)


def earlier(dataset: Dataset, session: int) -> list[dict[str, object]]:
    """What the shopper of a test session did before, as the shop's backend would know it."""
    places = visits(dataset.path).before(dataset.parts["test"][0] + session)
    return [event(dataset, dataset.sessions, int(place)) for place in places]
