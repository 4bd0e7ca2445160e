"""How much past sessions count, chosen from cases worked out by hand; the grids are the test's own."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tillside.encoding.sessions import cut_before, encode_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood, Popularity, SessionNeighbours
from tillside.recommenders.blend import Blend
from training.evaluation.scorers import NeighbourScorer
from training.inputs.cases import make_cases
from training.learning import blend as blend_search
from training.learning.blend import choose_neighbours, learn_blend, learn_memory
from training.learning.blend_candidates import Entries

CLICK, CART = 0, 1
MISSED = "missed"
NONE = (0.0, 0.0, 0.0)
"""Repeats that change nothing."""
TRENDING = {(0.0, 0.0, 3): 3.0, (2.5, 0.0, 3): -3.0}
"""Trends of the entries that have one."""


@pytest.fixture(autouse=True)
def _grids(monkeypatch):
    monkeypatch.setattr(blend_search, "WEIGHTS", (0.0, 1.0, 2.0))
    monkeypatch.setattr(blend_search, "TREND_WEIGHTS", (0.0, 0.5, 1.0))
    monkeypatch.setattr(blend_search, "FLOORS", (0.001, 0.1))
    monkeypatch.setattr(blend_search, "MIN_CASES", 1)
    monkeypatch.setattr(blend_search, "REPEATS", 3)
    monkeypatch.setattr(blend_search, "BONUSES", (0.0, 2.0, -2.0))


def entries_of(*cases) -> Entries:
    """A case is what it is asked for and its entries, the target's first; or MISSED: it has none.

    An entry is its score, its share and, where the session holds it, how many events ago.
    """
    rows = [[(*entry, blend_search.REPEATS)[:3] for entry in entries if entry != MISSED] for _, *entries in cases]
    offsets_C = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.array([entry for row in rows for entry in row], np.float32).reshape(-1, 3)
    target_C = [-1 if MISSED in case else start for case, start in zip(cases, offsets_C[:-1], strict=True)]
    asked_C = np.array([ask for ask, *_ in cases], np.int64)
    back_E = columns[:, 2].astype(np.int64)
    trends_E = np.array([TRENDING.get(entry, 0.0) for row in rows for entry in row], np.float32)
    arrays = (columns[:, 0], columns[:, 1], back_E, trends_E, np.zeros_like(trends_E))
    return Entries(offsets_C, *arrays, np.array(target_C, np.int64), asked_C)


HELPS = (0.0, 0.3), (1.0, 0.0)
"""The neighbours name the target. With weight 1 it gains log(1 + 0.3 / 0.1) = 1.39 and passes the rival's 1."""
HARMS = (1.0, 0.0), (0.0, 0.3)
"""They name the rival alone."""
FAINT = (0.5, 0.0), (0.0, 0.003)
"""They hardly name the rival: log(1 + 3) = 1.39 lets it pass with a floor of 0.001, log(1.03) = 0.03 with 0.1 not."""
LEFT = (0.0, 0.0), (1.0, 0.0, 0)
"""The rival is the session's latest item, and it does not come again."""
BACK = (0.0, 0.0, 1), (1.0, 0.0), (-5.0, 0.0, 0)
"""The target is the item before the last; the last one is out of the race with any bonus."""


def test_each_behaviour_takes_the_weight_that_ranks_its_cases_best_the_smaller_of_equals():
    # clicks: weight 0 has rank 2, 1 and 2 have rank 1; purchases: rank 1 with 0 only
    blend = learn_blend(entries_of((CLICK, *HELPS), (CART, *HARMS)), behaviours=2)[1]
    assert blend.weights == (1.0, 0.0)
    assert blend.repeats == (NONE, NONE)


def test_the_floor_is_the_one_that_the_whole_ranks_best_with():
    # 0.001: weight 0 has 1/2 + 1, weight 1 has 1 + 1/2. 0.1: weight 1 has 1 + 1
    assert learn_blend(entries_of((CLICK, *HELPS), (CLICK, *FAINT)), behaviours=1)[1] == Blend((1.0,), 0.1, (NONE,))
    # HELPS alone is level, and the smaller of equals is taken
    assert learn_blend(entries_of((CLICK, *HELPS)), behaviours=1)[1] == Blend((1.0,), 0.001, (NONE,))


