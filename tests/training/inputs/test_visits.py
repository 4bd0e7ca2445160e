"""Returning shoppers: what stands before a session offline is what a caller would send, and is never learned twice."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_dataset, make_sessions, make_visits
from tests.logs import click_run, write_log
from tillside.encoding.batch import Batch
from tillside.encoding.live import encode_session
from tillside.encoding.sessions import cut_before
from tillside.encoding.spec import EncodingSpec
from training.inputs.batches import TrainingLoader, TrainingRows
from training.inputs.cases import cases_of, opening_cases
from training.inputs.datamodule import SessionData
from training.inputs.visits import Visits, encode_visits, refuse_history
from training.settings.model import ModelConfig
from training.settings.split import SplitConfig
from training.stages.prepare import prepare

KNOWN = 4
VISITS = st.lists(
    st.tuples(
        st.integers(-1, 2),  # the shopper
        st.integers(1, 3),  # minutes since the session before ended; a session of several events may reach back over it
        st.lists(st.tuples(st.integers(0, KNOWN), st.sampled_from(["click", "cart"])), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=8,
)


def lists(batch: Batch) -> list[list]:
    arrays = (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B, batch.own_B, *batch.counted(2))
    return [array.tolist() for array in arrays]


@settings(deadline=None)
@given(VISITS, st.integers(1, 5), st.booleans(), st.integers(0, 7))
def test_what_stands_before_an_event_is_what_history_and_session_are_live(visits, history, collapse, first):
    spec = EncodingSpec(max_length=6, collapse_repeats=collapse, history=history)
    sessions = make_visits(visits)
    first = min(first, len(sessions) - 1)
    part = sessions.slice(first, len(sessions))
    encoded = encode_visits(part, spec=spec, known_items=KNOWN, whole=sessions)
    laid, skipped = Visits.of(sessions), int(sessions.offsets[first])
    for session in range(first, len(sessions)):
        before = laid.before(session)
        for event in range(int(sessions.offsets[session]), int(sessions.offsets[session + 1])):
            places = np.concatenate([before, np.arange(sessions.offsets[session], event)])
            columns = (sessions.items[places], sessions.behaviours[places], sessions.times[places])
            live = encode_session(*columns, spec=spec, known_items=KNOWN, earlier=len(before))
            offline = cut_before(encoded, np.array([event - skipped]), spec=spec)
            assert lists(offline) == lists(live)
            assert offline.before(0).tolist() == live.before(0).tolist()
            if not collapse:
                assert live.before(0).tolist() == [item for item in sessions.items[before] if item < KNOWN]


def test_a_past_is_the_same_shoppers_finished_sessions():
    click = "click"
    sessions = make_visits(
        [
            (7, 1, [(0, click)]),
            (8, 1, [(1, click)]),
            (7, 1, [(2, click), (3, click)]),
            (-1, 1, [(0, click)]),
            (7, 1, [(1, click)]),
            (8, 1, [(2, click)] * 9),  # began before all others of 8 ended
            (-1, 1, [(0, click)]),
            (8, 1, [(3, click)]),
        ]
    )
    pasts = [sessions.items[Visits.of(sessions).before(session)].tolist() for session in range(len(sessions))]
    assert pasts == [[], [], [0], [], [0, 2, 3], [], [], [2] * 9]


@settings(deadline=None)
@given(VISITS, st.integers(1, 5), st.integers(1, 30))
def test_each_event_that_something_stands_before_is_learned_once_behind_its_past(visits, history, budget):
    numbers = iter(range(1000))
    visits = [(user, gap, [(next(numbers), behaviour) for _, behaviour in events]) for user, gap, events in visits]
    sessions, spec = make_visits(visits), EncodingSpec(max_length=6, history=history)
    training = TrainingRows(sessions, spec=spec, items=1000, goal=1)
    rows = [[item for item, _ in events] for _, _, events in visits]
    laid = Visits.of(sessions)
    pasts = [sessions.items[laid.before(session)].tolist() for session in range(len(rows))]
    expected = Counter(item for row, past in zip(rows, pasts, strict=True) for item in row[0 if past else 1 :])
    assert training.targets == expected.total()
    if not len(training):
        return
    learned = Counter()
    for batch in TrainingLoader(training, budget=budget, seed=0):
        for row, column in np.argwhere(batch.learn_BL.numpy()):
            target, inputs = int(batch.target_items_BL[row, column]), batch.items_BL[row, : column + 1].tolist()
            session = next(number for number, events in enumerate(rows) if target in events)
            place = rows[session].index(target)
            seen = (pasts[session][-history:] + rows[session][:place])[-6:]
            assert inputs == seen[-len(inputs) :]
            assert len(inputs) >= min(len(seen), 3)  # rows after a long session's first may begin half a row back
            later = [behaviour for _, behaviour in visits[session][2][place:]]
            assert bool(batch.goal_later_BL[row, column]) == ("cart" in later)
            learned[target] += 1
    assert learned == expected


def test_history_is_refused_where_there_is_none(tmp_path: Path):
    with pytest.raises(ValueError, match=r"model\.history needs to know which sessions are of one shopper"):
        encode_visits(make_sessions([[0, 1]]), spec=EncodingSpec(history=5), known_items=KNOWN)
    dataset = make_dataset(tmp_path / "every", train=[[0, 1]], test=[[0, 1]], trained=KNOWN)
    refuse_history(5, dataset)
    left_out = replace(dataset, validation_cases="last")
    refuse_history(0, left_out)
    with pytest.raises(ValueError, match=r"model\.history must be 0, got 5: .* leaving one out"):
        refuse_history(5, left_out)
    with pytest.raises(ValueError, match=r"model\.history must be from 0 to 49, below model\.max_length, got 50"):
        ModelConfig(history=50)


def test_a_visit_of_one_event_is_history_and_no_target(tmp_path: Path):
    """Each of ten shoppers looks at a single item and comes back for two others: the first visit stands before the
    second in training, validation and test, for the model as for whoever sends history to a server."""
    rows = []
    for user in range(10):
        came, back = 100 * user, 1000 + 100 * user
        rows += [f"u{user}-1,u{user},a{user % 2},{came}"]
        rows += [f"u{user}-2,u{user},b{user % 2},{back}", f"u{user}-2,u{user},c,{back + 5}"]
    log = write_log(tmp_path / "log.csv", "session_id,user_id,item_id,timestamp", *rows)
    dataset = prepare(click_run(log, split=SplitConfig(validation=0.1, test=0.2)))
    # Twenty visits; by their ends the last four are of the test, the two before of the validation part.
    assert [len(dataset.part(part)) for part in ("train", "validation", "test")] == [4, 2, 4]
    assert [len(dataset.short(part)) for part in ("train", "validation", "test")] == [10, 0, 0]
    spec, ids = EncodingSpec(history=5), dataset.catalogue.item_ids

    data = SessionData(dataset, spec=spec, batch_events=64, validation_cases=99, seed=0)
    [batch] = TrainingLoader(data.rows, budget=64, seed=0)
    # Of four sessions both events are targets, the first one behind the earlier visit; no visit of one event is.
    assert data.rows.targets == 4 * 2
    learned = zip(batch.items_BL.tolist(), batch.target_items_BL.tolist(), strict=True)
    told = sorted([[ids[item] for item in row] for each in learned for row in each])
    assert told == sorted([["a0", "b0"], ["b0", "c"], ["a1", "b1"], ["b1", "c"]] * 2)

    cases = cases_of(dataset, "test", spec=spec)
    assert (len(cases), cases.prefix_lengths_C.tolist()) == (4, [1] * 4)
    openings = opening_cases(dataset.part("test"), cases)
    history = openings.batch(np.arange(len(openings)))
    assert [ids[item] for item in history.items_BL[:, 0]] == ["a0", "a1", "a0", "a1"]
    assert [ids[item] for item in openings.targets_C] == ["b0", "b1", "b0", "b1"]
    laid = Visits.of(dataset.sessions)
    for session in range(4):
        [event] = laid.before(dataset.parts["test"][0] + session)
        assert ids[dataset.sessions.items[event]] == f"a{session % 2}"
