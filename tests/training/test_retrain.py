"""Retraining: what was learned goes on item by item, nothing of the newest window is learned, and both models are
asked the same cases."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.datasets import MINUTE_MS, START_MS, Event, make_dataset
from tests.logs import circle_log
from tillside.catalogue import Catalogue, pack_tokens
from tillside.dataset import load_dataset
from tillside.encoding import EncodingSpec
from tillside.recommenders.cold_vectors import TokenVectors
from training.data.readers.events import EventsConfig
from training.evaluation.case_ranks import RANKS_FILE, Ranks, ranks_beside
from training.evaluation.sample_sessions import SHOWN, TABLE_FILE, read_examples
from training.learning import recipe
from training.learning.fit import TrainerConfig, plan
from training.learning.warm_start import BaseModel, Carried, first_end, refuse_leaks
from training.model.next_item import ModelConfig, NextItemModel
from training.prepare import PrepareConfig, prepare
from training.promote import PromoteConfig, promote
from training.retrain import RetrainConfig, retrain
from training.review.comparison import COMPARISON_FILE, ask_base
from training.review.markdown import GAP
from training.tracking.store import TrackingConfig, open_store
from training.train import TrainConfig, train

HOUR_S = 3600
DIM = 4


def catalogue_of(tokens: dict[str, list[str]]) -> Catalogue:
    """Items by id with their tokens, all trained."""
    vocabulary, ids, offsets = pack_tokens(tokens.values())
    size = len(tokens)
    return Catalogue(
        item_ids=list(tokens),
        trained=size,
        counts_NB=np.ones((size, 3), np.int64),
        prices_N=np.full(size, np.nan, np.float32),
        vocabulary=vocabulary,
        token_ids=ids,
        token_offsets=offsets,
    )


def model_of(catalogue: Catalogue, *, seed: int) -> NextItemModel:
    torch.manual_seed(seed)
    config = ModelConfig(dim=DIM, layers=1, heads=1, companions=0, dropout=0.0, item_dropout=0.0)
    return NextItemModel(config, catalogue, behaviours=3, gap_buckets=EncodingSpec().gap_buckets).eval()


def base_of(catalogue: Catalogue, **told: Any) -> BaseModel:
    """A base as the registry would give it."""
    model = model_of(catalogue, seed=1)
    tokens = model.items.learned_tokens()
    fields: dict[str, Any] = {
        "name": "shop",
        "version": "3",
        "champion": True,
        "run_id": "r",
        "catalogue": catalogue,
        "behaviours": ("click", "cart", "purchase"),
        "spec": EncodingSpec(),
        "memory": None,
        "tokens": None if tokens is None else TokenVectors(tokens.detach().numpy(), catalogue),
        "model": model,
        "config": ModelConfig(dim=DIM, layers=1, heads=1, companions=0, dropout=0.0, item_dropout=0.0),
        "learned_until": START_MS,
        "log_until": START_MS,
        "settings": {},
    }
    return BaseModel(**fields | told)


OLD = catalogue_of({"a": ["brand=x"], "b": ["brand=x", "category=hats"], "c": ["category=hats"]})
NEW = catalogue_of(
    {
        "c": ["category=hats"],
        "described": ["brand=x", "category=hats", "brand=news"],
        "a": ["brand=x"],
        "stranger": ["brand=news"],
        "b": ["brand=x", "category=hats"],
        "bare": [],
    }
)


def test_rows_go_on_by_id_and_new_ones_begin_with_their_attributes() -> None:
    """c, a, b stand elsewhere now. ``described`` shares brand=x and category=hats with what was learned; brand=news is
    shared by two items but nobody has learned it, and ``bare`` has nothing: those two keep their random rows."""
    base, model = base_of(OLD), model_of(NEW, seed=2)
    random_ND = model.items.item.weight.detach().clone()
    assert base.hand_over(model, NEW) == Carried(kept=3, described=1, fresh=2, gone=0)
    rows_ND, before_ND = model.items.item.weight.detach(), base.model.items.item.weight.detach()
    assert torch.equal(rows_ND[[2, 4, 0]], before_ND)
    assert torch.equal(rows_ND[1], torch.zeros(DIM))
    assert torch.equal(rows_ND[[3, 5]], random_ND[[3, 5]])
    own, theirs = (dict(each.encoder.named_parameters()) for each in (model, base.model))
    assert all(torch.equal(own[name], theirs[name]) for name in theirs)


def test_a_described_newcomer_is_served_as_the_parent_ranks_it_already() -> None:
    """The mean of brand=x and category=hats to unit length: that brand=news begins at zero changes no direction."""
    base, model = base_of(OLD), model_of(NEW, seed=2)
    base.hand_over(model, NEW)
    newcomers_A, rows_AE = base.newcomers(NEW)
    assert newcomers_A.tolist() == [1]
    with torch.inference_mode():
        assert torch.allclose(model.items()[1], torch.from_numpy(rows_AE[0]), atol=1e-6)
    assert base.model.items.token is not None
    x_D, hats_D = base.model.items.token.weight.detach()  # the vocabulary is sorted: brand=x, category=hats
    mean_D = (x_D + hats_D) / 2
    assert np.allclose(rows_AE[0, :DIM], (mean_D / mean_D.norm()).numpy(), atol=1e-6)


def test_another_shape_is_refused() -> None:
    wider = NextItemModel(
        ModelConfig(dim=8, layers=1, heads=1, dropout=0.0, item_dropout=0.0), NEW, behaviours=3, gap_buckets=23
    )
    with pytest.raises(ValueError, match=r"models:/shop/3 has another shape than the model to be trained"):
        base_of(OLD).hand_over(wider, NEW)


def at(minute: int, *items: int) -> list[Event]:
    """A session of clicks that ends at that minute, its events a minute apart."""
    first = minute - len(items) + 1
    return [(item, "click", START_MS + (first + place) * MINUTE_MS) for place, item in enumerate(items)]


PARTS: dict[str, list[list[Event]]] = {
    "train": [at(10, 0, 1), at(20, 1, 2)],
    "validation": [at(30, 0, 1)],
    "test": [at(40, 1, 2), at(50, 0, 2)],
}


@pytest.mark.parametrize(
    ("learned", "log", "parts", "words"),
    [
        (40, 45, {}, r"models:/shop/3 learned from sessions until 2023-11-14 22:53:20, but the validation part begins"),
        (30, 45, {}, r"until 2023-11-14 22:43:20, but the validation part begins at 2023-11-14 22:43:20; make split"),
        (
            20,
            50,
            {},
            r"the log ends at 2023-11-14 23:03:20, and models:/shop/3 had one until 2023-11-14 23:03:20; give",
        ),
        (20, 45, {"validation": [at(41, 0, 1)]}, r"go on until 2023-11-14 22:54:20, but the test part begins at"),
        (44, 45, {"validation": []}, r"but the test part begins at 2023-11-14 22:53:20; make split"),
    ],
    ids=["in the test part", "in the validation part", "nothing newer", "parts overlap", "without validation"],
)
def test_a_window_that_was_learned_from_is_refused(
    tmp_path: Path, learned: int, log: int, parts: dict[str, Any], words: str
) -> None:
    """START_MS is 2023-11-14 22:13:20; a part begins when its first session ends, at minute 30 and 40 here."""
    dataset = make_dataset(tmp_path / "new", **PARTS | parts, trained=3)
    with pytest.raises(ValueError, match=words):
        refuse_leaks(base_at(learned, log), dataset)


def base_at(learned: int, log: int) -> BaseModel:
    return base_of(OLD, learned_until=START_MS + learned * MINUTE_MS, log_until=START_MS + log * MINUTE_MS)


def test_windows_that_do_not_meet_are_fine_and_a_log_without_a_clock_is_not(tmp_path: Path) -> None:
    """A minute before validation begins is early enough."""
    dataset = make_dataset(tmp_path / "new", **PARTS, trained=3)
    assert first_end(dataset.part("test")) == START_MS + 40 * MINUTE_MS
    refuse_leaks(base_at(29, 45), dataset)
    with pytest.raises(ValueError, match=r"data\.behaviours are click, cart, purchase, but those of models:/shop/3"):
        refuse_leaks(replace(base_at(29, 45), behaviours=("click", "purchase")), dataset)
    timeless = make_dataset(tmp_path / "timeless", **PARTS, trained=3, clock=False)
    with pytest.raises(ValueError, match="the log has no clock"):
        refuse_leaks(base_at(29, 45), timeless)


def test_a_warm_start_takes_a_third_of_the_epochs() -> None:
    assert plan(7_000, TrainerConfig(), warm=True)[1] == 17  # a third of 50
    assert plan(10**8, TrainerConfig(), warm=True)[1] == 2  # a third of 3 is 1, at least 2
    assert plan(7_000, TrainerConfig(max_epochs=5), warm=True)[1] == 5


# The whole way: a circle of items, walked two steps at a time, one session an hour; two items join in the newer log.


@pytest.fixture(autouse=True)
def _alone(one_thread: None) -> None:
    """Every test here, by conftest's fixture."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> TrackingConfig:
    """A store whose champion was trained on the first 100 hours."""
    folder = tmp_path_factory.mktemp("shop")
    torch.set_num_threads(1)
    tracking = TrackingConfig(runs=str(folder / "runs"), uri=f"sqlite:///{folder}/mlflow.db")
    log = circle_log(folder / "old.csv", 100, joined_after=10**6)
    prepare(PrepareConfig(out=str(folder / "old"), data=EventsConfig(path=str(log)), name="circles"))
    config = TrainConfig(
        dataset=str(folder / "old"),
        model=ModelConfig(dim=16, layers=1, heads=2, max_length=8, dropout=0.1, item_dropout=0.1),
        trainer=trainer(max_epochs=4),
        tracking=tracking,
    )
    train(config)
    assert not [c for c in promote(PromoteConfig(version=1, latency_ms=1e4, tracking=tracking)) if not c.passed]
    return tracking


