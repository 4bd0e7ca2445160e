"""The base of a warm start: what was learned goes on by item id, and no judged window was learned from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.datasets import MINUTE_MS, START_MS, Event, make_dataset
from tillside.catalogue import Catalogue, pack_tokens
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders.cold_vectors import TokenVectors
from training.learning.warm_start import BaseModel, Carried, first_end, refuse_leaks
from training.model.next_item import NextItemModel
from training.settings.model import ModelConfig

DIM = 4


def catalogue_of(tokens: dict[str, list[str]]) -> Catalogue:
    """Items by id with their tokens, all trained."""
    vocabulary, ids, offsets = pack_tokens(tokens.values())
    size = len(tokens)
    return Catalogue(
        item_ids=list(tokens),
        trained=size,
        counts_NB=np.ones((size, 3), np.int64),
        prices_N=np.full(size, np.nan, np.float32),
        vocabulary=vocabulary,
        token_ids=ids,
        token_offsets=offsets,
    )


def model_of(catalogue: Catalogue, *, seed: int) -> NextItemModel:
    torch.manual_seed(seed)
    config = ModelConfig(dim=DIM, layers=1, heads=1, companions=0, dropout=0.0, item_dropout=0.0)
    return NextItemModel(config, catalogue, behaviours=3, gap_buckets=EncodingSpec().gap_buckets).eval()


def base_of(catalogue: Catalogue, **told: Any) -> BaseModel:
    """A base as the registry would give it."""
    model = model_of(catalogue, seed=1)
    tokens = model.items.learned_tokens()
    fields: dict[str, Any] = {
        "name": "shop",
        "version": "3",
        "champion": True,
        "run_id": "r",
        "catalogue": catalogue,
        "behaviours": ("click", "cart", "purchase"),
        "spec": EncodingSpec(),
        "memory": None,
        "tokens": None if tokens is None else TokenVectors(tokens.detach().numpy(), catalogue),
        "model": model,
        "config": ModelConfig(dim=DIM, layers=1, heads=1, companions=0, dropout=0.0, item_dropout=0.0),
        "learned_until": START_MS,
        "log_until": START_MS,
        "settings": {},
    }
    return BaseModel(**fields | told)


OLD = catalogue_of({"a": ["brand=x"], "b": ["brand=x", "category=hats"], "c": ["category=hats"]})


NEW = catalogue_of(
    {
        "c": ["category=hats"],
        "described": ["brand=x", "category=hats", "brand=news"],
        "a": ["brand=x"],
        "stranger": ["brand=news"],
        "b": ["brand=x", "category=hats"],
        "bare": [],
    }
)


def test_rows_go_on_by_id_and_new_ones_begin_with_their_attributes() -> None:
    """c, a, b stand elsewhere now. ``described`` shares brand=x and category=hats with what was learned; brand=news is
    shared by two items but nobody has learned it, and ``bare`` has nothing: those two keep their random rows."""
    base, model = base_of(OLD), model_of(NEW, seed=2)
    random_ND = model.items.item.weight.detach().clone()
    assert base.hand_over(model, NEW) == Carried(kept=3, described=1, fresh=2, gone=0)
    rows_ND, before_ND = model.items.item.weight.detach(), base.model.items.item.weight.detach()
    assert torch.equal(rows_ND[[2, 4, 0]], before_ND)
    assert torch.equal(rows_ND[1], torch.zeros(DIM))
    assert torch.equal(rows_ND[[3, 5]], random_ND[[3, 5]])
    own, theirs = (dict(each.encoder.named_parameters()) for each in (model, base.model))
    assert all(torch.equal(own[name], theirs[name]) for name in theirs)


def test_a_described_newcomer_is_served_as_the_parent_ranks_it_already() -> None:
    """The mean of brand=x and category=hats to unit length: that brand=news begins at zero changes no direction."""
    base, model = base_of(OLD), model_of(NEW, seed=2)
    base.hand_over(model, NEW)
    newcomers_A, rows_AE = base.newcomers(NEW)
    assert newcomers_A.tolist() == [1]
    with torch.inference_mode():
        assert torch.allclose(model.items()[1], torch.from_numpy(rows_AE[0]), atol=1e-6)
    assert base.model.items.token is not None
    x_D, hats_D = base.model.items.token.weight.detach()  # the vocabulary is sorted: brand=x, category=hats
    mean_D = (x_D + hats_D) / 2
    assert np.allclose(rows_AE[0, :DIM], (mean_D / mean_D.norm()).numpy(), atol=1e-6)


def test_another_shape_is_refused() -> None:
    wider = NextItemModel(
        ModelConfig(dim=8, layers=1, heads=1, dropout=0.0, item_dropout=0.0), NEW, behaviours=3, gap_buckets=23
    )
    with pytest.raises(ValueError, match=r"models:/shop/3 has another shape than the model to be trained"):
        base_of(OLD).hand_over(wider, NEW)


def at(minute: int, *items: int) -> list[Event]:
    """A session of clicks that ends at that minute, its events a minute apart."""
    first = minute - len(items) + 1
    return [(item, "click", START_MS + (first + place) * MINUTE_MS) for place, item in enumerate(items)]


PARTS: dict[str, list[list[Event]]] = {
    "train": [at(10, 0, 1), at(20, 1, 2)],
    "validation": [at(30, 0, 1)],
    "test": [at(40, 1, 2), at(50, 0, 2)],
}


@pytest.mark.parametrize(
    ("learned", "log", "parts", "words"),
    [
        (40, 45, {}, r"models:/shop/3 learned from sessions until 2023-11-14 22:53:20, but the validation part begins"),
        (30, 45, {}, r"until 2023-11-14 22:43:20, but the validation part begins at 2023-11-14 22:43:20; make split"),
        (
            20,
            50,
            {},
            r"the log ends at 2023-11-14 23:03:20, and models:/shop/3 had one until 2023-11-14 23:03:20; give",
        ),
        (20, 45, {"validation": [at(41, 0, 1)]}, r"go on until 2023-11-14 22:54:20, but the test part begins at"),
        (44, 45, {"validation": []}, r"but the test part begins at 2023-11-14 22:53:20; make split"),
    ],
    ids=["in the test part", "in the validation part", "nothing newer", "parts overlap", "without validation"],
)
def test_a_window_that_was_learned_from_is_refused(
    tmp_path: Path, learned: int, log: int, parts: dict[str, Any], words: str
) -> None:
    """START_MS is 2023-11-14 22:13:20; a part begins when its first session ends, at minute 30 and 40 here."""
    dataset = make_dataset(tmp_path / "new", **PARTS | parts, trained=3)
    with pytest.raises(ValueError, match=words):
        refuse_leaks(base_at(learned, log), dataset)


def base_at(learned: int, log: int) -> BaseModel:
    return base_of(OLD, learned_until=START_MS + learned * MINUTE_MS, log_until=START_MS + log * MINUTE_MS)


def test_windows_that_do_not_meet_are_fine_and_a_log_without_a_clock_is_not(tmp_path: Path) -> None:
    """A minute before validation begins is early enough."""
    dataset = make_dataset(tmp_path / "new", **PARTS, trained=3)
    assert first_end(dataset.part("test")) == START_MS + 40 * MINUTE_MS
    refuse_leaks(base_at(29, 45), dataset)
    with pytest.raises(ValueError, match=r"data\.behaviours are click, cart, purchase, but those of models:/shop/3"):
        refuse_leaks(replace(base_at(29, 45), behaviours=("click", "purchase")), dataset)
    timeless = make_dataset(tmp_path / "timeless", **PARTS, trained=3, clock=False)
    with pytest.raises(ValueError, match="the log has no clock"):
        refuse_leaks(base_at(29, 45), timeless)
