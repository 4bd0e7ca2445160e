"""What is learned from a batch: every question of every position, each the mean it says it is."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.datasets import make_sessions, random_rows
from tests.models import SPEC, make_model, random_batch
from tillside.encoding.sessions import rows_of
from training.inputs.batches import TrainingBatch, TrainingRows
from training.learning.lightning_module import NextItemModule
from training.settings.loss import LossConfig, Softmax
from training.settings.optimizer import OptimizerConfig

ITEMS = 12
ROWS = random_rows(12, items=ITEMS, longest=12, seed=3)


def make_batch(*, goal: int = 2) -> TrainingBatch:
    rows = TrainingRows(make_sessions(ROWS), spec=SPEC, items=ITEMS, goal=goal)
    return rows.batch(torch.arange(len(rows)).numpy())


def item_loss(batch: TrainingBatch, **loss: Any) -> float:
    module = NextItemModule(
        make_model(items=ITEMS),
        loss=LossConfig(**loss),
        optimizer=OptimizerConfig(),
        counts_N=torch.ones(ITEMS),
        fallback=None,
        intent=False,
    )
    with torch.no_grad():
        return float(module.losses(batch)[0])


def by_single_questions(*, look_ahead: float) -> float:
    """The same from plain lists: each prefix sent alone through what is exported, one question at a time."""
    model = make_model(items=ITEMS)
    total = weights = 0.0
    encoded = TrainingRows(make_sessions(ROWS), spec=SPEC, items=ITEMS, goal=2)
    behaviours, items = encoded.encoded.behaviours.tolist(), encoded.encoded.items.tolist()
    starts = torch.tensor([0, *(len(row) for row in ROWS)]).cumsum(0).tolist()
    for row, end, first in zip(encoded.starts, encoded.ends, encoded.first_targets, strict=True):
        session_end = min(stop for stop in starts if stop >= end)
        for target in range(first, end):
            questions = [(behaviours[target], target)]
            for stronger in (1, 2):
                later = [at for at in range(target, session_end) if behaviours[at] == stronger]
                questions += [(stronger, later[0])] if later and later[0] > target else []
            start_B, end_B = np.array([row]), np.array([target])
            prefix = rows_of(encoded.encoded, start_B, end_B, start_B, spec=SPEC)
            inputs = [torch.from_numpy(a) for a in (prefix.items_BL, prefix.behaviours_BL, prefix.gaps_BL)]
            for ask, place in questions:
                weight = 1.0 if place == target else look_ahead ** (place - target)
                with torch.no_grad():
                    vectors_ND = model.items()
                    lengths_B = torch.from_numpy(prefix.lengths_B)
                    counts = map(torch.from_numpy, prefix.counted(3))
                    given = (*inputs[1:], lengths_B, torch.tensor([ask]), *counts)
                    query_BD, _ = model.encoder(vectors_ND[inputs[0]], *given)
                    loss = functional.cross_entropy(query_BD @ vectors_ND.T, torch.tensor([items[place]]))
                total, weights = total + weight * float(loss), weights + weight
    return total / weights


@pytest.mark.parametrize("look_ahead", [0.0, 0.5, 1.0])
def test_every_question_counts_as_much_as_the_config_says(look_ahead):
    batch = make_batch()
    assert len(batch.ahead_rows_R) > 5
    expected = by_single_questions(look_ahead=look_ahead)
    assert item_loss(batch, look_ahead=look_ahead) == pytest.approx(expected, abs=1e-5)


def test_without_stronger_behaviours_looking_ahead_changes_nothing():
    batch = make_batch(goal=0)
    assert item_loss(batch, look_ahead=0.5) == item_loss(batch, look_ahead=0.0)


def test_a_sampled_pool_learns_the_same_questions():
    """A pool that draws every item many times over estimates the full softmax."""
    torch.manual_seed(0)
    batch = make_batch()
    full, next_only = item_loss(batch, look_ahead=1.0), item_loss(batch, look_ahead=0.0)
    assert abs(full - next_only) > 0.05
    sampled = item_loss(batch, look_ahead=1.0, softmax=Softmax.sampled, pool=60_000, uniform_share=1.0)
    assert sampled == pytest.approx(full, abs=0.02)


@pytest.mark.parametrize("repeats", [True, False])
def test_validation_leaves_out_what_a_session_holds_where_repeats_are_rare(repeats):
    module = NextItemModule(
        make_model(items=ITEMS),
        loss=LossConfig(),
        optimizer=OptimizerConfig(),
        counts_N=torch.ones(ITEMS),
        fallback=None,
        intent=False,
        repeats=repeats,
    )
    module.on_validation_epoch_start()
    batch = random_batch([1, 3])
    scores_BV = module.scorer.score(batch, np.zeros(2, np.int64))
    seen = [set(batch.items_BL[row, :length].tolist()) for row, length in enumerate((1, 3))]
    left_out = [set(np.flatnonzero(np.isneginf(row)).tolist()) for row in scores_BV]
    assert left_out == ([set(), set()] if repeats else seen)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_beyond_its_range_is_refused(value):
    with pytest.raises(ValueError, match=rf"loss.look_ahead must be from 0 to 1, got {value}"):
        LossConfig(look_ahead=value)