def trainer(**given: Any) -> TrainerConfig:
    return TrainerConfig(**{"batch_events": 64, "patience": 9, "progress_bar": False, **given})


def settings(shop: TrackingConfig, log: Path, **given: Any) -> RetrainConfig:
    fields = {"from_": "models:/tillside@champion", "data": EventsConfig(path=str(log)), "tracking": shop}
    return RetrainConfig(**{**fields, "trainer": trainer(max_epochs=2), **given})


@pytest.fixture(scope="module")
def retrained(shop: TrackingConfig) -> Path:
    """The folder of a run that went on from the champion with 200 hours; the two items join after 110."""
    log = circle_log(Path(shop.runs).parent / "new.csv", 200, joined_after=110)
    retrain(settings(shop, log))
    return (Path(shop.runs) / "latest").resolve()


def test_a_retrained_model_stands_beside_the_champion_on_the_same_new_cases(
    shop: TrackingConfig, retrained: Path
) -> None:
    """200 sessions: test is the last 20, validation the 10 before; the champion learned from the first 90 of 100."""
    told = json.loads((retrained / COMPARISON_FILE).read_text())
    assert told["parent"] == "models:/tillside/1"
    assert told["items"] == {"kept": 12, "described": 1, "fresh": 1, "gone": 0}
    assert told["cases"] == 20 * 4
    assert told["targets_missed"] == told["targets_by_attributes"] == 10 / 80  # half of the fourth events each
    assert told["window_begins"] == "2023-11-22 10:13:24"  # 180 hours and 4 seconds after START_MS
    assert told["parent_learned_until"] == "2023-11-18 15:13:24"  # 89 hours after
    ours = Ranks.load(retrained / RANKS_FILE)
    theirs = Ranks.load(retrained / ranks_beside(told["parent_run"]))
    assert ours.digest == theirs.digest == told["test_digest"]
    for who, ranks in (("champion", theirs), ("challenger", ours)):
        assert told["slices"]["all"]["recall@20"][who] == pytest.approx((ranks.ranks_C <= 20).mean())
    assert told["slices"]["all"]["recall@20"]["champion"] == pytest.approx(70 / 80)  # all but ``bare``: 13 items ranked
    assert told["slices"]["all"]["recall@20"]["gain"]["value"] == pytest.approx(10 / 80)


