"""A run's description in MLflow's markdown: one sentence that stands alone, then tables.

MLflow folds a description after its first line, so that line has to say what was trained on what and how it compares.
Every number is read from the metrics document and rounded, never recomputed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tillside.ranking import Interval
from training.evaluation.case_ranks import METRICS
from training.evaluation.run import MODEL, NETWORKS
from training.review.champion import Champion
from training.review.markdown import LIMIT, bold, difference, escape, markdown_row, verdict
from training.review.parts import Change, compared_parts, system_parts, why_apart

OWN = (MODEL, *NETWORKS, "bundle")
"""The run's model and its derivatives; all other systems are baselines."""
COLUMNS = ("recall@20", "mrr@20", "ndcg@20")
MOST_COMPARED = 8
"""Maximum slices in the paired comparison with the champion; more would leave no room for the rest."""
CHANCE = 0.5
"""AUC of a head that tells nothing."""
BUNDLE_LINE, LATENCY_LINE = "- bundle", "- the bundle answers"
Section = Sequence[str]


@dataclass(frozen=True)
class Made:
    """Provenance of a run: data, model, code and bundle."""

    dataset: str
    digest: str
    items: int
    """Items that can be ranked."""
    parts: Mapping[str, Mapping[str, int]]
    """``sessions`` and ``events`` of the training, validation and test parts."""
    model: str
    """Summary in words: softmax, size, seed."""
    git: Mapping[str, str] = field(default_factory=dict)
    bundle: Mapping[str, str] = field(default_factory=dict)
    """``path``, ``version`` and ``sha256``; empty where none was exported."""
    latency: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def with_champion(metrics: Mapping[str, Any], champion: Champion | None) -> dict[str, Any]:
    """The systems of ``metrics`` plus, if tested on the same data, the champion's model."""
    systems = dict(metrics["systems"])
    if champion is not None and champion.metrics is not None and champion.tested_like(metrics):
        systems[champion.label] = champion.metrics["systems"][MODEL]
    return systems


def rival_of(metrics: Mapping[str, Any], champion: Champion | None) -> str | None:
    """The system a run is compared with: the champion if tested on the same data, else the best baseline, if any."""
    if champion is not None and champion.label in with_champion(metrics, champion):
        return champion.label
    systems = {name: system for name, system in metrics["systems"].items() if name not in OWN}
    return max(systems, key=lambda name: systems[name]["all"]["recall@20"]["value"], default=None)


def describe(
    metrics: Mapping[str, Any],
    made: Made,
    champion: Champion | None,
    compared: Section = (),
    *,
    gain: Interval | None = None,
    curves: Sequence[str] = (),
) -> str:
    """The description of a finished run.

    Args:
        compared: lines of the paired comparison with the champion or with the base model it was retrained from.
        gain: in recall@20 over the system that :func:`rival_of` names, paired case by case.
        curves: links to charts of the metrics by length of the list.
    """
    systems = with_champion(metrics, champion)
    head = [first_sentence(metrics, made, champion, gain), ""]
    if champion is not None and champion.label not in systems:
        head += [f"{_why_not_compared(metrics, champion)} It is left out of the tables.", ""]
    head += compared
    head += ["### Test part", "", "With 95 % bootstrap intervals over sessions.", ""]
    tables = [_table("all", {name: system["all"] for name, system in systems.items()})]
    behaviours = list(dict.fromkeys(name for system in systems.values() for name in system["by_behaviour"]))
    if len(behaviours) > 1:
        for behaviour in behaviours:
            rows = {name: s["by_behaviour"][behaviour] for name, s in systems.items() if behaviour in s["by_behaviour"]}
            tables.append(_table(behaviour, rows))
    tail = ["", *_against_the_whole(metrics, champion), *_weak_spots(metrics["systems"][MODEL]), *_intent(metrics)]
    tail += [f"On one chart, by length of the list: {', '.join(curves)}.", ""] if curves else []
    tail += _made_of(made)
    return _within_limit(head, tables, tail)


