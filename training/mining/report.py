"""Mining report for merchandisers: each relation's strongest pairs by item name, with their statistics."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from tillside.catalogue import Catalogue
from tillside.relations import ACTIONS, RELATIONS, ManualPairs
from training.cli.foreign_text import in_markdown
from training.mining.bundling import Sets
from training.mining.pairing import Mined

ROWS_OF_AN_ITEM = 2
"""Most rows with the same item in one table, so that one large family does not fill it."""
COLUMNS = "| strength | sessions | confidence | lift | chance |"
RULE = "| ---: " * 5 + "|"


def report(
    mined: Mapping[str, Mined], sets: Sets, manual: ManualPairs, catalogue: Catalogue, *, title: str, shown: int
) -> str:
    """Render Markdown: per relation, a table of the ``shown`` strongest pairs; then the manual pairs."""
    lines = [
        f"# {in_markdown(title)}",
        "",
        "strength: how much is left, of the share of the first item's sessions that bring the second, beyond chance.",
        "sessions: with both. confidence: their share of the first item's sessions. lift: how many times as often as",
        "expected. chance: the probability that so many meet by chance. Only the strongest stand here,",
        "an item in two rows at most; the tables hold all of them.",
    ]
    for name in RELATIONS:
        pairs = mined[name]
        lines += ["", f"## {name}", "", f"{len(pairs):,} pairs of {len(np.unique(pairs.anchors)):,} items."]
        if name == "bundle":
            lines += [f"They come from {len(sets):,} sets; strength: how often the set is taken when its most frequent"]
            lines += ["item is.", "", *_sets(sets, catalogue, shown)]
        elif len(pairs):
            lines += ["", *_pairs(pairs, catalogue, shown)]
    lines += ["", "## Set by hand", "", f"{len(manual):,} pairs."]
    for row in range(len(manual)):
        one, other = int(manual.anchors[row]), int(manual.items[row])
        words = ACTIONS[manual.actions[row]], RELATIONS[manual.relations[row]]
        lines.append(f"- {words[0]} {words[1]}: {_label(catalogue, one)} → {_label(catalogue, other)}")
    return "\n".join(lines) + "\n"


def _pairs(pairs: Mined, catalogue: Catalogue, shown: int) -> list[str]:
    order = np.lexsort((pairs.items, pairs.anchors, -pairs.counts, -pairs.strengths)).tolist()
    best = _varied(((row, (int(pairs.anchors[row]), int(pairs.items[row]))) for row in order), shown)
    lines = [f"| item | with it {COLUMNS}", f"| --- | --- {RULE}"]
    for row in best:
        names = f"| {_label(catalogue, int(pairs.anchors[row]))} | {_label(catalogue, int(pairs.items[row]))} "
        figures = (
            _figure(pairs.confidence[row], ".3f"),
            _figure(pairs.lift[row], ",.1f"),
            _figure(pairs.chance[row], ".0e"),
        )
        lines.append(f"{names}| {pairs.strengths[row]:.3f} | {pairs.counts[row]:,} | {' | '.join(figures)} |")
    return lines


def _sets(sets: Sets, catalogue: Catalogue, shown: int) -> list[str]:
    if not len(sets):
        return []
    lines = ["| items | strength | sessions | lift | chance |", "| --- | ---: | ---: | ---: | ---: |"]
    for row in _varied(enumerate(sets.sets), shown):
        names = " + ".join(_label(catalogue, item) for item in sets.sets[row])
        figures = f"{sets.counts[row]:,} | {_figure(sets.lift[row], ',.1f')} | {_figure(sets.chance[row], '.0e')}"
        lines.append(f"| {names} | {sets.strengths[row]:.3f} | {figures} |")
    return lines


def _varied(rows: Iterable[tuple[int, tuple[int, ...]]], shown: int) -> list[int]:
    """First ``shown`` rows, skipping repeated item sets and items that already have ROWS_OF_AN_ITEM rows."""
    chosen: list[int] = []
    groups: set[frozenset[int]] = set()
    often: Counter[int] = Counter()
    for row, items in rows:
        if len(chosen) == shown:
            break
        if frozenset(items) in groups or any(often[item] == ROWS_OF_AN_ITEM for item in items):
            continue
        chosen.append(row)
        groups.add(frozenset(items))
        often.update(items)
    return chosen


def _figure(value: float, form: str) -> str:
    return "" if np.isnan(value) else format(value, form)


def _label(catalogue: Catalogue, item: int) -> str:
    return in_markdown(catalogue.label(item))