def test_nothing_of_the_test_window_was_learned(shop: TrackingConfig, retrained: Path) -> None:
    """By the times in the arrays and by what the model file says."""
    (folder,) = (Path(shop.runs) / "datasets").iterdir()
    dataset = load_dataset(folder)
    begins = first_end(dataset.part("test"))
    assert begins == START_MS + 180 * HOUR_S * 1000 + 4000
    learned = torch.load(retrained / "model.pt", weights_only=True)["dataset"]["learned_until"]
    assert learned == int(dataset.before_test().times.max()) == START_MS + 179 * HOUR_S * 1000 + 4000


def test_the_registry_names_the_parent_and_the_gate_can_judge(shop: TrackingConfig, retrained: Path) -> None:
    """Although the champion's own test was another one."""
    client, _ = open_store(shop)
    version = client.get_model_version_by_alias("tillside", "challenger")
    assert version.run_id == retrained.name
    assert version.tags["parent.version"] == "1"
    assert [BaseModel.fetch(shop, f"models:/tillside/{number}").champion for number in (1, version.version)] == [
        True,
        False,
    ]
    assert "| all | 80 | recall@20 | 0.8750 | 1.0000 | +0.1250" in version.description.replace(GAP, "")
    run = client.get_run(retrained.name)
    assert run.data.tags["parent"] == "models:/tillside/1"
    assert run.data.tags["dataset.name"] == "circles"  # as the champion's is called
    assert run.data.params["warm_start"] == "models:/tillside/1"
    assert run.data.metrics["retrain/gain/recall_at_20/value"] == pytest.approx(0.125)
    note = run.data.tags["mlflow.note.content"]
    assert "the champion, tillside version 1 (0.8750)" in note.splitlines()[0]
    first = read_examples(retrained / TABLE_FILE)[0]
    assert list(first.shown)[:2] == ["tillside", "champion (version 1)"]
    assert len(first.shown["champion (version 1)"]) == SHOWN
    assert "Retrained from models:/tillside/1: on the 80 newest cases recall@20 is above" in note
    checks = promote(PromoteConfig(run=retrained.name, latency_ms=1e4, tracking=shop))
    assert {check.name for check in checks} >= {"test", "recall@20 all"}
    assert all(check.passed for check in checks)
    client.set_registered_model_alias("tillside", "champion", "1")  # as it was, for the other tests