def first_sentence(
    metrics: Mapping[str, Any], made: Made, champion: Champion | None, gain: Interval | None = None
) -> str:
    """What was trained on what, and its recall@20 against the champion or else the best baseline."""
    systems, rival = with_champion(metrics, champion), rival_of(metrics, champion)
    own = systems[MODEL]["all"]["recall@20"]
    sessions, items = f"{made.parts['training']['sessions']:,} sessions", f"{made.items:,} items that can be ranked"
    trained = f"Trained on {escape(made.dataset)} ({sessions}, {items})"
    reached = f"{trained}: recall@20 is {own['value']:.4f} on the test part"
    if rival is None:
        return f"{reached}, with nothing to compare it with."
    known = champion is not None and rival == champion.label
    name = (
        f"the {champion.role}, {champion.name} version {champion.version}" if known else f"the best baseline, {rival}"
    )
    other = systems[rival]["all"]["recall@20"]
    if gain is not None:
        told = f"{difference(gain.value, gain.low, gain.high)} case by case"
        return f"{reached}, {verdict(gain.low, gain.high)} {name} ({other['value']:.4f}): {told}."
    apart = own["low"] > other["high"] or own["high"] < other["low"]
    overlap = "the intervals do not overlap" if apart else "the intervals overlap"
    gap = own["value"] - other["value"]
    return f"{reached}, {verdict(gap, gap)} {name} ({other['value']:.4f}); {overlap}."


