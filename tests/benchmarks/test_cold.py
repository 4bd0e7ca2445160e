"""Items held out: rules that know attributes, worked out by hand, and systems judged on new targets alone."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.cold import NearestAttributes, attribute_popularity, judge
from tests.datasets import make_catalogue, make_dataset, make_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Popularity
from training.evaluation.scorers import Among
from training.inputs.cases import make_cases
from training.model.checkpoint import TrainedModel, build_model, save_model
from training.settings.model import ModelConfig

TOKENS = [["brand=a"], ["brand=a", "kind=x"], ["kind=y"], ["brand=a"], ["kind=y"]]
"""Items 0 to 2 are trained, 3 and 4 are new."""


def test_a_new_item_is_as_popular_as_its_tokens() -> None:
    # Clicks: item 0 three times, 1 once, 2 twice. Items 0 and 1 carry brand=a, so it has (3 + 1) / 2; kind=y has 2 / 1.
    # Item 1 carries kind=x too, which has 1: (2 + 1) / 2. The tie break adds less than 1 to an item.
    catalogue = make_catalogue(make_sessions([[0, 0, 0, 1, 2, 2]]), trained=3, newcomers=2, tokens=TOKENS)
    events = np.array([3, 1, 2]) * (1 + 1 / 4)  # the largest total is 3: all events over 3 + 1 are added
    brand, x, y = events[:2].mean(), events[1], events[2]
    clicks_N = attribute_popularity(catalogue)[0]
    assert clicks_N == pytest.approx([brand, (brand + x) / 2, y, brand, y])


def test_the_nearest_item_shares_the_tokens_of_the_latest_event() -> None:
    sessions = make_sessions([[0, 2, 1]])
    catalogue = make_catalogue(sessions, trained=3, newcomers=2, tokens=TOKENS)
    cases = make_cases(sessions, rule="last", spec=EncodingSpec(), items=5, goal=2)  # after items 0, 2
    batch, ask_B = cases.batch(np.array([0])), np.zeros(1, np.int64)
    (scores_N,) = NearestAttributes.of(catalogue, decay=0.5).score(batch, ask_B)
    assert scores_N[[2, 4]] == pytest.approx([1.0, 1.0])  # kind=y, just seen
    assert scores_N[[0, 3]] == pytest.approx([0.5, 0.5])  # brand=a, one event before
    allowed_N = np.array([False, False, False, True, True])
    scorer = Among(Popularity(np.arange(15, dtype=np.float32).reshape(3, 5)), allowed_N)
    assert scorer.score(batch, ask_B).tolist() == [[-np.inf] * 3 + [3, 4]]


def test_only_new_targets_that_can_be_ranked_are_judged(tmp_path: Path) -> None:
    """Item 4 is met in validation, so it is not new; item 5 has no attribute, so nothing can rank it."""
    dataset = make_dataset(
        tmp_path / "d",
        train=[[0, 1, 2], [2, 1, 0]],
        validation=[[0, 4]],
        test=[[0, 3], [0, 4], [1, 5], [1, 2]],
        trained=3,
        newcomers=3,
        tokens=TOKENS,
    )
    config, spec = ModelConfig(dim=8, max_length=6, dropout=0.0, item_dropout=0.0), EncodingSpec(max_length=6)
    model = build_model(config, dataset, spec, dataset.part("train")).eval()
    save_model(tmp_path / "model.pt", TrainedModel(model, config, spec, intent=False), dataset)
    rows, notes = judge("simulated", dataset, tmp_path / "model.pt")
    assert {row["cases"] for row in rows} == {1}
    assert {row["system"] for row in rows} == {"tillside", "attribute-knn", "attribute-popularity"}
    alone = {row["system"]: row["value"] for row in rows if row["metric"] == "new/recall@5"}
    assert alone == {"tillside": 1.0, "attribute-knn": 1.0, "attribute-popularity": 1.0}  # the only new item
    assert "1 further cases" in notes
    assert "1 of the 5 items that are ranked are new" in notes
