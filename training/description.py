"""What a run's page says in words: one sentence that stands alone, then tables, in the markdown that MLflow renders.

MLflow folds a description after its first line, so that line has to say what was trained on what and how it compares.
Every number is read from the metrics document and rounded, never computed anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from training.champion import Champion
from training.evaluate import MODEL, TRANSFORMER

OWN = (MODEL, TRANSFORMER, "bundle")
"""The run's model and what else is made of it; all other systems are baselines."""
COLUMNS = ("recall@20", "mrr@20", "ndcg@20")
LIMIT = 7900
"""Characters; MLflow cuts a tag at 8,000."""
GAP = "&nbsp;&nbsp;"
"""Ends a cell: MLflow sets columns without a space between them."""
Section = Sequence[str]


@dataclass(frozen=True)
class Made:
    """What a run was made of."""

    dataset: str
    digest: str
    items: int
    parts: Mapping[str, Mapping[str, int]]
    """``sessions`` and ``events`` of training, validation and test part."""
    model: str
    """In words: softmax, size, seed."""
    git: Mapping[str, str] = field(default_factory=dict)
    bundle: Mapping[str, str] = field(default_factory=dict)
    """``path``, ``version`` and ``sha256``; empty where none was exported."""
    latency: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def with_champion(metrics: Mapping[str, Any], champion: Champion | None) -> dict[str, Any]:
    """The systems of ``metrics`` and, tested on the same data, the champion's model."""
    systems = dict(metrics["systems"])
    if champion is not None and champion.metrics is not None and champion.tested_like(metrics):
        systems[champion.label] = champion.metrics["systems"][MODEL]
    return systems


def describe(metrics: Mapping[str, Any], made: Made, champion: Champion | None, compared: Section = ()) -> str:
    """The description of a finished run; ``compared`` says how it stands to the model it was retrained from."""
    systems = with_champion(metrics, champion)
    head = [first_sentence(metrics, made, champion), ""]
    if champion is not None and champion.label not in systems:
        head += [f"{_why_not_compared(metrics, champion)} It is left out of the tables.", ""]
    head += ["### Retrained", "", *compared] if compared else []
    head += ["### Test part", "", "With 95 % bootstrap intervals over sessions.", ""]
    tables = [_table("all", {name: system["all"] for name, system in systems.items()})]
    behaviours = list(dict.fromkeys(name for system in systems.values() for name in system["by_behaviour"]))
    if len(behaviours) > 1:
        for behaviour in behaviours:
            rows = {name: s["by_behaviour"][behaviour] for name, s in systems.items() if behaviour in s["by_behaviour"]}
            tables.append(_table(behaviour, rows))
    tail = ["", *_weak_spots(metrics["systems"][MODEL]), *_intent(metrics), "", *_made_of(made)]
    return _within_limit(head, tables, tail)


def first_sentence(metrics: Mapping[str, Any], made: Made, champion: Champion | None) -> str:
    """What was trained on what, and how it does against the champion or else against the best baseline."""
    systems = metrics["systems"]
    own = systems[MODEL]["all"]["recall@20"]
    trained = f"Trained on {made.dataset} ({made.parts['training']['sessions']:,} sessions, {made.items:,} items)"
    reached = f"{trained}: recall@20 is {own['value']:.4f} on the test part"
    if champion is not None and champion.metrics is not None and champion.tested_like(metrics):
        other, name = champion.metrics["systems"][MODEL], f"the champion, {champion.name} version {champion.version}"
    else:
        baselines = {name: system for name, system in systems.items() if name not in OWN}
        if not baselines:
            return f"{reached}, with nothing to compare it with."
        best = max(baselines, key=lambda name: baselines[name]["all"]["recall@20"]["value"])
        other, name = baselines[best], f"the best baseline, {best}"
    rival = other["all"]["recall@20"]
    apart = own["low"] > rival["high"] or own["high"] < rival["low"]
    verdict = "the intervals do not overlap" if apart else "the intervals overlap"
    word = "above" if own["value"] > rival["value"] else "below" if own["value"] < rival["value"] else "level with"
    return f"{reached}, {word} {name} ({rival['value']:.4f}); {verdict}."