def test_asked_its_own_cases_the_champion_gives_the_ranks_that_its_run_kept(shop: TrackingConfig) -> None:
    """So what it is compared by is what it was judged by, past sessions and all."""
    champion = BaseModel.fetch(shop, "models:/tillside/1")
    found, shares, shown = ask_base(champion, load_dataset(Path(shop.runs).parent / "old"))
    folder = Path(shop.runs) / champion.run_id
    assert np.array_equal(found.ranks_C, Ranks.load(folder / RANKS_FILE).ranks_C)
    assert shown == [each.shown["tillside"] for each in read_examples(folder / TABLE_FILE)]
    assert shares == {"targets_by_attributes": 0, "targets_missed": 0}


class Killed(BaseException):
    """What a kill looks like from inside."""


def test_a_killed_retraining_goes_on_to_the_same_weights(
    shop: TrackingConfig, retrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between fit and refit; the refit begins with the base model's weights again."""
    runs = replace(shop, runs=str(tmp_path / "runs"), model="tillside", register=False)

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(recipe, "choose", die)
        with pytest.raises(Killed):
            retrain(settings(runs, Path(shop.runs).parent / "new.csv", export=False))
    (folder,) = [path.parent for path in Path(runs.runs).glob("*/config.yaml")]
    train(TrainConfig(resume=folder.name, tracking=runs))
    found, whole = (torch.load(path / "model.pt", weights_only=True)["state"] for path in (folder, retrained))
    assert all(torch.equal(found[name], whole[name]) for name in whole)
    assert (folder / COMPARISON_FILE).read_text() == (retrained / COMPARISON_FILE).read_text()


@pytest.mark.parametrize(
    ("hours", "given", "words"),
    [
        (200, {"from_": "models:/nobody@champion"}, r"MLflow at sqlite.*nobody"),
        (200, {"from_": "models:/tillside/9"}, r"MLflow at sqlite.*version=9"),
        (200, {"from_": "tillside"}, r"named models:/NAME@ALIAS or models:/NAME/VERSION, got 'tillside'"),
        (100, {}, r"the log ends at .*, and models:/tillside/1 had one until .*; give a log with newer events"),
        (101, {}, r"models:/tillside/1 learned from sessions until .*, but the validation part begins at"),
    ],
    ids=["no such model", "no such version", "no name", "nothing newer", "overlap"],
)
def test_what_cannot_be_compared_honestly_is_refused_before_a_run_begins(
    shop: TrackingConfig, tmp_path: Path, hours: int, given: dict[str, Any], words: str
) -> None:
    """And of the prepared log nothing stays."""
    here = replace(shop, runs=str(tmp_path / "runs"))
    log = circle_log(tmp_path / "log.csv", hours, joined_after=10**6)
    with pytest.raises(ValueError, match=words) as refused:
        retrain(settings(here, log, **given))
    assert "\n" not in str(refused.value)
    left: Sequence[Path] = [path for path in Path(here.runs).rglob("*") if path.name != "datasets"]
    assert not left


def test_from_must_be_given() -> None:
    with pytest.raises(ValueError, match=r"from must be given, as from=models:/NAME@champion"):
        RetrainConfig()
