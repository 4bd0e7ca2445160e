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

from tests.datasets import START_MS, make_dataset, random_rows
from tests.logs import circle_log
from tillside.dataset import load_dataset
from training.data.readers.events import EventsConfig
from training.evaluation.case_ranks import RANKS_FILE, Ranks, ranks_beside
from training.evaluation.sample_sessions import SHOWN, TABLE_FILE, read_examples
from training.learning import recipe
from training.learning.warm_start import BaseModel, first_end
from training.review.comparison import COMPARISON_FILE, ask_base
from training.review.markdown import GAP
from training.settings.model import ModelConfig
from training.settings.prepare import PrepareConfig
from training.settings.promote import PromoteConfig
from training.settings.retrain import RetrainConfig
from training.settings.tracking import TrackingConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig
from training.stages.prepare import prepare
from training.stages.promote import promote
from training.stages.retrain import related_like, retrain
from training.stages.train import train
from training.tracking.store import open_store

pytestmark = pytest.mark.slow

HOUR_S = 3600


# The whole way: a circle of items, walked two steps at a time, one session an hour; two items join in the newer log.


@pytest.fixture(autouse=True)
def _alone(one_thread: None, module_without_figures: None) -> None:
    """Every test here, by conftest's fixtures."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, module_without_figures: None) -> TrackingConfig:
    """A store whose champion was trained on the first 100 hours."""
    folder = tmp_path_factory.mktemp("shop")
    torch.set_num_threads(1)
    tracking = TrackingConfig(runs=str(folder / "runs"), uri=f"sqlite:///{folder}/mlflow.db", model="tillside")
    log = circle_log(folder / "old.csv", 100, joined_after=10**6)
    prepare(PrepareConfig(out=str(folder / "old"), data=EventsConfig(path=str(log)), name="circles"))
    config = TrainConfig(
        dataset=str(folder / "old"),
        model=ModelConfig(dim=16, layers=2, heads=2, max_length=8, dropout=0.1, item_dropout=0.1),
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


def test_relations_are_mined_as_the_champion_s_were(tmp_path: Path) -> None:
    """What this version does not know is passed over; rules that ship are found wherever they lay then."""
    rows = random_rows(8, items=4, seed=1)
    dataset = make_dataset(tmp_path / "d", train=rows, test=rows, trained=4)
    known = {"least": 3, "validation": False, "of a newer version": 1, "rules": "/elsewhere/electronics.yaml"}
    found = related_like(known, dataset)
    assert (found.dataset, found.least, found.validation) == (str(dataset.path), 3, False)
    assert Path(str(found.rules)).is_file()
    assert Path(str(found.rules)).name == "electronics.yaml"
    for name in ("rules", "manual"):
        told = f"the champion's relations were mined with {name}=/elsewhere/own.yaml, which is not there: put it back"
        with pytest.raises(ValueError, match=told):
            related_like({name: "/elsewhere/own.yaml"}, dataset)
