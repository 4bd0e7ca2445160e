"""The factor on cold items' likeness, tuned on trained items made cold: above 0 where like follows like."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.datasets import make_dataset, make_sessions
from tillside.encoding.sessions import cut_before, encode_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood, Popularity, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory
from training.evaluation.scorers import Among
from training.learning.cold_items import FACTORS, learn_cold_factor
from training.learning.recipe import held_out
from training.learning.training_setup import TrainingSetup
from training.settings.model import ModelConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS, EACH = 8, 8
ITEMS = KINDS * EACH
TOKENS = [[f"kind={item % KINDS}"] for item in range(ITEMS)]


def sessions(count: int, *, step: int, seed: int) -> list[list[int]]:
    """Sessions of four items whose kinds go up by ``step``, modulo KINDS."""
    rng = np.random.default_rng(seed)
    first, places = rng.integers(0, KINDS, count), rng.integers(0, EACH, (count, 4))
    kinds = (first[:, None] + step * np.arange(4)) % KINDS
    rows: list[list[int]] = (places * KINDS + kinds).tolist()
    return rows


def learned(folder, *, step: int, tokens=TOKENS, weight: float = 2.0) -> SessionMemory:
    """Blend tuned beside an untrained model, whose scores are noise."""
    dataset = make_dataset(
        folder / "d",
        train=sessions(300, step=step, seed=1),
        validation=sessions(100, step=step, seed=2),
        test=[[0, 1]],
        trained=ITEMS,
        tokens=tokens,
    )
    model = ModelConfig(dim=8, layers=1, heads=2, max_length=8, temperature=1.0)
    setup = TrainingSetup.prepare(TrainConfig(model=model, trainer=TrainerConfig(progress_bar=False)), dataset)
    index = SessionNeighbours.fit(dataset.part("train"), items=ITEMS, settings=Neighbourhood())
    memory = SessionMemory.of(index, Blend((weight,) * 3, 0.01, ((0.0,),) * 3, alike=(0.7, 0.7)), dataset.catalogue)
    setup.module.eval()
    cases = setup.data.validation
    train, fallback, nothing_R = dataset.part("train"), setup.fallback, np.zeros(ITEMS, np.bool_)
    found = learn_cold_factor(setup.module.model, memory, train, cases, fallback=fallback, absent_R=nothing_R)
    kept = replace(found, blend=replace(found.blend, alike=(found.blend.alike[0], 0.7)))
    assert kept.blend == memory.blend  # all else stays, and no item is new any more
    assert [getattr(kept, name) is getattr(memory, name) for name in ("neighbours", "likeness", "new_R")] == [True] * 3
    return found


def test_where_like_follows_like_a_new_item_gets_votes(tmp_path):
    memory = learned(tmp_path, step=0)
    assert memory.blend.alike[1] in FACTORS
    assert not memory.new_R.any()  # they were new for a while only


def test_where_something_else_follows_it_gets_none(tmp_path):
    assert learned(tmp_path, step=1).blend.alike == (0.7, 0.0)


def test_without_attributes_or_weight_there_is_nothing_to_learn(tmp_path):
    assert learned(tmp_path / "bare", step=0, tokens=()).blend.alike == (0.7, 0.7)
    assert learned(tmp_path / "alone", step=0, weight=0.0).blend.alike == (0.7, 0.7)


def test_items_held_out_are_not_in_the_shop_before_the_test_part(tmp_path):
    rows = {"train": [[0, 1]], "validation": [[0, 3]], "test": [[0, 2], [1, 4]]}
    for share, absent in ((0.1, [False, False, True, False]), (0.0, [False] * 4)):
        config = {"holdout_items": share}
        dataset = make_dataset(
            tmp_path / f"{share}", **rows, trained=2, newcomers=3, tokens=[["a=1"]] * 4 + [[]], config=config
        )
        assert held_out(dataset).tolist() == absent
    session, spec = make_sessions([[0, 1]]), EncodingSpec()
    columns = (session.items, session.behaviours, session.times, session.offsets)
    after_one = cut_before(encode_sessions(*columns, spec=spec, known_items=4), np.array([1]), spec=spec)
    whole = Popularity(np.array([[3, 2, 9, 1]], np.float32))
    shown = Among(whole, np.array([True, True, False, True])).score(after_one, np.zeros(1, np.int64))
    assert shown.tolist() == [[3, 2, -np.inf, 1]]


def test_an_item_made_new_keeps_its_attributes_alone(tmp_path):
    dataset = make_dataset(
        tmp_path / "d",
        train=[[0, 1, 2, 3]],
        validation=[[0, 1]],
        trained=4,
        tokens=[["a=1"], ["a=1"], ["b=1"], ["b=1"]],
    )
    model = TrainingSetup.prepare(TrainConfig(model=ModelConfig(dim=8, layers=1, heads=2)), dataset).module.model
    with torch.inference_mode():
        rows, changed = model.items(), model.items(torch.tensor([True, False, False, True]))
        tokens = torch.nn.functional.normalize(model.items.token.weight, dim=1)
    assert torch.equal(changed[1:3], rows[1:3])
    torch.testing.assert_close(changed[[0, 3], :-1], tokens)
    assert changed[[0, 3], -1].tolist() == [0, 0]
    assert not torch.allclose(changed[0], rows[0])
