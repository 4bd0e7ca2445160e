"""Purchase intent after the fit: learned at every moment, calibrated on validation, kept through the refit.

While the Transformer is fitted, the intent loss stands at events that another one follows, as the next item's does: it
shapes what the trunk notices. Taken for the answer, that would be the intent of those who stay. So intent is learned
once more at all the moments that the server is asked at, with the trunk as it is, which leaves the ranking as it is
too. First what can be counted of a session gets its weights, which are few and so cannot learn sessions by heart; then
the head, which reads the trunk's hidden state, learns what they leave open. The head has seen the sessions that the
trunk remembers, so validation says how much of it is believed, and calibrates the sum.

A refitted model has learned from validation too, and nothing is held out for it. At the moments of the training part,
from which both models have learned, its head's logits are given the spread, and the calibrated intent the mean, that
the first model's have there; so what validation found holds for it too, the level among that.

Where the server knows no item the trunk has nothing to read, and the counts alone tell (count_weights).

Shapes: M moments, B of them in a step, D width, F counts of a session, K latest behaviours.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq
from scipy.special import expit, logit
from torch import nn

from tillside.dataset import Dataset
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders.counted_intent import CountedIntent
from training.cli.progress import step
from training.evaluation.intent import auc_interval
from training.evaluation.intent_answers import Read, calibrated_intent, logits_by_counts, logits_by_hidden, read
from training.inputs.lookahead import goal_later
from training.inputs.moments import Moments, moments_of, moments_to_learn, why_not_asked
from training.learning.calibration import Fitted, Prior, fit_calibration, level_swing
from training.learning.count_weights import WIDEST, fit_counts, learn_counted_intent
from training.model.encoder import NOT_CALIBRATED, latest_counts
from training.model.losses import intent_loss
from training.model.next_item import NextItemModel

CHANCE: Final = 0.5
LEARNED_AT: Final = 200_000
"""Approximate maximum of the moments that the head learns from, of sessions evenly spaced."""
CALIBRATED_AT: Final = 100_000
BATCH: Final = 1024
MOST_STEPS: Final = 2_000
MOST_EPOCHS: Final = 20
LEARNING_RATE: Final = 1e-3
WEIGHT_DECAY: Final = 0.01
ENOUGH_GOALS: Final = 50
"""Sessions of the training and the validation part that still reach the goal at some moment. From so many on the level
is known, and an AUC that may be .5 says no more than that shoppers hardly differ."""


@dataclass(frozen=True)
class Intent:
    """Purchase intent as it was learned and validated.

    Attributes:
        unknown: why it cannot be told, a sentence's end; empty where it can be.
        figures: what validation showed, as metrics: AUC with its interval, mean intent and observed share.
        fitted: what validation found.
        spread, mean: at the moments of the training part, standard deviation of the head's logits, before the factor,
            and mean of the calibrated intent.
        counted: of sessions without a known item; None where intent cannot be told.
    """

    unknown: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    fitted: Fitted = field(default_factory=Fitted)
    spread: float = 1.0
    mean: float = 0.0
    counted: CountedIntent | None = None


def learn_intent(model: NextItemModel, dataset: Dataset, *, spec: EncodingSpec, seed: int) -> Intent:
    """Learn intent from the training part's moments and calibrate it on validation's; all is written into the model.

    Args:
        seed: of the batches, the dropout and the bootstrap.
    """
    reason = why_not_asked(dataset)
    if reason:
        return Intent(reason)
    with step("learning the purchase intent", 1):
        moments = moments_to_learn(dataset, "train", spec=spec, limit=LEARNED_AT)
        if not moments.goal_later_M.any():
            return Intent(f"no training session of known items still reaches its {dataset.behaviours.goal}")
        found = _teach(model, moments, seed=seed)
        spread = float(logits_by_hidden(model, found).std())
        held = moments_of(dataset, "validation", spec=spec, limit=CALIBRATED_AT)
        if not held.goal_later_M.any():
            return Intent(f"no validation session reaches its {dataset.behaviours.goal} after its first event")
        shown = read(model, held)
        swing = _swing(model, found, moments, shown, held, dataset)
        evidence = len(np.unique(held.sessions_M)) / len(held)
        around_F, by_counts_M = (
            model.encoder.get_buffer("intent_by_counts").cpu().clone(),
            logits_by_counts(model, shown),
        )
        fitted = fit_calibration(
            logits_by_hidden(model, shown),
            held.goal_later_M,
            by_counts_M=by_counts_M,
            latest_MK=shown.counted_MF[:, latest_counts(len(dataset.behaviours))],
            prior=Prior(evidence, level=swing),
        )
        _write(model, fitted)
        intent_M = calibrated_intent(model, shown)
        auc = auc_interval(intent_M, held.goal_later_M, held.sessions_M, seed=seed)
        counted = learn_counted_intent(
            around_F,
            dataset,
            spec=spec,
            drift=float(logit(intent_M.mean()) - logit(expit(by_counts_M).mean())),
            learned_at=LEARNED_AT,
            level_at=CALIBRATED_AT,
        )
    figures = {
        "val/intent_auc": auc.value,
        "val/intent_auc_low": auc.low,
        "val/intent_auc_high": auc.high,
        "val/intent_mean": float(intent_M.mean()),
        "val/intent_observed": float(held.goal_later_M.mean()),
        "val/intent_head": fitted.believed,
        "val/intent_swing": swing,
    }
    reason = unknown_because(auc.value, auc.low, auc.high, sessions_with_goal(dataset), goal=dataset.behaviours.goal)
    mean = float(calibrated_intent(model, found).mean())
    return Intent(reason, figures, fitted, spread, mean, None if reason else counted)


def _swing(
    model: NextItemModel, learned: Read, moments: Moments, shown: Read, held: Moments, dataset: Dataset
) -> float:
    """How much the level differs between pieces of the log that hold as many sessions as validation, itself among
    them; by the counts, whose few weights cannot learn sessions by heart."""
    sessions, newest = (len(dataset.whole(part)) for part in ("train", "validation"))
    pieces = max(1, round(sessions / newest))
    return level_swing(
        np.concatenate([logits_by_counts(model, learned), logits_by_counts(model, shown)]),
        np.concatenate([moments.goal_later_M, held.goal_later_M]),
        np.concatenate([moments.sessions_M, sessions + held.sessions_M]),
        np.concatenate([moments.sessions_M * pieces // sessions, np.full(len(held), pieces)]),
    )


def unknown_because(auc: float, low: float, high: float, goals: int, *, goal: str) -> str:
    """Why intent is not told, from what validation showed; empty where it is."""
    if low > CHANCE or goals >= ENOUGH_GOALS:
        return ""
    return (
        f"the AUC on validation is {auc:.2f} ({low:.2f} to {high:.2f}), which may be chance, and of the {goals} "
        f"sessions that reach their {goal} it cannot be learned better; {ENOUGH_GOALS} would do"
    )


def sessions_with_goal(dataset: Dataset) -> int:
    """Sessions of the training and the validation part that reach the goal after their first event."""
    sessions = dataset.whole("train", "validation")
    offsets = np.asarray(sessions.offsets)
    firsts = offsets[:-1][np.diff(offsets) > 0]
    return int(goal_later(sessions, dataset.goal)[firsts].sum())


def learn_again(model: NextItemModel, intent: Intent, dataset: Dataset, *, spec: EncodingSpec, seed: int) -> None:
    """Learn a refitted model's head on training and validation part, at the level that validation found.

    Args:
        intent: what :func:`learn_intent` returned for the model that was validated.
    """
    if intent.unknown:
        return
    with step("learning the purchase intent again", 1):
        _teach(model, moments_to_learn(dataset, "validation", spec=spec, limit=LEARNED_AT), seed=seed)
        found = read(model, moments_to_learn(dataset, "train", spec=spec, limit=LEARNED_AT))
        spread = float(logits_by_hidden(model, found).std())
        _stretch(model, intent.spread / spread if spread else 1.0)
        _write(model, intent.fitted)
        by_counts_F = model.encoder.get_buffer("intent_by_counts")
        first = float(by_counts_F[0])

        def excess(shift: float) -> float:
            by_counts_F[0] = first + shift
            return float(calibrated_intent(model, found).mean()) - intent.mean

        level = excess(-WIDEST) < 0 < excess(WIDEST)  # not where the calibration answers all alike
        by_counts_F[0] = first + (float(brentq(excess, -WIDEST, WIDEST, xtol=1e-4)) if level else 0.0)


def _write(model: NextItemModel, fitted: Fitted) -> None:
    """Make a calibration the model's own."""
    _stretch(model, fitted.believed)
    by_counts_F = model.encoder.get_buffer("intent_by_counts")
    by_counts_F[latest_counts(len(fitted.moved_K))] += torch.tensor(fitted.moved_K, device=by_counts_F.device)
    model.encoder.get_buffer("intent_calibration").copy_(torch.tensor(fitted.beta))


