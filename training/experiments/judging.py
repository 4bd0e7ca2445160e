"""Another policy judged by a log: per placement, what its answers would have earned, and what cannot be told.

The log's answers come from the tables that ``training.measure`` joins, what the other policy makes of them from
:mod:`training.experiments.retraced`, the estimates from :mod:`training.experiments.off_policy`. Two things are looked
at before anything is estimated: whether what the policy would show had a chance to be shown in the log, and whether it
would fill slots that the log left empty. What came of neither is known.

Shapes: A answers, L slots, I items, F folds of the subjects.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from training.data.engine import QueryEngine
from training.experiments.off_policy import (
    ESTIMATORS,
    FORMS,
    LEAST_EFFECTIVE,
    Estimate,
    Floats,
    Logged,
    clustered_error,
    estimate,
)
from training.experiments.subjects import ANSWERS, OUTCOMES, measured

OUTCOMES_JUDGED: Final[Mapping[str, str]] = {"clicks": "clicked", "purchases": "bought"}
"""What an answer earns, by the column that counts it."""
LEAST_COVERED: Final = 0.9
"""Share of what a policy would show that the log had a chance to show, below which nothing is estimated."""
MOST_UNKNOWN: Final = 0.01
"""Share of the slots that a policy would fill and the log left empty, above which nothing is estimated."""
Ints = npt.NDArray[np.int64]
AGREEING: Final = 1e-6
PRIOR: Final = 2.0
"""Expected rewards that weigh as much as those of an item, in the model of the reward."""
FOLDS: Final = 2


@dataclass
class PlacementLog:
    """The answers of one placement, and what the policy that is judged makes of them.

    Attributes:
        rows: row of each answer, by recommendation_id.
        numbers: of the items, by id.
        items_AL: numbers of the shown items; -1 where the answer had no slot.
        rewards: what came of each slot, by outcome.
        expected: reward that a model expects of the slot under the policy that is judged, by outcome.
        retraced_A: which answers it was asked about.
        filled_A, unknown_A: slots that it would fill, and those of them that the answer left empty.
        own_A: answers that were given by itself.
    """

    rows: dict[str, int]
    numbers: dict[str, int]
    subjects_A: Ints
    items_AL: Ints
    propensities_AL: Floats
    rewards: dict[str, Floats]
    chances_AL: Floats
    judged_AL: npt.NDArray[np.bool_]
    expected: dict[str, Floats]
    retraced_A: npt.NDArray[np.bool_]
    filled_A: Ints
    unknown_A: Ints
    own_A: npt.NDArray[np.bool_]
    models: "dict[str, RewardModel]"

    def take(self, line: Mapping[str, Any]) -> None:
        """Put down what the policy makes of one answer: a line of ``training.experiments.retraced``."""
        row = self.rows.get(line["recommendation_id"])
        if row is None or self.retraced_A[row]:
            return
        slots = min(len(line["chances"]), self.chances_AL.shape[1])
        self.retraced_A[row], self.own_A[row] = True, line["own"]
        self.chances_AL[row, :slots] = line["chances"][:slots]
        self.judged_AL[row, : line["slots"]] = True
        self.filled_A[row] = line["slots"]
        self.unknown_A[row] = max(0, line["slots"] - len(line["chances"]))
        fold = int(self.subjects_A[row] % FOLDS)
        for place, spread in enumerate(line["spread"][:slots]):
            shown = np.array([self.numbers.get(item, -1) for item in spread], np.int64)
            chances = np.fromiter(spread.values(), float, len(spread))
            for outcome, model in self.models.items():
                self.expected[outcome][row, place] = chances @ model.of(fold, place, shown)


@dataclass(frozen=True)
class RewardModel:
    """Expected reward of an item in a slot: the slot's mean times how much more than expected the item earns.

    Of each half of the subjects the other half's, so that no reward is expected because it came.
    """

    means_FL: Floats
    factors_FI: Floats

    @classmethod
    def fitted(cls, rewards_AL: Floats, items_AL: Ints, fold_A: Ints, *, items: int) -> "RewardModel":
        """Model of the rewards of answers that belong to folds of subjects."""
        means, factors = [], []
        for fold in range(FOLDS):
            own = fold_A != fold
            shown_AL = (items_AL >= 0) & own[:, None]
            mean_L = (rewards_AL * shown_AL).sum(0) / np.maximum(shown_AL.sum(0), 1)
            codes = items_AL[shown_AL]
            earned = np.bincount(codes, weights=rewards_AL[shown_AL], minlength=items)
            usual = np.bincount(codes, weights=np.broadcast_to(mean_L, shown_AL.shape)[shown_AL], minlength=items)
            means.append(mean_L)
            factors.append(np.append((earned + PRIOR) / (usual + PRIOR), 1.0))
        return cls(np.stack(means), np.stack(factors))

    def of(self, fold: int, place: int, items: Ints) -> Floats:
        """Expected rewards of items in a slot; -1 is an item that was never shown."""
        found: Floats = self.means_FL[fold, place] * self.factors_FI[fold, items]
        return found

    def of_shown(self, fold_A: Ints, items_AL: Ints) -> Floats:
        """Expected rewards of what was shown [A, L]."""
        found: Floats = self.means_FL[fold_A] * self.factors_FI[fold_A[:, None], items_AL]
        return found


def logs_of(engine: QueryEngine, folder: Path) -> dict[str, PlacementLog]:
    """The answers of each placement in which anything was left to chance.

    Args:
        folder: of the tables that ``training.measure`` wrote.

    Raises:
        ValueError: there are none.
    """
    slots = measured(engine, folder, OUTCOMES)
    placements = []
    if slots is not None:
        drawn = slots.filter(slots.propensity < 1).select("placement").distinct()
        placements = sorted(row["placement"] for row in engine.rows(drawn) if row["placement"] is not None)
    if not placements:
        raise ValueError(
            "the log holds no answer that was left to chance: give a placement of the policy that answers explore, and "
            "log anew"
        )
    return {name: _log(engine, folder, slots, name) for name in placements}


def _log(engine: QueryEngine, folder: Path, slots: ir.Table, placement: str) -> PlacementLog:
    answers = measured(engine, folder, ANSWERS)
    own = answers.filter(answers.placement == placement)
    own = own.group_by("recommendation_id").agg(subject=own.subject.min(), time=own.time.min())
    found = engine.backend.to_pyarrow(own.order_by("time", "recommendation_id").select("recommendation_id", "subject"))
    ids = found["recommendation_id"].to_pylist()
    rows = {name: row for row, name in enumerate(ids)}
    _, subjects_A = np.unique(np.array(found["subject"].to_pylist(), object).astype(str), return_inverse=True)
    shown = slots.filter((slots.placement == placement) & slots.propensity.notnull())
    columns = ["recommendation_id", "position", "item", "propensity", *OUTCOMES_JUDGED.values()]
    table = engine.backend.to_pyarrow(shown.select(columns))
    row_of = np.array([rows.get(name, -1) for name in table["recommendation_id"].to_pylist()], np.int64)
    place_of = table["position"].to_numpy().astype(np.int64) - 1
    numbers: dict[str, int] = {}
    items = np.array([numbers.setdefault(item, len(numbers)) for item in table["item"].to_pylist()], np.int64)
    kept = row_of >= 0
    where = row_of[kept], place_of[kept]
    shape = len(ids), int(place_of.max(initial=0)) + 1

    def spread(values: npt.NDArray[Any], empty: float) -> npt.NDArray[Any]:
        whole = np.full(shape, empty, values.dtype)
        whole[where] = values[kept]
        return whole

    items_AL = spread(items, -1)
    rewards = {
        outcome: spread(table[column].to_numpy(zero_copy_only=False).astype(float), 0.0)
        for outcome, column in OUTCOMES_JUDGED.items()
    }
    fold_A = subjects_A % FOLDS
    return PlacementLog(
        rows=rows,
        numbers=numbers,
        subjects_A=subjects_A,
        items_AL=items_AL,
        propensities_AL=spread(table["propensity"].to_numpy().astype(float), 1.0),
        rewards=rewards,
        chances_AL=np.zeros(shape),
        judged_AL=np.zeros(shape, bool),
        expected={outcome: np.zeros(shape) for outcome in rewards},
        retraced_A=np.zeros(shape[0], bool),
        filled_A=np.zeros(shape[0], np.int64),
        unknown_A=np.zeros(shape[0], np.int64),
        own_A=np.zeros(shape[0], bool),
        models={
            outcome: RewardModel.fitted(each, items_AL, fold_A, items=len(numbers)) for outcome, each in rewards.items()
        },
    )


def judged(log: PlacementLog, *, least_effective: float = LEAST_EFFECTIVE) -> dict[str, Any]:
    """What the policy would have earned at a placement, as a plain document; ``refused`` says why nothing is told."""
    kept = log.retraced_A
    shown_AL, judged_AL = log.items_AL[kept] >= 0, log.judged_AL[kept]
    found: dict[str, Any] = {"answers": int(kept.sum()), "without_request": int((~kept).sum())}
    if not kept.any():
        return found | {"refused": "no answer of it can be asked again: log with --feedback-requests 1"}
    own = kept & log.own_A
    if own.any():
        differs = np.abs(log.chances_AL - log.propensities_AL) > AGREEING
        found["own_answers"] = int(own.sum())
        found["own_agreeing"] = float(1 - (differs & (log.items_AL >= 0))[own].any(1).mean())
    unknown = float(log.unknown_A[kept].sum() / max(1, log.filled_A[kept].sum()))
    found["unknown_slots"] = unknown
    if unknown > MOST_UNKNOWN:
        return found | {
            "refused": f"{unknown:.1%} of the slots that it would fill were empty in the log, and nobody knows what "
            "they would have earned: log with as many slots"
        }
    subjects_A = log.subjects_A[kept]
    by_outcome: dict[str, Any] = {}
    for outcome, rewards_AL in log.rewards.items():
        model = log.models[outcome]
        logged = Logged(
            rewards_AL[kept],
            log.propensities_AL[kept],
            log.chances_AL[kept],
            shown_AL,
            subjects_A,
            model.of_shown(subjects_A % FOLDS, log.items_AL[kept]),
            log.expected[outcome][kept],
            judged_AL & shown_AL,
        )
        if "covered" not in found:
            covered, error = _covered(logged, judged_AL)
            found["covered"] = covered
            if covered + 2 * error < LEAST_COVERED:
                return found | {
                    "refused": f"only {covered:.0%} of what it would show had a chance to be shown in the log, and "
                    f"{LEAST_COVERED:.0%} are needed: explore among more candidates, or judge a nearer policy"
                }
        by_outcome[outcome] = _estimates(logged, least_effective)
    refusals = [each["refused"] for told in by_outcome.values() for each in told["estimates"] if "refused" in each]
    if all("refused" in each for told in by_outcome.values() for each in told["estimates"]):
        return found | {"refused": refusals[0]}
    return found | {"outcomes": by_outcome}


def _covered(logged: Logged, judged_AL: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Share of the answers that the policy would give of which the log had a chance to show as much, and its error."""
    both_A = np.minimum(logged.shown_AL.sum(1), judged_AL.sum(1))
    filled_A = both_A > 0
    if not filled_A.any():
        return 1.0, 0.0
    weights_A = logged.weights_AL("prefix")[np.arange(len(both_A)), np.maximum(both_A - 1, 0)] * filled_A
    share = filled_A.mean()
    return float(weights_A.mean() / share), clustered_error(weights_A - weights_A.mean(), logged.subjects_A) / share


def _estimates(logged: Logged, least_effective: float) -> dict[str, Any]:
    earned_A = np.where(logged.shown_AL, logged.rewards_AL, 0.0).sum(1)
    half = float(norm.isf(0.025)) * clustered_error(earned_A - earned_A.mean(), logged.subjects_A)
    told: list[dict[str, Any]] = []
    for form in FORMS:
        for estimator in ESTIMATORS:
            try:
                made: Estimate = estimate(logged, estimator, form, least_effective=least_effective)
                told.append(asdict(made))
            except ValueError as error:
                told.append({"estimator": estimator, "form": form, "refused": str(error)})
    value = float(earned_A.mean())
    return {"logged": {"value": value, "low": value - half, "high": value + half}, "estimates": told}
