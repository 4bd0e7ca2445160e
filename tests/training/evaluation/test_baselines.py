"""Every baseline is fitted to what came before the test part, and scores all items that can be ranked."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_dataset
from tillside.encoding.live import encode_session
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import CoVisitation, ItemKnn, Popularity, SequentialRules
from training.evaluation.baselines import GRIDS, at_its_best, choose_settings, fit_baseline
from training.settings.evaluate import Baseline

TRAIN = [[0, 1], [0, 1], [0, 2], [3, 3]]


@pytest.fixture
def dataset(tmp_path):
    """Item 4 is cold; what the test part holds, 2 after 1, no baseline may know."""
    return make_dataset(
        tmp_path / "d",
        train=TRAIN,
        validation=[[2, 3], [0]],
        test=[[1, 2]] * 9,
        trained=4,
        newcomers=1,
        tokens=[["a"]] * 5,
        clock=False,
    )


def scores(dataset, baseline: Baseline, item: int) -> np.ndarray:
    session = np.array([item]), np.array([0]), np.array([0])
    batch = encode_session(*session, spec=EncodingSpec(), known_items=5)
    return fit_baseline(baseline, dataset).score(batch, np.array([0]))[0]


@pytest.mark.parametrize("baseline", Baseline)
def test_all_items_that_can_be_ranked_have_a_score_and_cold_ones_are_last(dataset, baseline):
    assert dataset.catalogue.rankable == 5
    scores_V = scores(dataset, baseline, 0)
    assert scores_V.shape == (5,)
    assert np.isfinite(scores_V).all()
    assert scores_V[4] == scores_V.min()


@pytest.mark.parametrize(
    ("baseline", "item", "best"),
    [
        (Baseline.popularity, 2, 0),  # four events, the most
        (Baseline.session_popularity, 2, 2),  # the session's own item first
        (Baseline.covisitation, 0, 1),  # twice with 0; 2 once
        (Baseline.sequential_rules, 2, 3),  # in the validation part, which is before the test part
        (Baseline.item_knn, 0, 1),
    ],
)
def test_what_each_baseline_puts_first(dataset, baseline, item, best):
    scores_V = scores(dataset, baseline, item)
    if baseline in (Baseline.covisitation, Baseline.sequential_rules, Baseline.item_knn):
        scores_V[item] = -np.inf  # whether the item itself comes back is not what is asked here
    assert scores_V.argmax() == best


@pytest.mark.parametrize("baseline", [Baseline.popularity, Baseline.session_popularity, Baseline.covisitation])
def test_the_newest_part_counts_as_it_does_for_the_model(tmp_path, baseline):
    """Item 2 leads in the validation part alone, nine times with 1: whoever learns from it puts 2 first, others not."""
    newest = make_dataset(
        tmp_path / "n", train=[[1, 0], [1, 0]], validation=[[1, 2]] * 9, test=[[1, 2]], trained=3, clock=False
    )
    batch = encode_session(np.array([1]), np.array([0]), np.array([0]), spec=EncodingSpec(), known_items=3)
    best = []
    for refit in (False, True):
        scores_V = fit_baseline(baseline, newest, refit=refit).score(batch, np.array([0]))[0]
        scores_V[1] = -np.inf
        best.append(int(scores_V.argmax()))
    assert best == [0, 2]


def test_the_settings_that_rank_validation_best_are_taken_and_fitted_to_all_before_the_test(tmp_path):
    """With 0 there is 1 once, next to it, and 2 twice, two events on. Counted up to 10 events apart 2 ranks before 1
    (co-visitation: 2 to 1; sequential rules: 2 * 1/2 to 1, and a tie ranks above); next to each other 2 is unknown."""
    train = [[0, 1], [0, 3, 2], [0, 4, 2]]
    wants = make_dataset(tmp_path / "d", train=train, validation=[[0, 1]] * 4, test=[[0, 1]], trained=6, clock=False)
    assert choose_settings(Baseline.covisitation, wants) == {"window": 1}
    assert choose_settings(Baseline.sequential_rules, wants) == {"steps": 1}
    none = make_dataset(tmp_path / "n", train=train, test=[[0, 1]], trained=6, clock=False)
    assert choose_settings(Baseline.covisitation, none) == {"window": 10}
    scores_V = fit_baseline(Baseline.covisitation, wants).score(
        encode_session(np.array([0]), np.array([0]), np.array([0]), spec=EncodingSpec(), known_items=6), np.array([0])
    )[0]
    assert scores_V[1] >= 5  # once in training, four times in validation
    assert scores_V[2] < 1


@pytest.mark.parametrize(("third", "without_seen"), [(2, True), (0, False)])
def test_what_a_session_holds_is_left_out_where_validation_is_ranked_better_so(tmp_path, third, without_seen):
    """Shoppers look at 0 and 1, then at 2, which stands behind what they hold, or at 0 again."""
    rows = [[0, 1, third]] * 6
    dataset = make_dataset(tmp_path / "d", train=rows, validation=rows, test=rows, trained=3, clock=False)
    batch = encode_session(np.array([0, 1]), np.zeros(2, int), np.zeros(2, int), spec=EncodingSpec(), known_items=3)
    popular = Popularity(np.array([[9, 8, 7]], np.float32))
    learned_from = []
    found = at_its_best(popular, dataset, lambda known: learned_from.append(len(known)) or popular)
    assert learned_from == [6]  # the training part alone: whoever has seen validation cannot be tried on it
    assert (found is popular) != without_seen
    assert np.isneginf(found.score(batch, np.array([0]))[0]).tolist() == [without_seen, without_seen, False]
    assert at_its_best(popular, replace(dataset, parts=dataset.parts | {"validation": (6, 6)}), int) is popular


def test_the_first_settings_of_each_are_its_defaults():
    for baseline, method in (
        (Baseline.covisitation, CoVisitation),
        (Baseline.sequential_rules, SequentialRules),
        (Baseline.item_knn, ItemKnn),
    ):
        defaults = {name: each.default for name, each in inspect.signature(method.fit).parameters.items()}
        assert GRIDS[baseline][0].items() <= defaults.items()