def _why_not_compared(metrics: Mapping[str, Any], champion: Champion) -> str:
    version = f"{champion.name} version {champion.version}"
    if champion.metrics is None:
        return f"The champion, {version}, has no metrics.json to compare with."
    digest = str(champion.metrics.get("dataset", {}).get("test_digest", "unknown"))
    here = metrics["dataset"]["test_digest"]
    return f"The champion, {version}, was tested on other data (digest {digest[:12]}, here {here[:12]})."


def _table(asked: str, rows: Mapping[str, Mapping[str, Any]]) -> Section:
    lines = []
    for name, values in rows.items():
        figures = [_figure(values[column]) for column in COLUMNS]
        lines.append(_row([asked, f"**{name}**" if name == MODEL else name, f"{values['cases']:,}", *figures]))
    return lines


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell + GAP for cell in cells) + " |"


def _figure(value: Mapping[str, float]) -> str:
    return f"{value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]"


def _weak_spots(system: Mapping[str, Any]) -> Section:
    """Where the model finds least, in each way of looking."""
    ways = {
        "by_behaviour": "asked for a {}",
        "by_prefix_length": "after {} event(s)",
        "by_popularity": "items of popularity decile {} (1 is the most popular)",
    }
    found = []
    for entry, words in ways.items():
        groups = system.get(entry, {})
        if len(groups) > 1:
            worst = min(groups, key=lambda group: groups[group]["recall@20"]["value"])
            found.append(f"{words.format(worst)} {groups[worst]['recall@20']['value']:.4f}")
    return [f"Weakest, by recall@20: {'; '.join(found)}.", ""] if found else []


def _intent(metrics: Mapping[str, Any]) -> Section:
    if "intent" not in metrics:
        return []
    intent = metrics["intent"]
    line = f"Purchase intent: AUC {intent['auc']:.4f}, calibration error {intent['calibration_error']:.4f}"
    boosting = intent.get("boosting")
    return [f"{line}; gradient boosting: AUC {boosting['auc']:.4f}." if boosting else f"{line}.", ""]


def _made_of(made: Made) -> Section:
    counts = "; ".join(
        f"{name} {part['sessions']:,} sessions, {part['events']:,} events" for name, part in made.parts.items()
    )
    lines = ["### Made of", "", f"- data set {made.dataset}, digest `{made.digest[:12]}`: {counts}", f"- {made.model}"]
    if made.git:
        lines.append(f"- commit `{made.git['commit'][:12]}`, {made.git['state']}")
    if made.bundle:
        place, version, sha256 = (made.bundle[key] for key in ("path", "version", "sha256"))
        lines.append(f"- bundle `{version}` in `{place}`; SHA-256 of its manifest `{sha256}`")
    if made.latency:
        told = ", ".join(
            f"{n} event(s) {entry['p50_ms']:.2f} / {entry['p90_ms']:.2f}" for n, entry in made.latency.items()
        )
        lines.append(f"- the bundle answers one session within, p50 / p90 in milliseconds: {told}")
    return lines


def _within_limit(head: Section, tables: Sequence[Section], tail: Section) -> str:
    """All lines, without the last behaviours' rows where MLflow would cut the text."""
    heading = [_row(["asked for", "system", "cases", *COLUMNS]), "| --- | --- " + "| ---: " * 4 + "|"]
    for kept in range(len(tables), 0, -1):
        rows = [line for table in tables[:kept] for line in table]
        left_out = ["", f"{len(tables) - kept} more behaviours are in metrics.json."] if kept < len(tables) else []
        text = "\n".join([*head, *heading, *rows, *left_out, *tail])
        if len(text) <= LIMIT:
            break
    return text[:LIMIT]