def test_what_a_trend_is_worth_is_learned_for_each_behaviour():
    # the rival's 1 is passed with half of the target's trend of 3; where the rival's is 3, the target's lead would go
    rises = (CLICK, (0.0, 0.0), (1.0, 0.0))
    fades = (CART, (1.0, 0.0), (0.0, 0.0))
    assert learn_blend(entries_of(rises, fades), behaviours=2)[2] == (0.5, 0.0)
    # a lead of 2.5 that has faded by 3: one is passed with half of the trend already, the other needs all of it
    both = (CLICK, (0.0, 0.0), (2.5, 0.0)), (CLICK, (0.0, 0.0), (2.9, 0.0))
    assert learn_blend(entries_of(*both), behaviours=1)[2] == (1.0,)


def test_what_earlier_sessions_are_worth_is_learned_for_each_behaviour(monkeypatch):
    monkeypatch.setattr(blend_search, "PULLS", (0.0, 1.0, -1.0, 2.0))
    entries = entries_of((CLICK, (0.0, 0.0), (1.0, 0.0)), (CART, (0.0, 0.0), (1.0, 0.0)))
    assert learn_blend(entries, behaviours=2)[1].earlier == ()
    # the click's target was met before, once, and log(2) * 2 passes the rival's 1; the cart's rival was met seven times
    # and loses log(8), where log(2) or nothing would let it stay
    known = replace(entries, past_E=np.log1p(np.array([1, 0, 0, 7], np.float32)))
    assert learn_blend(known, behaviours=2)[1].earlier == (2.0, -1.0)


def test_a_behaviour_with_few_cases_takes_the_weight_that_suits_all(monkeypatch):
    monkeypatch.setattr(blend_search, "MIN_CASES", 2)
    # all four: weight 0 has 3 * 1/2 + 1, weight 1 has 3 + 1/2
    entries = entries_of(*[(CLICK, *HELPS)] * 3, (CART, *HARMS))
    assert learn_blend(entries, behaviours=3)[1].weights == (1.0, 1.0, 1.0)
    entries = entries_of(*[(CLICK, *HELPS)] * 3, *[(CART, *HARMS)] * 2)
    assert learn_blend(entries, behaviours=3)[1].weights == (1.0, 0.0, 1.0)


def test_items_that_never_come_again_get_a_negative_bonus():
    # 0 - 2 is the only bonus that lets the target pass: rank 1 instead of 2
    assert learn_blend(entries_of((CLICK, *LEFT)), behaviours=1)[1] == Blend((0.0,), 0.001, ((-2.0, 0.0, 0.0),))


def test_shoppers_who_go_back_to_the_item_before_the_last_give_it_a_positive_bonus():
    # 0 + 2 passes the rival's 1; the last item has -3 at best, so its bonus stays 0
    assert learn_blend(entries_of((CLICK, *BACK)), behaviours=1)[1] == Blend((0.0,), 0.001, ((0.0, 2.0, 0.0),))


def test_repeats_are_chosen_for_each_behaviour_and_for_few_cases_as_for_all(monkeypatch):
    entries = entries_of(*[(CLICK, *BACK)] * 3, (CART, *LEFT))
    back, left, both = (0.0, 2.0, 0.0), (-2.0, 0.0, 0.0), (-2.0, 2.0, 0.0)
    # no case at all asks for a purchase, and what suits all cases is both
    assert learn_blend(entries, behaviours=3)[1].repeats == (back, left, both)
    monkeypatch.setattr(blend_search, "MIN_CASES", 2)
    assert learn_blend(entries, behaviours=3)[1].repeats == (back, both, both)


def test_the_weight_is_looked_at_again_once_the_repeats_are_known(monkeypatch):
    monkeypatch.setattr(blend_search, "FLOORS", (0.1,))
    # without repeats: weight 0 has 1/2 + 1/2, weight 1 (1.39 for a share of 0.3) has 1 + 1/3;
    # then -2 for the latest item: weight 1 has 1 + 1/2, and weight 0 has 1 + 1
    one = (CLICK, (0.0, 0.3), (1.0, 0.0, 0))
    other = (CLICK, (0.5, 0.0), (1.0, 0.0, 0), (0.0, 0.3))
    assert learn_blend(entries_of(one, other), behaviours=1)[1] == Blend((0.0,), 0.1, ((-2.0, 0.0, 0.0),))


