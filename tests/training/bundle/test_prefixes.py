"""Prefixes of test sessions: spread over the part, at depths that vary, and nothing of what came after."""

import numpy as np
import pytest

from tests.datasets import make_dataset
from tests.models import SPEC, make_trained
from tests.training.bundle.conftest import scorer_of
from tillside.bundle import load_items
from training.bundle.prefixes import encode_prefix, real_queries, spread_prefixes

pytestmark = pytest.mark.slow


def test_prefixes_by_hand(tmp_path):
    rows = [[0, 1, 2, 3], [4], [0, (1, "cart"), (2, "purchase"), 3, 4], [1, (2, "cart")], [3, 4]]
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2], [3, 4]], test=rows, trained=5)
    found = spread_prefixes(make_trained(dataset), dataset, 9)
    # the training part has 5 events; test session 1 is too short, and the depth is 1 + number % (events - 1)
    assert [prefix.session for prefix in found] == [0, 2, 3, 4]
    assert [prefix.own_L.tolist() for prefix in found] == [[5], [10, 11, 12], [15], [17]]
    assert [prefix.ask_B.tolist() for prefix in found] == [[0], [0], [1], [0]]
    assert all(not len(prefix.earlier_H) for prefix in found)
    assert found[1].latest(2).own_L.tolist() == [11, 12]
    assert [prefix.session for prefix in spread_prefixes(make_trained(dataset), dataset, 2)] == [0, 4]


def test_a_prefix_is_encoded_alone_and_items_beyond_the_bundle_s_are_left_out(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2]], test=[[0, 1]] * 3 + [[0, 2, 1, 0, 1]], trained=3)
    trained = make_trained(dataset)
    last = spread_prefixes(trained, dataset, 9)[-1]
    assert len(last.own_L) == 4  # 1 + 3 % 4
    assert encode_prefix(trained, dataset, last, 3).items_BL.tolist() == [[0, 2, 1, 0]]
    assert encode_prefix(trained, dataset, last, 2).items_BL.tolist() == [[0, 1, 0]]


def test_the_queries_of_the_exported_encoder_score_items_as_torch_does(dataset, trained, exported):
    items_ND, queries_QD = load_items(exported[0]), real_queries(trained, dataset, exported[0])
    prefixes = spread_prefixes(trained, dataset, 256)
    batches = [encode_prefix(trained, dataset, prefix, len(items_ND)) for prefix in prefixes]
    known = [number for number, batch in enumerate(batches) if batch.lengths_B[0]]
    assert len(queries_QD) == len(known) > 30
    for query_D, number in zip(queries_QD, known, strict=True):
        expected_BV = scorer_of(trained, dataset).score(batches[number], prefixes[number].ask_B)
        np.testing.assert_allclose(items_ND @ query_D, expected_BV[0], atol=1e-4)
    assert SPEC.max_length >= max(batch.items_BL.shape[1] for batch in batches)
