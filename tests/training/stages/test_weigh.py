"""The command that fits a policy's source weights: nothing that has seen the validation part is weighed by it."""

from dataclasses import replace

import pytest

from tests.datasets import Event, make_dataset, random_rows
from tests.models import make_trained
from tests.shops import Item, Shop
from tillside.policy import parse_policy
from training.settings.weigh import WeighConfig
from training.stages.weigh import weigh


def with_one_bestseller(count: int, *, seed: int) -> list[list[Event]]:
    """Random sessions that all end with the purchase of item 0, so popularity has something to say."""
    rows = random_rows(count, items=8, seed=seed)
    return [[*row, (0, "purchase", row[-1][2] + 1000)] for row in rows]


def test_what_has_seen_the_validation_part_is_refused(tmp_path):
    rows, validation = with_one_bestseller(30, seed=1), with_one_bestseller(20, seed=3)
    dataset = make_dataset(tmp_path / "d", train=rows, validation=validation, test=rows, trained=8)
    trained = make_trained(dataset)
    policy = parse_policy("placements: {checkout: {sources: {model: 1, popular: 1}, anchors: [cart], slots: 2}}")
    found = weigh(trained, dataset, policy, relations=None, k=2)["checkout"]
    assert max(found["file"]["sources"].values()) == 1
    assert found["file"]["fusion"] == "odds"
    assert 0 <= found["before"] <= 1
    with pytest.raises(ValueError, match=r"learned from the validation part too; train one with trainer\.refit=false"):
        weigh(replace(trained, refitted=True), dataset, policy, relations=None)
    items = len(dataset.catalogue)
    seen = replace(Shop([Item(f"i{n}") for n in range(items)]).relations(), about={"settings": {"validation": True}})
    with pytest.raises(ValueError, match="the relations were mined from the validation part too; run python -m"):
        weigh(trained, dataset, policy, relations=seen)
    with pytest.raises(ValueError, match="policy must be given, as policy=FILE"):
        WeighConfig(run="r")