def test_no_weight_wins_where_the_evidence_is_noise():
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(100):  # a good model, and shares that have nothing to do with the target
        shares = rng.permutation(np.linspace(0, 0.2, 10))
        scores = np.append(2.0, rng.normal(0, 0.5, 9))
        places = rng.permutation([0, 1, 2, *[blend_search.REPEATS] * 7])  # and what is in the session has not either
        cases.append((CLICK, *zip(scores.tolist(), shares.tolist(), places.tolist(), strict=True)))
    blend = learn_blend(entries_of(*cases), behaviours=1)[1]
    assert (blend.weights, blend.repeats) == ((0.0,), (NONE,))


def test_a_tie_counts_against_the_target():
    # without weight the rival is level: rank 2
    level = (CLICK, (1.0, 0.3), (1.0, 0.0))
    assert learn_blend(entries_of(level), behaviours=1)[1].weights == (1.0,)


def test_cases_whose_target_is_nowhere_and_no_cases_at_all_change_nothing():
    missed = (CLICK, MISSED, (1.0, 0.0), (0.0, 0.3))
    assert learn_blend(entries_of(missed, (CLICK, *HELPS), missed), behaviours=1)[1].weights == (1.0,)
    assert learn_blend(entries_of(missed), behaviours=1)[1].weights == (0.0,)
    assert learn_blend(entries_of(), behaviours=2)[1] == Blend((0.0, 0.0), 0.001, (NONE, NONE))


@pytest.mark.parametrize(
    ("session", "repeats"),
    [([0, 1, 0], (0.0, 2.0, 0.0)), ([0, 1, 0, 2, 0], (0.0, 2.0, 0.0)), ([0, 1, 2, 3, 0], (0.0, 0.0, 2.0))],
    ids=["one before the last", "seen last there", "older than the row"],
)
def test_how_long_ago_an_item_was_seen_is_read_from_the_cases(session, repeats):
    # the last event goes back to 0, whose score of 0.5 needs a bonus to pass 4 and 5; 1 to 3 have 0 and lose anyway
    scorer = Popularity(np.array([[0.5, 0, 0, 0, 1, 1]], np.float32))
    cases = make_cases(make_sessions([session]), rule="last", spec=EncodingSpec(), items=6, goal=2)
    nothing = SessionNeighbours.fit(make_sessions([]), items=6, settings=Neighbourhood())
    learned, trends = learn_memory(scorer, nothing, cases, trend_N=np.zeros(6, np.float32), behaviours=1)
    assert trends == (0.0,)
    assert learned.neighbours.postings is nothing.postings
    assert learned.blend == Blend((0.0,), 0.001, (repeats,))


@pytest.mark.parametrize(("session", "pays"), [([0, 3], True), ([0, 2], False)], ids=["alike", "not alike"])
def test_likeness_counts_where_it_ranks_validation_better(session, pays):
    # no session has a past; the model gives 1 and 2 more than 3, which alone is of the kind of 0
    scorer = Popularity(np.array([[0.0, 0.5, 1.0, 0.4, 0.2, 0.3]], np.float32))
    cases = make_cases(make_sessions([session] * 2), rule="last", spec=EncodingSpec(), items=6, goal=2)
    tokens = [["kind=x"], ["kind=y"], ["kind=z"], ["kind=x"], ["kind=y"], ["kind=z"]]
    catalogue = make_catalogue(make_sessions([session]), trained=6, tokens=tokens)
    nothing = SessionNeighbours.fit(make_sessions([]), items=6, settings=Neighbourhood())
    trend_N = np.zeros(6, np.float32)
    learned, _ = learn_memory(scorer, nothing, cases, trend_N=trend_N, behaviours=1, catalogue=catalogue)
    past, new = learned.blend.alike
    assert past == new
    assert (past > 0 and learned.blend.weights[0] > 0) == pays
    assert (past == 0) == (not pays)