def beside_champion(slices: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """One row per slice and metric of :meth:`training.evaluation.case_ranks.Ranks.beside_champion`."""
    rows = []
    for name, part in slices.items():
        for metric in METRICS:
            both = [f"{part[metric][who]:.4f}" for who in ("champion", "challenger")]
            rows.append([name, f"{part['cases']:,}", metric, *both, difference(**part[metric]["gain"])])
    return rows


def champion_table(slices: Mapping[str, Mapping[str, Any]], role: str) -> Section:
    """The rows of :func:`beside_champion` as a markdown table, limited to the first MOST_COMPARED slices.

    Args:
        role: name of the other model.
    """
    kept = dict(list(slices.items())[:MOST_COMPARED])
    rest = len(slices) - len(kept)
    return [
        markdown_row(["asked for", "cases", "metric", role, "challenger", "difference, paired 95 %"]),
        "| --- | ---: | --- | ---: | ---: | ---: |",
        *map(markdown_row, beside_champion(kept)),
        "",
        *([f"{rest} more behaviours are left out here.", ""] if rest else []),
        *_told(f"the {role}", {metric: compared_parts(slices, metric) for metric in METRICS}),
    ]


def _against_the_whole(metrics: Mapping[str, Any], champion: Champion | None) -> Section:
    """Why the whole and a behaviour part ways, beside the best baseline and beside the model without its blend.

    Beside a champion :func:`champion_table` says it.
    """
    systems, rival, lines = metrics["systems"], rival_of(metrics, champion), []
    beside = {rival: rival} if rival in systems else {}
    beside |= {name: f"the {name} alone" for name in NETWORKS if name in systems}
    for name, words in beside.items():
        both = {metric: system_parts(systems[MODEL], systems[name], metric) for metric in METRICS}
        lines += _told(str(words), both)
    return lines


def _told(than: str, changes: Mapping[str, tuple[Change, Sequence[Change]]]) -> list[str]:
    """A paragraph for each metric of which a part goes against the whole."""
    found = (why_apart(*each, metric=metric, than=than) for metric, each in changes.items())
    return [line for sentence in found if sentence is not None for line in (escape(sentence), "")]


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
        lines.append(markdown_row([asked, bold(name) if name == MODEL else name, f"{values['cases']:,}", *figures]))
    return lines


def _figure(value: Mapping[str, float]) -> str:
    return f"{value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]"


def _weak_spots(system: Mapping[str, Any]) -> Section:
    """The group with the lowest recall@20 of each breakdown."""
    ways = {
        "by_behaviour": "asked for a {}",
        "by_prefix_length": "after {} event(s)",
        "by_popularity": "items of popularity decile {} (1 is the most popular tenth of those that can be ranked)",
    }
    found = []
    for entry, words in ways.items():
        groups = system.get(entry, {})
        if len(groups) > 1:
            worst = min(groups, key=lambda group: groups[group]["recall@20"]["value"])
            found.append(f"{words.format(worst)} {groups[worst]['recall@20']['value']:.4f}")
    return [f"Weakest, by recall@20: {'; '.join(found)}.", ""] if found else []


def _intent(metrics: Mapping[str, Any]) -> Section:
    if "intent_unknown" in metrics:
        return [f"Purchase intent is unknown, and answers say null: {metrics['intent_unknown']}.", ""]
    if "intent" not in metrics:
        return []
    intent = metrics["intent"]
    line = f"Purchase intent: AUC {intent['auc']:.4f}, calibration error {intent['calibration_error']:.4f}"
    if "mean_predicted" in intent:
        line += f", mean {intent['mean_predicted']:.4f} where {intent['mean_observed']:.4f} happened"
    for part, own in intent.get("by_items", {}).items():
        line += f"; of {own['cases']:,} moments with {part}, mean {own['mean_predicted']:.4f} where "
        line += f"{own['mean_observed']:.4f} happened"
    if intent.get("auc_low", 1.0) <= CHANCE:
        line += f"; it does not tell shoppers apart (AUC {intent['auc_low']:.2f} to {intent['auc_high']:.2f})"
    boosting = intent.get("boosting")
    return [f"{line}; gradient boosting: AUC {boosting['auc']:.4f}." if boosting else f"{line}.", ""]


def _made_of(made: Made) -> Section:
    counts = "; ".join(
        f"{name} {part['sessions']:,} sessions, {part['events']:,} events" for name, part in made.parts.items()
    )
    lines = [
        "### Made of",
        "",
        f"- data set {escape(made.dataset)}, digest `{made.digest[:12]}`: {counts}",
        f"- {made.model}",
    ]
    if made.git:
        lines.append(f"- commit `{made.git['commit'][:12]}`, {made.git['state']}")
    return lines + bundle_lines(made.bundle, made.latency)


def bundle_lines(bundle: Mapping[str, str], latency: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Last lines of a description: the exported bundle and its latency; empty without a bundle."""
    if not bundle:
        return []
    place, version, sha256 = (bundle[key] for key in ("path", "version", "sha256"))
    told = ", ".join(f"{n} event(s) {entry['p50_ms']:.2f} / {entry['p90_ms']:.2f}" for n, entry in latency.items())
    return [
        f"{BUNDLE_LINE} `{version}` in `{place}`; SHA-256 of its manifest `{sha256}`",
        *([f"{LATENCY_LINE} one session within, p50 / p90 in milliseconds: {told}"] if told else []),
    ]


def with_bundle(text: str, bundle: Mapping[str, str], latency: Mapping[str, Mapping[str, float]]) -> str:
    """A run's description after a later export, whose bundle replaces an earlier one."""
    kept = [line for line in text.splitlines() if not line.startswith((BUNDLE_LINE, LATENCY_LINE))]
    return "\n".join([*kept, *bundle_lines(bundle, latency)])[:LIMIT]


def _within_limit(head: Section, tables: Sequence[Section], tail: Section) -> str:
    """The whole text, without the last behaviours' rows where it would exceed LIMIT."""
    heading = [markdown_row(["asked for", "system", "cases", *COLUMNS]), "| --- | --- " + "| ---: " * 4 + "|"]
    for kept in range(len(tables), 0, -1):
        rows = [line for table in tables[:kept] for line in table]
        left_out = ["", f"{len(tables) - kept} more behaviours are in metrics.json."] if kept < len(tables) else []
        text = "\n".join([*head, *heading, *rows, *left_out, *tail])
        if len(text) <= LIMIT:
            break
    return text[:LIMIT]
