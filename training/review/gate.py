"""Promotion gate: what a model must pass before it is served. A check is a name, a verdict and the line that says why.

Quality is compared with the champion case by case on the same test. A model is worse where the whole paired interval
of a metric lies below zero, over all cases or over those of one behaviour. The intervals are Bonferroni-corrected for
the number of metrics and slices: a model equal to the champion is refused by chance in one gate out of forty, not in
one out of five.

A champion a little worse than the one before, again and again, would lead far down, each step within noise. So in each
figure the best of all champions so far that were tested on the same cases stands as the mark, and what is worse than it
by more than noise is refused. Surprising: the correction does not count these comparisons, so that the one with the
champion stays as strict as it was. A reviewer who rejects a former champion takes its mark away.

Shapes: C cases, B sessions of a batch, N items, D columns of an item row.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.bundle import Bundle
from tillside.encoding.live import encode_session
from tillside.engine import Engine
from tillside.events import TIME_UNKNOWN
from training.bundle.parity import TOLERANCE, TOP
from training.evaluation.case_ranks import METRICS, Ranks
from training.evaluation.served import answer_session
from training.review.markdown import bold, markdown_row

ERROR_SHARE: Final = 0.05
FEWEST_SESSIONS: Final = 20
"""Minimum sessions of a behaviour to compare it by itself: a bootstrap over fewer says little about their variance."""
EVENTS: Final = 20
POLICY: Final = "policy"
"""The system in policy.json that would be served."""
ANSWERS: Final = 100
WARM: Final = 10


@dataclass(frozen=True)
class Check:
    """One check of the gate."""

    name: str
    passed: bool
    line: str


def check_parity(manifest: Mapping[str, Any]) -> Check:
    """Torch and onnxruntime agreed within TOLERANCE, as measured at export."""
    parity = manifest.get("parity") or {}
    difference, prefixes = parity.get("max_difference"), parity.get("prefixes", 0)
    if difference is None or not prefixes:
        return Check("parity", False, "the manifest records no comparison of torch and onnxruntime")
    line = f"torch and onnxruntime differ by {difference:.1e} on {prefixes} prefixes, allowed {TOLERANCE:.0e}"
    return Check("parity", difference < TOLERANCE, line)


def check_latency(bundle: Bundle, *, budget_ms: float, seed: int) -> Check:
    """Median latency within budget for sessions of 20 events, one at a time and on one thread, as in the server."""
    p50_ms = answer_ms(bundle, seed=seed)
    line = f"an answer to {EVENTS} events takes {p50_ms:.2f} ms at the median, allowed {budget_ms:g} ms"
    return Check("latency", p50_ms <= budget_ms, line)


def answer_ms(bundle: Bundle, *, seed: int) -> float:
    """Median latency of an answer, milliseconds, on this machine as it is now."""
    engine, rng = Engine(bundle.path, bundle.items_ND, bundle.search), np.random.default_rng(seed)
    memory = bundle.memory
    items, behaviours, seconds = len(bundle.items_ND), len(bundle.behaviours), []
    for _ in range(WARM + ANSWERS):
        events = rng.integers(0, items, EVENTS), rng.integers(0, behaviours, EVENTS), np.full(EVENTS, TIME_UNKNOWN)
        ask_B = rng.integers(0, behaviours, 1)
        started = time.perf_counter()
        batch = encode_session(*events, spec=bundle.encoding, known_items=items)
        answer_session(engine, memory, batch, ask_B, k=min(TOP, items))
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[WARM:]) * 1000)


def check_intent(manifest: Mapping[str, Any]) -> Check:
    """Says whether the bundle tells purchase intent; a model that cannot may be promoted, as it answers null."""
    if manifest.get("intent"):
        return Check("intent", True, "answers tell purchase intent")
    reason = manifest.get("intent_unknown") or "the log had no labels to learn it from"
    return Check("intent", True, f"purchase intent is unknown, and answers say null: {reason}")


def check_rules(policy: Mapping[str, Any] | None) -> Check:
    """The policy's answers broke no hard rule; passes where no policy was evaluated with the run."""
    if policy is None:
        return Check("rules", True, "no policy was evaluated with this run")
    broken = {
        f"{placement}/{system}": int(figures["rule_violations"])
        for placement, judged in policy.get("placements", {}).items()
        for system, figures in judged.get("systems", {}).items()
        if system == POLICY and "rule_violations" in figures
    }
    if not broken:
        return Check("rules", False, "policy.json says nothing of broken rules")
    worst = ", ".join(f"{count} at {name}" for name, count in broken.items() if count)
    return Check("rules", not worst, f"broken rules: {worst or 'none'}; allowed: none")


