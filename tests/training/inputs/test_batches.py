"""Training batches: each event learned once, within the budget, the same again for the same (seed, epoch)."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_sessions, make_visits, random_rows
from tillside.encoding.spec import EncodingSpec
from training.inputs.batches import TrainingBatch, TrainingLoader, TrainingRows

PURCHASE = 2


def make_rows(rows, *, max_length: int = 50, items: int = 1000, collapse: bool = False) -> TrainingRows:
    spec = EncodingSpec(max_length=max_length, collapse_repeats=collapse)
    return TrainingRows(make_sessions(rows), spec=spec, items=items, goal=PURCHASE)


def make_loader(
    rows: TrainingRows, *, budget: int = 16, seed: int = 0, rank: int = 0, world: int = 1
) -> TrainingLoader:
    return TrainingLoader(rows, budget=budget, seed=seed, rank=rank, world=world)


def learned(batches: list[TrainingBatch]) -> Counter[int]:
    return Counter(item for batch in batches for item in batch.target_items_BL[batch.learn_BL].tolist())


def contents(batches: list[TrainingBatch]) -> list[list]:
    return [[batch.items_BL.tolist(), batch.target_items_BL.tolist()] for batch in batches]


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    return make_rows(random_rows(60, items=1000, longest=12))


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=8), st.integers(1, 6), st.integers(1, 40))
def test_every_event_after_the_first_of_its_session_is_learned_once(lengths, max_length, budget):
    numbers = iter(range(1000))
    sessions = [[next(numbers) for _ in range(length)] for length in lengths]  # every event has its own item
    training = make_rows(sessions, max_length=max_length)
    expected = Counter(item for session in sessions for item in session[1:])
    assert training.targets == expected.total()
    if not len(training):
        return
    batches = list(make_loader(training, budget=budget))
    assert learned(batches) == expected
    for batch in batches:
        rows_B, columns_L = np.nonzero(batch.learn_BL.numpy())
        for row, column in zip(rows_B, columns_L, strict=True):
            target, inputs = int(batch.target_items_BL[row, column]), batch.items_BL[row, : column + 1].tolist()
            session = next(session for session in sessions if target in session)
            place = session.index(target)
            assert inputs == session[place - len(inputs) : place]  # what is read is what stands right before the target
            assert len(inputs) <= max_length
            assert len(inputs) >= min(place, max_length - max_length // 2)  # and never much less than may be read


def test_a_long_session_by_hand():
    # 8 events, rows of 4 inputs and a target: events 0-4, then the last two targets of each row that steps on by 2
    training = make_rows([list(range(8))], max_length=4)
    assert training.starts.tolist() == [0, 2, 3]
    assert training.ends.tolist() == [5, 7, 8]
    assert training.first_targets.tolist() == [1, 5, 7]
    batch = training.batch(np.array([1]))
    assert batch.items_BL.tolist() == [[2, 3, 4, 5]]
    assert batch.target_items_BL.tolist() == [[3, 4, 5, 6]]
    assert batch.learn_BL.tolist() == [[False, False, True, True]]
    assert batch.gaps_BL[0, 0] == 0  # as it is when only these events are sent


def test_goal_later_says_whether_a_purchase_comes_after_the_event():
    training = make_rows([[0, (1, "purchase"), (2, "cart")], [3, 4], [5, (6, "purchase"), (7, "purchase")]])
    assert training.reaches_goal
    assert not make_rows([[0, 1], [(2, "purchase"), 3]]).reaches_goal  # nothing stands before that one
    assert training.batch(np.array([2])).goal_later_BL.tolist() == [[True, True]]
    batch = training.batch(np.array([0, 1]))
    assert batch.goal_later_BL[batch.learn_BL].tolist() == [True, False, False]
    assert batch.target_behaviours_BL.tolist() == [[2, 1], [0, 0]]
    assert batch.learn_BL.tolist() == [[True, True], [True, False]]


def test_goal_later_counts_purchases_of_items_that_were_dropped():
    """Session 0 went on to buy something rare; of session 1 an unknown item is dropped here, and its neighbours' labels
    stay with them."""
    sessions = make_sessions([[0, 1], [2, 9, 3, 4]])
    told = replace(sessions, optional={"goals_later": np.array([1, 1, 1, 1, 0, 0], np.uint8)})
    training = TrainingRows(told, spec=EncodingSpec(max_length=50), items=9, goal=PURCHASE)
    batch = training.batch(np.array([0, 1]))
    assert batch.goal_later_BL[batch.learn_BL].tolist() == [True, True, False]
    assert training.reaches_goal
    assert not TrainingRows(sessions, spec=EncodingSpec(max_length=50), items=9, goal=PURCHASE).reaches_goal


def test_with_a_history_the_events_of_earlier_visits_ask_whether_this_one_buys():
    visits = make_visits([(7, 9, [(0, "click"), (1, "purchase")]), (7, 9, [(2, "click"), (3, "click")])])
    optional = {**visits.optional, "goals_later": np.array([1, 0, 0, 0], np.uint8)}
    spec = EncodingSpec(max_length=50, history=4)
    training = TrainingRows(replace(visits, optional=optional), spec=spec, items=9, goal=PURCHASE)
    batch = training.batch(np.array([1]))
    assert batch.items_BL.tolist() == [[0, 1, 2]]
    assert batch.learn_BL.tolist() == [[False, True, True]]
    assert batch.goal_later_BL[batch.learn_BL].tolist() == [False, False]


def test_items_out_of_the_catalogue_and_sessions_of_one_event_are_left_out():
    training = make_rows([[0, 9, 1], [9, 2], [], [3], [3, 3]], items=4)
    batch = training.batch(np.arange(len(training)))
    assert batch.items_BL.tolist() == [[0], [3]]
    assert batch.target_items_BL.tolist() == [[1], [3]]
    assert len(make_rows([[3, 3]], collapse=True)) == 0


@pytest.mark.parametrize("budget", [1, 7, 16, 10_000])
def test_batches_stay_within_the_budget_of_padded_events_and_hold_one_row_at_least(rows, budget):
    batches = list(make_loader(rows, budget=budget))
    for batch in batches:
        assert batch.items_BL.numel() <= budget or len(batch.items_BL) == 1
        assert batch.learn_BL.any(dim=1).all()
    assert sum(len(batch.items_BL) for batch in batches) == len(rows)


def test_batches_are_filled(rows):
    batches = list(make_loader(rows, budget=64))
    cheapest = sum(batch.items_BL.numel() for batch in batches) / 64
    assert len(batches) <= 1.5 * cheapest


def test_padding_share_by_hand():
    # inputs of 1, 2, 2 and 4 events, budget 6: batches [1, 2, 2] padded to 6 and [4]; 9 real of 10
    training = make_rows([[0] * 2, [0] * 3, [0] * 3, [0] * 5])
    loader = make_loader(training, budget=6)
    assert sorted(tuple(batch.items_BL.shape) for batch in loader) == [(1, 4), (3, 2)]
    assert loader.padding_share == pytest.approx(1 / 10)


def test_padding_share_is_what_the_batches_show(rows):
    loader = make_loader(rows, budget=64)
    batches = list(loader)
    padded = sum(batch.items_BL.numel() for batch in batches)
    assert loader.padding_share == pytest.approx(1 - (rows.ends - rows.starts - 1).sum() / padded)


def test_epochs_have_as_many_batches_as_promised_and_another_order(rows):
    loader = make_loader(rows)
    epochs = [list(loader) for _ in range(3)]
    assert [len(epoch) for epoch in epochs] == [len(loader)] * 3
    assert contents(epochs[0]) != contents(epochs[1]) != contents(epochs[2])
    assert learned(epochs[0]) == learned(epochs[1]) == learned(epochs[2])
    compositions = [sorted(batch.items_BL.tolist() for batch in epoch) for epoch in epochs]
    assert compositions[0] != compositions[1]  # rows meet other rows, not only batches in another order


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_do_not(rows):
    loader = make_loader(rows, seed=5)
    epochs = [contents(list(loader)) for _ in range(2)]
    resumed = make_loader(rows, seed=5)
    resumed.epoch = 1
    assert contents(list(resumed)) == epochs[1]
    assert contents(list(make_loader(rows, seed=5))) == epochs[0]
    assert contents(list(make_loader(rows, seed=6))) != epochs[0]


def test_a_resumed_epoch_goes_on_after_the_batches_that_were_done(rows):
    whole = contents(list(make_loader(rows)))
    loader = make_loader(rows)
    loader.skip = 3
    assert contents(list(loader)) == whole[3:]
    assert len(list(loader)) == len(loader)  # the next epoch is whole again


@pytest.mark.parametrize("world", [2, 3, 4])
def test_processes_share_the_batches_evenly_and_leave_none_out(rows, world):
    whole = contents(list(make_loader(rows)))
    shares = [contents(list(make_loader(rows, rank=rank, world=world))) for rank in range(world)]
    assert {len(share) for share in shares} == {-(-len(whole) // world)}
    together = [batch for share in shares for batch in share]
    assert all(batch in together for batch in whole)
    assert len(together) - len(whole) < world  # the last round is filled up, nothing else is seen twice


def test_batches_are_int64_and_move_to_a_device_whole(rows):
    batch = next(iter(make_loader(rows)))
    assert batch.items_BL.dtype == batch.behaviours_BL.dtype == batch.gaps_BL.dtype == torch.int64
    assert batch.learn_BL.dtype == batch.goal_later_BL.dtype == torch.bool
    assert batch.to(torch.device("meta")).learn_BL.device.type == "meta"


def asked_ahead(batches: list[TrainingBatch]) -> Counter[tuple[int, int, int, int]]:
    """What stands at the position, the behaviour asked for there, the target's item, and how far on it is."""
    asked: Counter[tuple[int, int, int, int]] = Counter()
    for batch in batches:
        rows, columns = np.nonzero(batch.ahead_steps_RL.numpy())
        for row, column in zip(rows, columns, strict=True):
            here = int(batch.items_BL[batch.ahead_rows_R[row], column])
            behaviour, item = int(batch.ahead_behaviours_R[row]), int(batch.ahead_items_RL[row, column])
            asked[here, behaviour, item, int(batch.ahead_steps_RL[row, column])] += 1
    return asked


