"""Real test sessions with each system's top items: what the metrics look like to a shopper.

One case per session, its last, and sessions evenly spaced over the test part, so the same data set always shows the
same examples, whatever was trained.

Shapes: C cases, S sessions, N items, B chosen cases, K items of a list.
"""

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.dataset import Dataset
from tillside.ranking import top_k
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases

EXAMPLES = 20
SHOWN = 5
SEEN = 8
"""Maximum events shown of a session, the latest ones."""
HIT = "✔"
HTML_FILE, TABLE_FILE = "sessions.html", "sessions.json"
SESSION, ASKED, CAME = "session", "asked for", "what came"
"""Columns of the table, before those of the systems."""
Shown = list[tuple[str, bool]]
"""Top items of an answer, best first, each with whether it is the target."""
STYLE = """
body { font: 13px/1.45 system-ui, sans-serif; color: #1c2733; background: #fff; margin: 16px }
table { border-collapse: collapse } th { position: sticky; top: 0; background: #f3f5f7; text-align: left }
th, td { border: 1px solid #d8dee4; padding: 6px 8px; vertical-align: top; min-width: 150px; overflow-wrap: anywhere }
td:first-child, th:first-child { min-width: 0 } ol { margin: 0; padding-left: 20px } .more { color: #6b7785 }
.hit { background: #d3f0d8; font-weight: 600 }
"""


@dataclass(frozen=True)
class Example:
    """A session prefix, its target, and the top items of every system."""

    before: list[str]
    """``behaviour: item``, oldest first."""
    asked: str
    target: str
    shown: dict[str, Shown]
    """By system."""


def choose_examples(cases: Cases, count: int = EXAMPLES) -> npt.NDArray[np.int64]:
    """Indices of the last cases of up to ``count`` evenly spaced sessions."""
    _, from_end = np.unique(cases.sessions_C[::-1], return_index=True)
    last_S = len(cases) - 1 - from_end
    places = np.linspace(0, len(last_S) - 1, min(count, len(last_S))).round().astype(np.int64)
    return last_S[places]


def show_examples(systems: Mapping[str, Scorer], dataset: Dataset, cases: Cases) -> list[Example]:
    """Examples of the chosen cases, with the top items of every system."""
    some = cases.only(choose_examples(cases))
    batch, catalogue, names = some.batch(np.arange(len(some))), dataset.catalogue, dataset.behaviours.names
    best = {name: top_k(scorer.score(batch, some.asked_C), SHOWN) for name, scorer in systems.items()}
    part = dataset.part("test")
    examples = []
    for row, (event, length) in enumerate(zip(some.events_C, some.prefix_lengths_C, strict=True)):
        seen = range(event - length, event)
        target = int(some.targets_C[row])
        examples.append(
            Example(
                before=[f"{names[part.behaviours[e]]}: {label(catalogue, int(part.items[e]))}" for e in seen],
                asked=names[some.asked_C[row]],
                target=label(catalogue, target),
                shown={
                    name: [(label(catalogue, item), item == target) for item in best_BK[row].tolist()]
                    for name, best_BK in best.items()
                },
            )
        )
    return examples


def label(catalogue: Catalogue, item: int) -> str:
    """An item's name and, if known, its price, on one line."""
    name, price = " ".join(catalogue.label(item).split()), float(catalogue.prices_N[item])
    return f"{name}, {price:,.2f}" if math.isfinite(price) else name


def examples_title(dataset: Dataset) -> str:
    """Title of a data set's examples."""
    return f"{dataset.name}: test sessions"


def write_examples(examples: Sequence[Example], folder: Path, *, title: str) -> None:
    """Write an HTML page, and the same rows as the JSON table that MLflow shows."""
    (folder / HTML_FILE).write_text(examples_page(examples, title=title), encoding="utf-8")
    rows = [examples_row(example) for example in examples]
    columns = list(rows[0]) if rows else []
    table = {"columns": columns, "data": [[row[column] for column in columns] for row in rows]}
    (folder / TABLE_FILE).write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")


def examples_row(example: Example) -> dict[str, str]:
    """One row of the table, as plain text."""
    shown = {
        name: "\n".join(f"{place}. {f'{HIT} ' * hit}{item}" for place, (item, hit) in enumerate(items, 1))
        for name, items in example.shown.items()
    }
    return {SESSION: "\n".join(example.before), ASKED: example.asked, CAME: example.target} | shown


def read_examples(path: Path) -> list[Example]:
    """Examples from the JSON table that :func:`write_examples` wrote.

    Raises:
        ValueError: it is missing or malformed.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
        return [
            Example(before.splitlines(), asked, target, {name: _items(cell) for name, cell in systems.items()})
            for before, asked, target, systems in ((r.pop(SESSION), r.pop(ASKED), r.pop(CAME), r) for r in rows)
        ]
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None


def _items(cell: str) -> Shown:
    items = [line.partition(". ")[2] for line in cell.splitlines()]
    return [(item.removeprefix(f"{HIT} "), item.startswith(f"{HIT} ")) for item in items]


def with_system(examples: Sequence[Example], name: str, shown: Sequence[Shown]) -> list[Example]:
    """Examples with another model's top items second; unchanged where ``shown`` is of other cases, by their number."""
    if len(shown) != len(examples):
        return list(examples)
    both = []
    for example, items in zip(examples, shown, strict=True):
        first, *others = example.shown.items()
        both.append(replace(example, shown=dict([first, (name, items), *others])))
    return both


def examples_page(examples: Sequence[Example], *, title: str) -> str:
    """Self-contained HTML page without scripts."""
    systems = list(examples[0].shown) if examples else []
    heads = ["", "the session", "what came", *systems]
    rows = []
    for number, example in enumerate(examples, 1):
        left_out = len(example.before) - SEEN
        more = f'<div class="more">{left_out} earlier events</div>' if left_out > 0 else ""
        before = "".join(f"<div>{html.escape(event)}</div>" for event in example.before[-SEEN:])
        came = f"{html.escape(example.asked)}: {html.escape(example.target)}"
        lists = "".join(f"<td><ol>{_places(example.shown[name])}</ol></td>" for name in systems)
        rows.append(f"<tr><td>{number}</td><td>{more}{before}</td><td>{came}</td>{lists}</tr>")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    safe = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{safe}</title>'
        f"<style>{STYLE}</style></head><body><h3>{safe}</h3>"
        f"<p>What each system would have shown; the item that came is marked {HIT}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></body></html>\n"
    )


def _places(items: Shown) -> str:
    return "".join(
        f'<li class="hit">{HIT} {html.escape(item)}</li>' if hit else f"<li>{html.escape(item)}</li>"
        for item, hit in items
    )
