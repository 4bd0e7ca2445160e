"""A data set finds the relations that were mined from it, and no others."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_dataset, same_relations
from tillside.dataset import Dataset
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable
from training.mining.stored import FOLDER, relations_of


def made_from(dataset: Dataset) -> Relations:
    """0 goes with 1 at strength 0.5, in all relations."""
    table = RelationTable.of(np.array([0]), np.array([1]), np.array([0.5]), items=len(dataset.catalogue), most=9)
    about = {"dataset": {"digest": dataset.digest}}
    return Relations(dict.fromkeys(RELATIONS, table), ManualPairs.of([]), Bundles.from_sets([(0, 1)], [0.5]), about)


def test_relations_of_another_data_set_are_refused(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2]], trained=3)
    relations = made_from(dataset)
    place = tmp_path / "relations"
    place.mkdir()
    relations.save(place)
    same_relations(relations_of(dataset, place), relations)
    stale = replace(relations, about={"dataset": {"digest": "0" * 64}})
    other = tmp_path / "stale"
    other.mkdir()
    stale.save(other)
    with pytest.raises(ValueError, match=r"was made from another data set .*training\.relate again"):
        relations_of(dataset, other)
    with pytest.raises(ValueError, match="holds no relations"):
        relations_of(dataset, tmp_path / "none")


def test_relations_beside_the_data_are_found_and_may_be_missing(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2]], trained=3)
    assert relations_of(dataset) is None
    (dataset.path / FOLDER).mkdir()
    made_from(dataset).save(dataset.path / FOLDER)
    same_relations(relations_of(dataset), made_from(dataset))