def test_look_ahead_by_hand():
    training = make_rows([[0, 1, (1, "cart"), 2, (1, "purchase"), (2, "cart")], [3, 4], [5, 6, (7, "purchase")]])
    batch = training.batch(np.array([0, 2]))
    assert batch.ahead_rows_R.tolist() == [0, 0, 1]  # the first row asked for carts and purchases, the last for those
    assert batch.ahead_behaviours_R.tolist() == [1, 2, 2]
    # once 1 is in the cart its purchase is nothing else, neither later on nor as the very next event
    assert batch.ahead_steps_RL.tolist() == [[2, 0, 3, 2, 0], [4, 3, 0, 0, 0], [2, 0, 0, 0, 0]]
    assert batch.ahead_items_RL.tolist() == [[1, 0, 2, 2, 0], [1, 1, 0, 0, 0], [7, 0, 0, 0, 0]]
    assert batch.learn_BL.tolist() == [[True] * 5, [True, True, False, False, False]]
    assert batch.asks_BL.tolist() == [[True, True, True, False, True], [True, True, False, False, False]]
    assert training.targets == 4 + 1 + 2


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 40))
def test_each_position_looks_ahead_once_for_each_stronger_behaviour_however_rows_overlap(seed, max_length, budget):
    numbers = iter(range(1000))
    drawn = random_rows(8, items=1, longest=15, seed=seed)
    sessions = [[(next(numbers), *event[1:]) for event in session] for session in drawn]
    expected: Counter[tuple[int, int, int, int]] = Counter()
    for session in sessions:
        for place, event in enumerate(session):
            for behaviour, name in ((1, "cart"), (2, "purchase")):
                later = [at for at in range(place + 1, len(session)) if session[at][1] == name]
                if later and later[0] > place + 1:
                    expected[event[0], behaviour, session[later[0]][0], later[0] - place] += 1
    training = make_rows(sessions, max_length=max_length)
    assert asked_ahead(list(make_loader(training, budget=budget))) == expected


def test_a_log_of_one_behaviour_is_not_looked_ahead_in():
    sessions = make_sessions([[0, 1, 2], [3, 4]])
    training = TrainingRows(sessions, spec=EncodingSpec(), items=1000, goal=0)
    batch = training.batch(np.arange(len(training)))
    assert len(batch.ahead_rows_R) == len(batch.ahead_behaviours_R) == 0
    assert batch.ahead_items_RL.shape == batch.ahead_steps_RL.shape == (0, batch.items_BL.shape[1])
