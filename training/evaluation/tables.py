"""Metrics document as tables on the console."""

from collections.abc import Mapping
from typing import Any

from training.cli.console import print_table, say

METRICS_FILE = "metrics.json"
"""The metrics document's name in a run's folder and among its artifacts."""
HALF_WIDTH = "± is half the width of the 95 % bootstrap interval over sessions"
BRIEF = ("recall@20", "mrr@20")
SHOWN = ("recall@5", "recall@20", "mrr@20", "ndcg@20")


def brief_table(metrics: Mapping[str, Any], *, title: str) -> None:
    """Print recall@20 and MRR@20 of every system over all cases, best first, and the figures on purchase intent."""
    systems = sorted(metrics["systems"].items(), key=lambda each: -each[1]["all"][BRIEF[0]]["value"])
    rows = [[name, *(_figure(system["all"][metric]) for metric in BRIEF)] for name, system in systems]
    print_table(f"{title}, {metrics['cases']:,} cases", ["system", *BRIEF], rows, numbers=BRIEF)
    say(HALF_WIDTH)
    _say_intent(metrics)


def metrics_table(metrics: Mapping[str, Any], *, title: str) -> None:
    """Print metrics with intervals: all cases, by behaviour, seen and new targets, openings and look-ahead cases; then
    the matrix of behaviours asked for, and purchase intent.
    """
    behaviours = sorted({name for system in metrics["systems"].values() for name in system["by_behaviour"]})
    apart = [name for name in ("seen_items", "new_items") if all(name in s for s in metrics["systems"].values())]
    slices = ["all", *(behaviours if len(behaviours) > 1 else []), *(apart if len(apart) > 1 else []), "openings"]
    rows = []
    for label in slices:
        for name, system in metrics["systems"].items():
            values = (system["by_behaviour"] if label in behaviours else system).get(label)
            if values:
                rows.append([name, label, f"{values['cases']:,}", *(_figure(values[m]) for m in SHOWN)])
    for behaviour in behaviours:
        for name, system in metrics["systems"].items():
            values = system.get("look_ahead", {}).get(behaviour)
            if values:
                rows.append([name, f"later {behaviour}", f"{values['cases']:,}", *(_figure(values[m]) for m in SHOWN)])
    print_table(
        f"{title}, {metrics['cases']:,} cases", ["system", "asked", "cases", *SHOWN], rows, numbers=["cases", *SHOWN]
    )
    _asked_tables(metrics.get("asked", {}))
    say(HALF_WIDTH)
    unknown = f"{metrics['unseen_target_share']:.1%} cannot be ranked and stay as misses"
    new = f"{metrics.get('new_target_share', 0.0):.1%}"
    say(f"targets that are new, without an event before the test part: {new}; {unknown}")
    _say_intent(metrics)


def _say_intent(metrics: Mapping[str, Any]) -> None:
    if "intent_unknown" in metrics:
        say(f"purchase intent is unknown, and answers say null: {metrics['intent_unknown']}")
    if "intent" in metrics:
        intent = metrics["intent"]
        say(
            f"purchase intent: AUC {intent['auc']:.3f}, calibration error {intent['calibration_error']:.4f}, "
            f"base rate {intent['base_rate']:.3f}"
        )
        if "boosting" in intent:
            auc, error = intent["boosting"]["auc"], intent["boosting"]["calibration_error"]
            say(f"gradient boosting on session features: AUC {auc:.3f}, calibration error {error:.4f}")


def _asked_tables(asked: Mapping[str, Any]) -> None:
    """Print mrr@20 by behaviour asked for; ``*`` where its paired loss against the right one is significant (95 %)."""
    for kind, matrix in asked.items():
        names = [name for name in next(iter(matrix.values()), {}) if name != "cases"]
        columns = [f"asked for {name}" for name in names]
        rows = []
        for target, row in matrix.items():
            beaten = [name != target and row[name]["lost"]["mrr@20"]["low"] > 0 for name in names]
            figures = [_figure(row[n]["mrr@20"]) + "*" * worse for n, worse in zip(names, beaten, strict=True)]
            rows.append([target, f"{row['cases']:,}", *figures])
        if rows:
            title = f"mrr@20 of {kind.replace('_', '-')} cases by question (* significantly worse than the right one)"
            print_table(title, ["to be found", "cases", *columns], rows, numbers=["cases", *columns])


def _figure(metric: Mapping[str, float]) -> str:
    return f"{metric['value']:.4f} ±{(metric['high'] - metric['low']) / 2:.4f}"