def test_what_a_sample_finds_is_tried_on_all_cases_with_every_floor(monkeypatch):
    seen = []

    def spy(entries, *, behaviours, floors):
        seen.append((len(entries.asked_C), floors))
        return learn_blend(entries, behaviours=behaviours, floors=floors)

    monkeypatch.setattr(blend_search, "SAMPLE_CASES", 2)
    monkeypatch.setattr(blend_search, "learn_blend", spy)
    index = SessionNeighbours.fit(make_sessions([[9, 3]] * 4), items=10, settings=Neighbourhood(age_decay=1.0))
    cases = make_cases(make_sessions([[9, 3]] * 4), rule="last", spec=EncodingSpec(), items=10, goal=2)
    learn_memory(
        Popularity(np.zeros((1, 10), np.float32)), index, cases, trend_N=np.zeros(10, np.float32), behaviours=1
    )
    tried = [floors for number, floors in seen if number == 4]
    assert {number for number, _ in seen} == {2, 4}
    assert set().union(*tried) == {0.001, 0.1}
    assert len(tried) < len(seen) - len(tried)  # of all neighbourhoods and reaches, only the best


@pytest.mark.parametrize(
    ("middle", "reach"), [(3, 0.25), (1, 4.0)], ids=["what comes next differs, what comes then does not", "level"]
)
def test_how_far_neighbours_reach_is_what_ranks_validation_best(middle, reach):
    # a first item of 8, one of its own middle items, and the same last item in every session
    sessions = [[first, 9 + 3 * first + turn % middle, 8] for turn in range(12) for first in range(8)]
    after_first = make_sessions([session[:2] for session in sessions[:48]])
    cases = make_cases(after_first, rule="every", spec=EncodingSpec(), items=33, goal=2)
    assert choose_neighbours(make_sessions(sessions), cases, items=33).settings.reach == reach


@pytest.mark.parametrize("sample", [2_000, 1], ids=["all cases at once", "a sample first"])
def test_what_suits_the_blend_leaves_what_suited_the_neighbours_alone(sample, monkeypatch):
    """70 % of the past sessions, the older ones, say 2 after 9, the others say 3, which is right. With an age decay of
    1 they weigh e^-.3 - e^-1 = .37 against 1 - e^-.3 = .26, with one of .5 (e^-.6 - e^-2) / 2 = .21 against
    (1 - e^-.6) / 2 = .23."""
    monkeypatch.setattr(blend_search, "SAMPLE_CASES", sample)
    alone = Neighbourhood(age_decay=2.0)
    index = SessionNeighbours.fit(make_sessions([[9, 2]] * 70 + [[9, 3]] * 30), items=10, settings=alone)
    cases = make_cases(make_sessions([[9, 3]] * 4), rule="last", spec=EncodingSpec(), items=10, goal=2)
    nothing_known = Popularity(np.zeros((1, 10), np.float32))
    for _ in range(2):  # whoever asks again is told the same
        learned, _ = learn_memory(nothing_known, index, cases, trend_N=np.zeros(10, np.float32), behaviours=1)
        assert learned.neighbours.settings.age_decay == 0.5
        assert index.settings == alone


def test_neighbours_alone_rank_by_shares_and_then_by_popularity():
    index = SessionNeighbours.fit(make_sessions([[0, 1]]), items=4, settings=Neighbourhood())
    popular = Popularity(np.array([[0, 0, 5, 9]], np.float32))
    rows, spec = make_sessions([[0, 1], [2, 1]]), EncodingSpec()
    encoded = encode_sessions(rows.items, rows.behaviours, rows.times, rows.offsets, spec=spec, known_items=4)
    batch = cut_before(encoded, np.array([1, 3, 0]), spec=spec)  # after 0, after 2, after nothing
    scores_BV = NeighbourScorer(index, popular).score(batch, np.zeros(3, np.int64))
    np.testing.assert_allclose(scores_BV[0], [0.5, 0.5, 0, 0], atol=1e-6)
    for row in range(3):
        assert 0 < scores_BV[row, 2] < scores_BV[row, 3] < 1e-6
    assert scores_BV[1, :2].tolist() == scores_BV[2, :2].tolist() == [0, 0]
