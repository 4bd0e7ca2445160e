"""Item vectors: the item, its companions and its shared tokens, to unit length; cold items; trends."""

from dataclasses import replace

import numpy as np
import torch

from tests.datasets import make_catalogue, make_sessions
from tests.models import BEHAVIOURS, CONFIG, SPEC, make_model
from training.model.item_table import Companions, shared_tokens, trends
from training.model.next_item import NextItemModel


def test_item_vectors_are_the_item_plus_the_mean_of_its_shared_tokens_to_unit_length():
    # c=1 belongs to one item only and says no more than the item's own vector, so it is left out
    table = make_model(items=4, tokens=[["a=1", "b=1", "c=1"], ["b=1"], ["a=1"]]).items
    (a, b, _), items_ND = table.token.weight.data, table.item.weight.data
    expected_ND = torch.stack([items_ND[0] + (a + b) / 2, items_ND[1] + b, items_ND[2] + a, items_ND[3]])
    unit_ND, trend_N = table().split([CONFIG.dim, 1], dim=1)
    torch.testing.assert_close(unit_ND, torch.nn.functional.normalize(expected_ND, dim=1))
    torch.testing.assert_close(unit_ND.norm(dim=1), torch.ones(4))
    assert not trend_N.any()


def test_items_share_what_their_attributes_have_in_common():
    table = make_model(items=4, tokens=[["brand=acme"], ["brand=acme"], ["brand=other"], ["brand=other"]]).items
    with torch.no_grad():
        table.item.weight[:] = table.item.weight[0]
    vectors_ND = table()
    assert torch.equal(vectors_ND[0], vectors_ND[1])
    assert (vectors_ND[0] - vectors_ND[2]).norm() > 1e-3


def cold_model(config=CONFIG):
    """Four trained items and two cold ones; the last trained item has nothing that another one has."""
    tokens = [["a=1", "b=1"], ["b=1"], ["a=1"], [], ["a=1", "b=1"], ["b=1", "new=1"]]
    catalogue = make_catalogue(make_sessions([]), trained=4, newcomers=2, tokens=tokens)
    torch.manual_seed(0)
    return NextItemModel(config, catalogue, behaviours=BEHAVIOURS, gap_buckets=SPEC.gap_buckets).eval()


def test_a_cold_item_is_the_mean_of_the_tokens_that_training_knows():
    table = cold_model().items
    a, b, _ = table.token.weight.detach()  # the third, new=1, is an attribute that no trained item has
    expected = torch.stack([(a + b) / 2, b])
    with torch.no_grad():
        vectors, _ = table().split([CONFIG.dim, 1], dim=1)
    assert vectors.shape == (6, CONFIG.dim)
    torch.testing.assert_close(vectors[4:], torch.nn.functional.normalize(expected, dim=1))
    torch.testing.assert_close(table.trained(), vectors[:4])


def test_while_training_an_item_now_and_then_goes_without_its_own_vector():
    table = cold_model(replace(CONFIG, id_dropout=0.5)).items
    with torch.no_grad():
        whole = table()[:, :-1]
        a, b, _ = torch.nn.functional.normalize(table.token.weight, dim=1)
        bare = [torch.nn.functional.normalize((table.token.weight[0] + table.token.weight[1]), dim=0), b, a]
        table.train()
        draws = torch.stack([table.trained() for _ in range(200)])
    for item in range(3):
        left_out = (draws[:, item] - bare[item]).abs().amax(dim=1) < 1e-6
        kept = (draws[:, item] - whole[item]).abs().amax(dim=1) < 1e-6
        assert (left_out ^ kept).all()
        assert 60 < int(left_out.sum()) < 140  # of 200 draws at one half: six standard deviations
    torch.testing.assert_close(draws[:, 3], whole[3].expand(200, -1))  # nothing else could stand for it
    with torch.no_grad():
        torch.testing.assert_close(table.eval().trained(), whole[:4])


