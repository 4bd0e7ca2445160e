"""The future never leaks, padding changes nothing, a prefix is a prefix, and items are only their vectors."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.datasets import make_catalogue, make_sessions
from tests.models import BEHAVIOURS, CONFIG, SPEC, make_model, random_batch
from tillside.recommenders.counted_intent import count_features, counted_features
from training.model.encoder import latest_counts
from training.model.item_table import trends
from training.model.losses import SAFE_LOGIT
from training.model.next_item import ENCODERS, NextItemModel
from training.settings.model import MAX_TEMPERATURE, ModelConfig, Network

CLOSE = {"rtol": 0, "atol": 2e-5}
LENGTH = 6


@pytest.fixture(scope="module", params=Network, ids=lambda network: network.value)
def model(request):
    return make_model(config=replace(CONFIG, network=request.param))


def tensors(batch):
    return [torch.from_numpy(array) for array in (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B)]


def forward(model, batch, ask: int | list[int] = 0):
    items_BL, behaviours_BL, gaps_BL, lengths_B = tensors(batch)
    ask_B = torch.tensor(ask).expand(len(lengths_B))
    with torch.no_grad():
        return model.encoder(model.items()[items_BL], behaviours_BL, gaps_BL, lengths_B, ask_B, *counts(batch))


def counts(batch):
    return map(torch.from_numpy, batch.counted(BEHAVIOURS))


def at_every_position(model, batch):
    """Hidden states, intent logits and queries for each behaviour, at every position of the rows."""
    items_BL, behaviours_BL, gaps_BL, _ = tensors(batch)
    with torch.no_grad():
        hidden_BLD = model.encoder.trunk(model.items.trained()[items_BL], behaviours_BL, gaps_BL)
        asked = [model.encoder.queries(hidden_BLD, torch.full_like(items_BL, ask)) for ask in range(BEHAVIOURS)]
        return hidden_BLD, model.encoder.intent_logits(hidden_BLD)[..., None], *asked


@pytest.mark.parametrize("place", range(LENGTH - 1))
@pytest.mark.parametrize("column", ["items_BL", "behaviours_BL", "gaps_BL"])
def test_the_future_never_leaks(model, place, column):
    batch = random_batch([LENGTH, LENGTH])
    changed = getattr(batch, column).copy()
    changed[:, place + 1 :] = (changed[:, place + 1 :] + 1) % 3
    for before, after in zip(
        at_every_position(model, batch), at_every_position(model, replace(batch, **{column: changed})), strict=True
    ):
        torch.testing.assert_close(after[:, : place + 1], before[:, : place + 1], **CLOSE)
        assert (after[:, place + 1 :] - before[:, place + 1 :]).abs().max() > 1e-3  # the change is seen where it may be


def test_padding_changes_nothing_and_neither_do_the_other_rows(model):
    lengths = [1, 2, 4, 6]
    batch = random_batch(lengths)
    query_BD, intent_B = forward(model, batch)
    for row, length in enumerate(lengths):
        one = slice(row, row + 1)
        alone = replace(
            batch,
            items_BL=batch.items_BL[one, :length],
            behaviours_BL=batch.behaviours_BL[one, :length],
            gaps_BL=batch.gaps_BL[one, :length],
            lengths_B=batch.lengths_B[one],
            own_B=batch.own_B[one],
        )
        query_1D, intent_1 = forward(model, alone)
        torch.testing.assert_close(query_1D[0], query_BD[row], **CLOSE)
        torch.testing.assert_close(intent_1[0], intent_B[row], **CLOSE)


def test_what_stands_in_the_padding_does_not_matter(model):
    batch = random_batch([3, 5])
    rubbish = replace(batch, items_BL=np.where(np.arange(5) < batch.lengths_B[:, None], batch.items_BL, 11))
    assert not np.array_equal(rubbish.items_BL, batch.items_BL)
    for one, other in zip(forward(model, batch), forward(model, rubbish), strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


def test_a_prefix_has_the_query_and_intent_of_its_place_in_the_longer_row(model):
    batch = random_batch([LENGTH])
    _, logits_BL1, *queries = at_every_position(model, batch)
    for length in range(1, LENGTH + 1):
        prefix = replace(batch, lengths_B=np.array([length]))
        for ask in range(BEHAVIOURS):
            query_BD, intent_B = forward(model, prefix, ask)
            torch.testing.assert_close(query_BD[:, :-1], queries[ask][:, length - 1], **CLOSE)
            torch.testing.assert_close(intent_B, logits_BL1[:, length - 1, 0].sigmoid(), **CLOSE)


def test_the_behaviour_asked_for_changes_the_query_and_not_the_intent(model):
    batch = random_batch([4, 4, 4])
    answers = [forward(model, batch, ask) for ask in range(BEHAVIOURS)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (answers[one][0] - answers[other][0]).norm(dim=1).min() > 0.1
        assert torch.equal(answers[one][1], answers[other][1])
    mixed, _ = forward(model, batch, [2, 0, 1])
    torch.testing.assert_close(mixed, torch.stack([answers[ask][0][row] for row, ask in enumerate([2, 0, 1])]), **CLOSE)


@pytest.mark.parametrize("column", ["items_BL", "behaviours_BL", "gaps_BL"])
def test_every_input_changes_the_answer(model, column):
    batch = random_batch([LENGTH])
    changed = getattr(batch, column).copy()
    changed[0, 1] = (changed[0, 1] + 1) % 3
    query_BD, _ = forward(model, batch)
    assert (forward(model, replace(batch, **{column: changed}))[0] - query_BD).norm() > 1e-3


def test_the_order_of_events_changes_the_answer(model):
    batch = random_batch([3])
    zeros = np.zeros_like(batch.gaps_BL)
    batch = replace(batch, items_BL=np.array([[1, 2, 3]]), behaviours_BL=zeros, gaps_BL=zeros)
    swapped = replace(batch, items_BL=np.array([[2, 1, 3]]))
    assert (forward(model, batch)[0] - forward(model, swapped)[0]).norm() > 1e-3


def test_permuting_the_catalogue_permutes_the_scores():
    tokens = [[f"brand={item % 3}"] for item in range(12)]
    order = np.random.default_rng(0).permutation(12)  # new item number -> old item number
    model, permuted = make_model(tokens=tokens), make_model(tokens=[tokens[item] for item in order])
    permuted.load_state_dict(model.state_dict())
    permuted.items.item.weight.data = model.items.item.weight.data[order]
    batch = random_batch([3, 6])
    renamed = replace(batch, items_BL=np.argsort(order)[batch.items_BL])
    scores_BV = forward(model, batch)[0] @ model.items().T
    scores_of_permuted_BV = forward(permuted, renamed)[0] @ permuted.items().T
    torch.testing.assert_close(scores_of_permuted_BV, scores_BV[:, order], **CLOSE)


@pytest.mark.parametrize("log_temperature", [-3.0, 3.0, 50.0])
def test_no_logit_is_larger_than_the_bound_whatever_was_learned(model, log_temperature):
    learned = make_model(seed=1)
    learned.encoder.log_temperature.data.fill_(log_temperature)
    query_BD, _ = forward(learned, random_batch([6, 6]))
    bound = min(np.exp(log_temperature), MAX_TEMPERATURE)
    torch.testing.assert_close(query_BD.norm(dim=1), torch.full((2,), bound), rtol=1e-4, atol=0)
    assert (query_BD @ learned.items().T).abs().max() <= bound * 1.0001
    assert MAX_TEMPERATURE * 1.0001 < SAFE_LOGIT


def test_dropout_is_of_training_alone(model):
    batch = random_batch([6])
    assert torch.equal(forward(model, batch)[0], forward(model, batch)[0])
    learning = make_model(config=replace(CONFIG, dropout=0.5, item_dropout=0.5)).train()
    assert not torch.equal(forward(learning, batch)[0], forward(learning, batch)[0])


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"dim": 1}, "model.dim must be at least 2, got 1"),
        ({"layers": 0}, "model.layers must be at least 1, got 0"),
        ({"heads": 0}, "model.heads must be at least 1, got 0"),
        ({"max_length": 0}, "model.max_length must be at least 1, got 0"),
        ({"dropout": 1.0}, "model.dropout must be from 0 to 0.95, got 1.0"),
        ({"item_dropout": -0.1}, "model.item_dropout must be from 0 to 0.95, got -0.1"),
        ({"item_dropout": float("nan")}, "model.item_dropout must be from 0 to 0.95, got nan"),
        ({"dim": 9, "heads": 2}, "model.dim must be a multiple of model.heads (2), got 9"),
        ({"temperature": 0.0}, "model.temperature must be above 0 and at most 60.0, got 0.0"),
        ({"temperature": float("nan")}, "model.temperature must be above 0 and at most 60.0, got nan"),
        ({"temperature": 61.0}, "model.temperature must be above 0 and at most 60.0, got 61.0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(setting, sentence):
    with pytest.raises(ValueError) as caught:
        ModelConfig(**setting)
    assert sentence in str(caught.value)


def test_a_trend_is_weighed_by_the_query_and_an_item_never_met_has_none():
    tokens = [["a=1"], ["a=1"], ["a=1"]]
    catalogue = make_catalogue(make_sessions([]), trained=2, newcomers=1, tokens=tokens)
    sessions = make_sessions([[0, 0, 0, 0], [1, 1]])
    following = NextItemModel(CONFIG, catalogue, behaviours=BEHAVIOURS, gap_buckets=SPEC.gap_buckets, sessions=sessions)
    batch = random_batch([3], items=2)
    following.eval().encoder.get_buffer("trend_weights").copy_(torch.tensor([0.0, 2.0, -1.0]))
    with torch.no_grad():
        vectors_NE = following.items()
    torch.testing.assert_close(vectors_NE[:, -1], torch.tensor([*trends(sessions, items=2), 0.0]))
    for ask, weight in enumerate((0.0, 2.0, -1.0)):
        query_BE, _ = forward(following, batch, ask)
        alone_BN = query_BE[:, :-1] @ vectors_NE[:, :-1].T
        torch.testing.assert_close(query_BE @ vectors_NE.T, alone_BN + weight * vectors_NE[:, -1], **CLOSE)


def test_dropout_follows_from_how_often_an_item_is_a_target():
    scarce = ModelConfig().suited(targets=2_000, items=100)  # 20 times each
    assert (scarce.dropout, scarce.item_dropout) == (0.3, 0.5)
    plenty = ModelConfig().suited(targets=32_000, items=100)  # 16 times as often: an eighth
    assert (plenty.dropout, plenty.item_dropout) == (0.0375, 0.0625)
    given = ModelConfig(dropout=0.0, item_dropout=0.4).suited(targets=32_000, items=100)
    assert (given.dropout, given.item_dropout) == (0.0, 0.4)


@pytest.mark.parametrize("network", Network)
def test_a_model_that_learned_nothing_yet_answers_with_what_was_just_seen(network):
    torch.manual_seed(0)
    catalogue = make_catalogue(make_sessions([]), trained=300)
    config = ModelConfig(network=network, max_length=6, dropout=0.3, item_dropout=0.5)
    untrained = NextItemModel(config, catalogue, behaviours=BEHAVIOURS, gap_buckets=SPEC.gap_buckets).eval()
    batch = random_batch([1, 2, 3, 6], items=300)
    query_BE, _ = forward(untrained, batch)
    with torch.no_grad():
        best_B = (query_BE @ untrained.items().T).argmax(dim=1)
    assert best_B.tolist() == batch.items_BL[np.arange(4), batch.lengths_B - 1].tolist()


def counted(model, batch):
    return model.encoder.counted(*counts(batch))


def test_what_is_counted_of_a_session_by_hand(model):
    batch = random_batch([3, 1])
    batch.behaviours_BL[0, :3], batch.behaviours_BL[1, 0] = (0, 0, 1), 2
    two, one, three = math.log(2), math.log(3), math.log(4)
    # one; latest click, cart, purchase; log(1 + how many of each); whether any; of 1, 2 or 3 events; log(1 + how many)
    assert counted(model, batch).tolist() == pytest.approx(
        [
            pytest.approx([1, 0, 1, 0, one, two, 0, 1, 1, 0, 0, 0, 1, three]),
            pytest.approx([1, 0, 0, 1, 0, 0, two, 0, 0, 1, 1, 0, 0, two]),
        ]
    )
    assert count_features(3) == 14
    np.testing.assert_allclose(counted(model, batch), counted_features(*batch.counted(3)), rtol=1e-6)
    assert counted(model, batch)[:, latest_counts(3)].tolist() == [[0, 1, 0], [0, 0, 1]]


def test_earlier_sessions_are_not_counted():
    model = make_model(config=replace(CONFIG, history=2))
    batch = replace(random_batch([4]), own_B=np.array([2]))
    batch.behaviours_BL[0] = (2, 2, 0, 1)
    assert counted(model, batch)[0, 4:10].tolist() == pytest.approx([math.log(2), math.log(2), 0, 1, 1, 0])


def test_weights_of_a_version_that_counted_nothing_are_read_as_counting_nothing(model):
    state = {name: value for name, value in model.state_dict().items() if not name.endswith("intent_by_counts")}
    other = make_model(
        config=replace(CONFIG, network=next(n for n, kind in ENCODERS.items() if type(model.encoder) is kind)), seed=3
    )
    other.encoder.intent_by_counts.fill_(1.0)
    other.load_state_dict(state)
    assert not other.encoder.intent_by_counts.any()
    batch = random_batch([2, 5])
    torch.testing.assert_close(forward(other, batch)[1], forward(model, batch)[1], **CLOSE)
