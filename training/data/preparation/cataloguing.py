"""Catalogue of a prepared log: ordered items with event counts, a typical price, attribute tokens and a name.

The final item order is fixed here, since only here is it known which cold items share a token with a trained one.

A price is the median over the training events, else the item file's, else the median over the later events: what a shop
knows of an item on the day it first offers it. An attribute is the most frequent value in the events, ranked first by
events before the training part ends, else the item file's. Shapes: N items, B behaviours.
"""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from tillside.catalogue import PRICE_BAND, Catalogue, attribute_tokens, described_items, pack_tokens, price_bands
from tillside.events import ITEM_ID, NAME, PRICE, TIMESTAMP, Behaviours
from training.data.columns import CODE, COUNT, EARLY, PART, RANK, TRAINED, count_column
from training.data.engine import QueryEngine
from training.data.preparation.splits import TRAIN


def build_catalogue(
    engine: QueryEngine,
    coded: ir.Table,
    ranked: ir.Table,
    item_file: ir.Table | None,
    *,
    events: ir.Table,
    before: int,
    attributes: Sequence[str],
    behaviours: Behaviours,
) -> tuple[Catalogue, npt.NDArray[np.int64]]:
    """Build the catalogue of the items in ``ranked`` (from ``rank_items``).

    Args:
        engine: owner of the tables.
        coded: events from ``code_events``.
        ranked: items in order.
        item_file: ITEM_ID and further columns, or None.
        events: canonical events.
        before: end of the training part in epoch milliseconds, from ``training_ends``.
        attributes: columns of ``events`` that describe the item.
        behaviours: behaviours to count.

    Returns:
        The catalogue, and the catalogue index of each CODE, int64 [N].
    """
    ids = engine.backend.to_pyarrow(ranked.order_by(CODE).select(ITEM_ID))[ITEM_ID].to_pylist()
    counts = [count_column(index) for index in range(len(behaviours))]
    numbers = engine.arrays(ranked.order_by(CODE), [TRAINED, *counts])
    listed = None if item_file is None else item_file.inner_join(ranked.select(ITEM_ID, CODE), ITEM_ID)
    columns = {}
    for name in attributes:
        values = _most_frequent(events, name, before).inner_join(ranked.select(ITEM_ID, CODE), ITEM_ID)
        columns[name] = _column(engine, values, name, len(ids))
    if listed is not None:
        listed = engine.keep(listed)
        for name in [name for name in listed.columns if name not in (ITEM_ID, CODE, PRICE)]:
            given = _column(engine, listed.select(CODE, name), name, len(ids))
            early = columns.get(name)
            columns[name] = (
                given if early is None else [a if a is not None else b for a, b in zip(early, given, strict=True)]
            )
    prices_N = _prices(engine, coded, listed, len(ids))
    names = [str(name or "") for name in columns.pop(NAME, [])]
    bands = [str(band) if band >= 0 else None for band in price_bands(prices_N).tolist()]
    tokens = _tokens(columns | {PRICE_BAND: bands}, len(ids))
    trained = int(numbers[TRAINED].sum())
    described_N = described_items(*pack_tokens(tokens), trained=trained)
    order = np.argsort(~described_N, kind="stable")
    vocabulary, token_ids, token_offsets = pack_tokens(tokens[code] for code in order)
    catalogue = Catalogue(
        item_ids=[ids[code] for code in order],
        trained=trained,
        counts_NB=np.stack([numbers[name] for name in counts], axis=1).astype(np.int64)[order],
        prices_N=prices_N[order],
        names=[names[code] for code in order] if any(names) else [],
        vocabulary=vocabulary,
        token_ids=token_ids,
        token_offsets=token_offsets,
    )
    return catalogue, np.argsort(order)


def _most_frequent(events: ir.Table, name: str, before: int) -> ir.Table:
    """Most frequent value per item, by events earlier than ``before``, then by all events, then the smaller text."""
    known = events.filter(events[name].notnull())
    early = (known[TIMESTAMP] < before).cast("int64").sum()
    values = known.group_by(ITEM_ID, name).agg(**{EARLY: early, COUNT: known.count()})
    order = [values[EARLY].desc(), values[COUNT].desc(), values[name]]
    ranked = values.mutate(**{RANK: ibis.row_number().over(group_by=values[ITEM_ID], order_by=order)})
    return ranked.filter(ranked[RANK] == 0).select(ITEM_ID, name)


def _column(engine: QueryEngine, table: ir.Table, name: str, size: int) -> list[Any]:
    data = engine.backend.to_pyarrow(table)
    column: list[Any] = [None] * size
    for code, value in zip(data[CODE].to_pylist(), data[name].to_pylist(), strict=True):
        column[code] = value
    return column


def _prices(engine: QueryEngine, coded: ir.Table, listed: ir.Table | None, size: int) -> npt.NDArray[np.float32]:
    prices_N = np.full(size, np.nan, np.float32)
    sources = []
    if PRICE in coded.columns:
        later = coded.filter(coded[PRICE].notnull())
        early = later.filter(later[PART] == TRAIN)
        sources += [table.group_by(CODE).agg(**{PRICE: table[PRICE].median()}) for table in (early, later)]
    if listed is not None and PRICE in listed.columns:
        sources.insert(1, listed.filter(listed[PRICE].notnull()).select(CODE, PRICE))
    for table in sources:
        found = engine.arrays(table, [CODE, PRICE])
        unknown = np.isnan(prices_N[found[CODE]])
        prices_N[found[CODE][unknown]] = found[PRICE][unknown]
    return prices_N


def _tokens(columns: dict[str, list[Any]], size: int) -> list[list[str]]:
    """Attribute tokens per item; a value shared by many items is tokenised once."""
    tokens: list[list[str]] = [[] for _ in range(size)]
    for name, column in columns.items():
        cache: dict[Any, list[str]] = {}
        for own, value in zip(tokens, column, strict=True):
            if value is None:
                continue
            key = tuple(value) if isinstance(value, list) else value
            if key not in cache:
                cache[key] = attribute_tokens({name: value})
            own += cache[key]
    return tokens
