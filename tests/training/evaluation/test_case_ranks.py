"""Ranks are kept as they were, name the test they are of, and are compared case by case."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_dataset
from tests.models import SPEC
from tillside.ranking import MISSED
from training.evaluation.case_ranks import OTHERS_RANKS, RANKS_FILE, Ranks, cases_digest, keep_ranks, ranks_beside
from training.evaluation.ranking import Ranked
from training.inputs.cases import cases_of

NAMES = ("click", "cart", "purchase")


def ranks(*values: int, asked=(0, 0, 2, 2), sessions=(0, 0, 1, 2)) -> Ranks:
    return Ranks("digest", NAMES, np.array(values), np.array(sessions), np.array(asked))


def test_what_was_saved_loads_equal_and_a_miss_stays_one(tmp_path):
    ranks(1, 70_000, MISSED, 3).save(tmp_path / RANKS_FILE)
    loaded = Ranks.load(tmp_path / RANKS_FILE)
    assert (loaded.digest, loaded.behaviours) == ("digest", NAMES)
    assert loaded.ranks_C.tolist() == [1, 70_000, MISSED, 3]
    assert (loaded.sessions_C.tolist(), loaded.asked_C.tolist()) == ([0, 0, 1, 2], [0, 0, 2, 2])


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_damaged_file_is_named(tmp_path, content):
    if content is None:  # an archive without what belongs in it
        np.savez(tmp_path / RANKS_FILE, ranks=np.ones(2))
    else:
        (tmp_path / RANKS_FILE).write_bytes(content)
    with pytest.raises(ValueError, match=r"ranks\.npz cannot be read"):
        Ranks.load(tmp_path / RANKS_FILE)


def test_slices_are_all_cases_and_the_behaviours_that_were_asked_for():
    assert [(name, chosen.tolist()) for name, chosen in ranks(1, 1, 1, 1).slices()] == [
        ("all", [True] * 4),
        ("click", [True, True, False, False]),
        ("purchase", [False, False, True, True]),
    ]


def test_the_gain_is_that_of_each_case():
    # recall@20: 1, 1, 0, 1 against 1, 0, 0, 1; mrr@20: 1, 1/2, 0, 1/4 against 1, 0, 0, 1/2
    own, other = ranks(1, 2, 21, 4), ranks(1, 30, MISSED, 2)
    gained = own.ahead_of(other, np.ones(4, bool), seed=0)
    assert gained["recall@20"].value == pytest.approx(1 / 4)
    assert gained["mrr@20"].value == pytest.approx((1 / 2 - 1 / 4) / 4)
    told = own.beside_champion(other, seed=0)
    assert told["purchase"]["cases"] == 2
    assert told["purchase"]["mrr@20"]["champion"] == pytest.approx(1 / 4)
    assert told["purchase"]["mrr@20"]["challenger"] == pytest.approx(1 / 8)
    assert told["purchase"]["mrr@20"]["gain"]["value"] == pytest.approx(-1 / 8)
    assert json.dumps(told)
    level = own.ahead_of(own, np.ones(4, bool), seed=0)["recall@20"]
    assert (level.low, level.value, level.high) == (0, 0, 0)
    with pytest.raises(AssertionError):
        own.ahead_of(replace(other, digest="another test"), np.ones(4, bool), seed=0)


def test_a_run_keeps_its_own_ranks_and_those_of_each_other_system(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1]], test=[[0, 1, 0]], trained=2)
    cases = cases_of(dataset, "test", spec=SPEC)
    ranked = {"tillside": Ranked(np.array([1, 2])), "popularity": Ranked(np.array([2, MISSED]))}
    keep_ranks(ranked, cases, own="tillside", digest="digest", behaviours=NAMES, folder=tmp_path)
    assert Ranks.load(tmp_path / RANKS_FILE).ranks_C.tolist() == [1, 2]
    assert Ranks.load(tmp_path / OTHERS_RANKS / "popularity.npz").ranks_C.tolist() == [2, MISSED]
    assert ranks_beside("r") == "ranks-of-r.npz"


def digest(folder, test, *, ids=None, **catalogue) -> str:
    made = make_dataset(folder, train=[[0, 1]], test=test, **catalogue)
    if ids is not None:
        made = replace(made, catalogue=replace(made.catalogue, item_ids=ids))
    return cases_digest(made, cases_of(made, "test", spec=SPEC))


def test_the_digest_is_that_of_the_questions_not_of_the_catalogue(tmp_path):
    """The same sessions in a larger catalogue, or in one in another order, are the same test."""
    own = digest(tmp_path / "a", [[0, 1, 2]], trained=3)
    assert digest(tmp_path / "b", [[0, 1, 2]], trained=5) == own
    assert digest(tmp_path / "c", [[2, 1, 0]], trained=3, ids=["i2", "i1", "i0"]) == own
    assert digest(tmp_path / "d", [[0, 1, 1]], trained=3) != own
    assert digest(tmp_path / "e", [[0, (1, "cart"), 2]], trained=3) != own


def test_the_digest_tells_prefixes_apart_that_end_at_the_same_events(tmp_path):
    """Events 1 and 4 are the last of a session both times, but the second has one event before it, or two."""
    asked = {"trained": 3, "test_cases": "last"}
    rows = [[[0, 1], [2], [0, 1]], [[0, 1], [2, 0, 1]]]
    made = [digest(tmp_path / f"{number}", row, clock=False, **asked) for number, row in enumerate(rows)]
    assert len(set(made)) == 2
