"""Why a part falls and the whole rises: the parts' changes weighed by their cases, in a sentence."""

import numpy as np
import pytest

from training.evaluation.case_ranks import Ranks
from training.review.parts import Change, compared_parts, system_parts, why_apart


def test_what_each_part_adds_explains_the_whole():
    """80 clicks gain .05 and 20 purchases lose .1: .8 * .05 - .2 * .1 = .04 - .02 = .02."""
    parts = [Change("click", 80, 0.05), Change("purchase", 20, -0.1, sure=True)]
    assert why_apart(Change("all", 100, 0.02), parts, metric="recall@20", than="the champion") == (
        "Beside the champion, recall@20 falls for purchase (-0.1000) and yet rises over all (+0.0200): of the cases, "
        "which are the same for both, purchase has 20 % and takes away 0.0200, click has 80 % and adds 0.0400."
    )


def test_it_says_so_the_other_way_round_and_what_may_be_noise():
    """90 clicks lose .02 and 10 purchases gain .08: -.018 + .008 = -.01."""
    parts = [Change("click", 90, -0.02), Change("purchase", 10, 0.08, sure=False)]
    assert why_apart(Change("all", 100, -0.01), parts, metric="mrr@20", than="popularity") == (
        "Beside popularity, mrr@20 rises for purchase (+0.0800, within noise) and yet falls over all (-0.0100): of the "
        "cases, which are the same for both, purchase has 10 % and adds 0.0080, click has 90 % and takes away 0.0180."
    )


@pytest.mark.parametrize(
    ("whole", "part"), [(0.02, 0.01), (-0.02, -0.01), (0.02, 0.0), (0.00004, -0.1), (0.02, -0.00004)]
)
def test_where_none_goes_against_the_whole_nothing_is_said(whole, part):
    """Nor where the page shows four decimals that are all zero."""
    parts = [Change("click", 50, whole), Change("cart", 50, part)]
    assert why_apart(Change("all", 100, whole), parts, metric="recall@20", than="x") is None


def test_changes_are_read_from_ranks_case_by_case():
    """Three clicks go from a miss to rank 1, one purchase the other way: (3 - 1) / 4 over all."""
    miss = 100
    asked_C, sessions_C = np.array([0, 0, 0, 1]), np.arange(4)

    def ranks(*ranks_C: int) -> Ranks:
        return Ranks("d", ("click", "purchase"), np.array(ranks_C), sessions_C, asked_C)

    slices = ranks(1, 1, 1, miss).beside_champion(ranks(miss, miss, miss, 1), seed=0)
    whole, parts = compared_parts(slices, "recall@20")
    assert (whole.name, whole.cases, whole.value) == ("all", 4, 0.5)
    assert [(part.name, part.cases, part.value) for part in parts] == [("click", 3, 1.0), ("purchase", 1, -1.0)]
    assert [part.sure for part in parts] == [True, True]
    told = why_apart(whole, parts, metric="recall@20", than="the champion")
    assert told is not None
    assert told.endswith("purchase has 25 % and takes away 0.2500, click has 75 % and adds 0.7500.")


def test_changes_are_read_from_two_systems_of_a_metrics_document():
    """A behaviour that only one of them has is left out."""

    def part(cases: int, value: float) -> dict[str, object]:
        return {"cases": cases, "mrr@20": {"value": value}}

    own = {"all": part(10, 0.5), "by_behaviour": {"click": part(8, 0.5), "cart": part(2, 0.5)}}
    other = {"all": part(10, 0.25), "by_behaviour": {"click": part(8, 0.125)}}
    whole, parts = system_parts(own, other, "mrr@20")
    assert whole == Change("all", 10, 0.25)
    assert parts == [Change("click", 8, 0.375)]