def check_experiment(reports: Sequence[Mapping[str, Any]]) -> Check:
    """No experiment on live shoppers is broken, harms, or is lost; one that still runs says nothing against it."""
    told = [f"{each['name']}: {each['verdict']['sentence']}" for each in reports]
    against = [
        line
        for line, each in zip(told, reports, strict=True)
        if each["verdict"]["word"] in ("broken", "harmful", "worse")
    ]
    return Check("experiment", bool(reports) and not against, (against or told or ["the file names no experiment"])[0])


def check_quality(
    challenger: Ranks, champion: Ranks, *, seed: int, former: Mapping[str, Ranks] | None = None
) -> list[Check]:
    """Not significantly worse than the champion, nor than the mark: overall, and by behaviour.

    Args:
        former: ranks of earlier champions by version; those on other cases are left out.
    """
    if challenger.digest != champion.digest:
        line = (
            f"tested on other cases (digest {challenger.digest[:12]}) than the champion ({champion.digest[:12]}), "
            "so the two cannot be compared; training.retrain asks a champion the cases of a newer log"
        )
        return [Check("test", False, line)]
    slices, few = {}, []
    for name, chosen in challenger.slices():
        sessions = len(np.unique(challenger.sessions_C[chosen]))
        if name == "all" or sessions >= FEWEST_SESSIONS:
            slices[name] = chosen
        else:
            line = f"{name}: {sessions} sessions, fewer than the {FEWEST_SESSIONS} that are compared by themselves"
            few.append(Check(name, True, line))
    level = 1 - ERROR_SHARE / (len(slices) * len(METRICS))
    checks = [Check("test", True, f"same {len(challenger.ranks_C):,} cases as the champion, {challenger.digest[:12]}")]
    for name, chosen in slices.items():
        for metric, gain in challenger.ahead_of(champion, chosen, seed=seed, level=level).items():
            beside = f"{gain.value:+.4f} against the champion ({gain.low:+.4f} to {gain.high:+.4f})"
            checks.append(Check(f"{metric} {name}", gain.high >= 0, f"{metric} {name}: {beside}"))
    same = {number: ranks for number, ranks in (former or {}).items() if ranks.digest == challenger.digest}
    for name, chosen in slices.items():
        for metric in METRICS:
            number, mark = _mark(metric, champion, same, chosen)
            if number is not None:
                gain = challenger.ahead_of(mark, chosen, seed=seed, level=level)[metric]
                beside = f"{gain.value:+.4f} against the mark, version {number} ({gain.low:+.4f} to {gain.high:+.4f})"
                checks.append(Check(f"{metric} {name} mark", gain.high >= 0, f"{metric} {name}: {beside}"))
    return checks + few


def _mark(
    metric: str, champion: Ranks, former: Mapping[str, Ranks], chosen: npt.NDArray[np.bool_]
) -> tuple[str | None, Ranks]:
    """The former champion that is best in a metric on the chosen cases; no number where the champion itself is."""
    best: tuple[str | None, Ranks] = None, champion
    reached = float(METRICS[metric](champion.ranks_C[chosen], 20).mean())
    for number, ranks in former.items():
        value = float(METRICS[metric](ranks.ranks_C[chosen], 20).mean())
        if value > reached:
            best, reached = (number, ranks), value
    return best


def description(checks: list[Check], *, compared_with: str | None) -> str:
    """The verdict in markdown: a sentence, then a table of the checks."""
    failed = [check for check in checks if not check.passed]
    beside = f"version {compared_with}" if compared_with else "no champion"
    head = f"Refused: {failed[0].line}." if failed else f"Promoted to champion, compared with {beside}."
    rows = [markdown_row([c.name, "passed" if c.passed else bold("failed"), c.line]) for c in checks]
    return "\n".join([head, "", markdown_row(["check", "result", "why"]), "| --- | --- | --- |", *rows])