def test_a_trend_is_how_much_more_an_item_was_met_of_late():
    # 80 events, one item a row of ten: 0 dies early, 1 comes late, 2 is met throughout, 3 never; 4 is not counted
    early, late = [[4, 2]] + [[0, 2]] * 19, [[1, 2]] * 20
    found_N = trends(make_sessions([*early, *late]), items=4)
    ages = 1 - np.arange(80) / 80
    weights = np.exp(-ages / 0.05) / 0.05
    places = {0: np.arange(2, 40, 2), 1: np.arange(40, 80, 2), 2: np.arange(1, 80, 2), 3: np.arange(0)}
    expected_N = [np.log((weights[where].sum() + 3) / (len(where) + 3)) for where in places.values()]
    np.testing.assert_allclose(found_N, expected_N, rtol=1e-6)
    assert found_N[0] < -1 < -0.1 < found_N[2] < 0.1 < 0.3 < found_N[1]
    assert found_N[3] == 0
    assert trends(make_sessions([]), items=2).tolist() == [0, 0]


def test_shared_tokens_are_those_of_two_items_of_which_one_is_trained():
    # a: items 0 and 2; b: item 0 and the two cold ones; c: item 1 alone; d: the cold ones alone
    tokens = [["a=1", "b=1"], ["c=1"], ["a=1"], ["b=1", "d=1"], ["b=1", "d=1"]]
    catalogue = make_catalogue(make_sessions([]), trained=3, newcomers=2, tokens=tokens)
    ids, offsets = shared_tokens(catalogue)
    words = [catalogue.vocabulary[token] for token in ids]
    assert words == ["a=1", "b=1", "a=1", "b=1", "b=1"]
    assert offsets.tolist() == [0, 2, 2, 3, 4, 5]


def companions(rows: list[list[int]], *, items: int, most: int) -> Companions:
    return Companions(make_sessions(rows), items=items, most=most)


def test_companions_weigh_less_the_further_off_they_are():
    # 0 1 2: 0 has 1 at distance 1 and 2 at distance 2, so 1 : 1/2, that is 2/3 and 1/3; 1 has both at 1
    table = torch.tensor([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0], [7.0, 7.0]])
    leaning = companions([[0, 1, 2]], items=4, most=9)(table, torch.tensor(0.3))
    expected = table.clone()
    expected[0] += 0.3 * (2 / 3 * table[1] + 1 / 3 * table[2])
    expected[1] += 0.3 * (1 / 2 * table[0] + 1 / 2 * table[2])
    expected[2] += 0.3 * (2 / 3 * table[1] + 1 / 3 * table[0])
    torch.testing.assert_close(leaning, expected)  # and 3, which met nobody, stays as it is


def test_only_the_strongest_companions_are_kept():
    # 0 meets 1 twice and 2 once
    table = torch.tensor([[0.0], [1.0], [100.0]])
    assert companions([[0, 1], [0, 1], [0, 2]], items=3, most=1)(table, torch.tensor(1.0))[0].item() == 1.0


def test_chosen_rows_are_those_of_the_whole_table():
    made = companions([[0, 1, 2, 3], [3, 0], [2, 4]], items=6, most=3)
    table, lean, rows = torch.randn(6, 4), torch.tensor(0.4), torch.tensor([4, 0, 5])
    torch.testing.assert_close(made.of(rows, table, lean, sparse=False), made(table, lean)[rows])


def test_some_items_of_a_table_are_those_of_all_and_an_item_can_be_treated_as_cold():
    table = cold_model(replace(CONFIG, companions=2)).items
    with torch.no_grad():
        torch.testing.assert_close(table.trained(torch.tensor([2, 0])), table.trained()[[2, 0]])
        as_cold = table(torch.tensor([True, False, False, False, False, False]))
        served = table()
    torch.testing.assert_close(as_cold[1:], served[1:])
    torch.testing.assert_close(as_cold[0, :-1], served[4, :-1])  # a cold item with the same two tokens


def test_learned_tokens_are_zero_where_no_two_items_share_them():
    table = cold_model().items
    learned = table.learned_tokens()
    assert (learned.norm(dim=1) > 0).tolist() == [True, True, False]  # a=1, b=1, new=1
    assert make_model().items.learned_tokens() is None