def _stretch(model: NextItemModel, factor: float) -> None:
    """Multiply the head's logits, and nothing else."""
    last = model.encoder.intent[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.mul_(factor)


def _teach(model: NextItemModel, moments: Moments, *, seed: int) -> Read:
    """Fit the counts' weights to the moments, then the head to what they leave open; the rest stays as it is.

    Returns what was read at the moments.
    """
    encoder = model.encoder
    encoder.get_buffer("intent_calibration").copy_(torch.tensor(NOT_CALIBRATED))
    found = read(model, moments)
    weights_F = fit_counts(found.counted_MF, moments)
    encoder.get_buffer("intent_by_counts").copy_(weights_F)
    _fit_head(encoder.intent, found.hidden_MD, found.counted_MF @ weights_F, moments.goal_later_M, seed=seed)
    return found


def _fit_head(
    head: nn.Module, hidden_MD: torch.Tensor, given_M: torch.Tensor, later_M: npt.NDArray[np.bool_], *, seed: int
) -> None:
    """Fit the head's logits beside ``given_M``, which stay, with dropout; a generator of their own draws it."""
    device = next(head.parameters()).device
    inputs_MD, given_M, labels_M = hidden_MD.to(device), given_M.to(device), torch.from_numpy(later_M).to(device)
    rng, size = np.random.default_rng(seed), min(BATCH, len(later_M))
    epoch_steps = len(later_M) // size
    steps = min(MOST_STEPS, MOST_EPOCHS * epoch_steps)
    weights_B = torch.ones(size, device=device)
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.enable_grad():
        torch.manual_seed(seed)
        head.train()
        for number in range(steps):
            if number % epoch_steps == 0:
                order_M = torch.from_numpy(rng.permutation(len(later_M))).to(device)
            chosen_B = order_M[number % epoch_steps * size :][:size]
            logits_B = head(inputs_MD[chosen_B])[:, 0] + given_M[chosen_B]
            loss = intent_loss(logits_B, labels_M[chosen_B], weights_B)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            scheduler.step()
        head.eval()
