"""Ranks the whole catalogue for every case and turns the ranks into metrics; model and baselines go the same way.

A case is an event of a test session together with what came before it; it is asked for with the event's own behaviour.
Where a prefix holds no item the model knows, popularity answers, as it does in the server. Targets that cannot be
ranked stay as misses.

Shapes: B cases of a chunk, C all cases, V items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from tillside.blending import SessionMemory
from tillside.dataset import CaseRule, Sessions
from tillside.encoding import Batch, EncodedSessions, EncodingSpec, cut_before, encode_sessions
from tillside.ranking import (
    area_under_roc,
    bootstrap_means,
    calibration_error,
    case_metrics,
    ranks_of_targets,
    reliability,
    top_k,
)
from training.model import NextItemModel

CHUNK_SCORES = 2**24
"""Scores held at once: 64 MiB of float32."""
PREFIX_BANDS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 10**9))
COVERAGE_AT = 20


class Scorer(Protocol):
    """Anything that scores the catalogue for a batch of sessions."""

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""


@dataclass(frozen=True)
class Cases:
    """Test cases, in the order of their sessions.

    Attributes:
        encoded: the sessions they stand in.
        events_C: the target's place in the flat arrays.
        sessions_C: the session it belongs to.
        targets_C: its item; the items that can be ranked are 0 .. V - 1.
        asked_C: its behaviour.
        goal_later_C: whether the session reaches its goal at the target or after it.
    """

    encoded: EncodedSessions
    spec: EncodingSpec
    events_C: npt.NDArray[np.int64]
    sessions_C: npt.NDArray[np.int64]
    targets_C: npt.NDArray[np.int64]
    asked_C: npt.NDArray[np.int64]
    prefix_lengths_C: npt.NDArray[np.int64]
    goal_later_C: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.events_C)

    def batch(self, chosen: npt.NDArray[np.int64]) -> Batch:
        """What may be seen before the chosen cases."""
        return cut_before(self.encoded, self.events_C[chosen], spec=self.spec)


def make_cases(
    sessions: Sessions, *, rule: CaseRule, spec: EncodingSpec, items: int, goal: int, limit: int | None = None
) -> Cases:
    """Cases of a part: every event after the first of its session, or each session's last.

    Args:
        limit: take about this many at most, from sessions spread evenly over the part.
    """
    offsets = np.asarray(sessions.offsets)
    session_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    events = np.arange(len(session_E))
    first_E, last_E = offsets[:-1][session_E], offsets[1:][session_E] - 1
    chosen = (events > first_E) if rule == "every" else (events == last_E) & (events > first_E)
    if limit is not None and chosen.sum() > limit:
        chosen &= session_E % -(-int(chosen.sum()) // limit) == 0
    events = events[chosen]
    behaviours_E, items_E = np.asarray(sessions.behaviours), np.asarray(sessions.items)
    goals, last_goal_S = np.flatnonzero(behaviours_E == goal), np.full(len(sessions), -1)
    last_goal_S[session_E[goals]] = goals  # the last of a session's goals is written last
    return Cases(
        encoded=encode_sessions(
            items_E, behaviours_E, np.asarray(sessions.times), offsets, spec=spec, known_items=items
        ),
        spec=spec,
        events_C=events,
        sessions_C=session_E[events],
        targets_C=items_E[events].astype(np.int64),
        asked_C=behaviours_E[events].astype(np.int64),
        prefix_lengths_C=events - first_E[events],
        goal_later_C=last_goal_S[session_E[events]] >= events,
    )


@dataclass(frozen=True)
class ModelScorer:
    """A torch model behind the :class:`Scorer` interface, with popularity for sessions it knows nothing of.

    With a memory, what past sessions say is added to the scores, as it is in the server.
    """

    model: NextItemModel
    vectors_VD: torch.Tensor
    fallback: Scorer
    memory: SessionMemory | None = None

    @classmethod
    def of(cls, model: NextItemModel, fallback: Scorer, memory: SessionMemory | None = None) -> "ModelScorer":
        """Compute the item vectors once."""
        with torch.inference_mode():
            return cls(model, model.items(), fallback, memory)

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        scores_BV, _ = self.score_and_intent(batch, ask_B)
        return scores_BV

    def score_and_intent(
        self, batch: Batch, ask_B: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Scores [B, V] and purchase intent [B], which is NaN where no item is known: nothing was read."""
        device = self.vectors_VD.device
        items_BL, behaviours_BL, gaps_BL, lengths_B, asked_B = (
            torch.from_numpy(array).to(device)
            for array in (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, np.maximum(batch.lengths_B, 1), ask_B)
        )
        with torch.inference_mode():
            query_BD, intent_B = self.model.encoder(
                self.vectors_VD[items_BL], behaviours_BL, gaps_BL, lengths_B, asked_B
            )
            scores_BV = (query_BD @ self.vectors_VD.T).cpu().numpy()
        if self.memory is not None:
            for row, (length, ask) in enumerate(zip(batch.lengths_B.tolist(), ask_B.tolist(), strict=True)):
                if length:
                    items_C, bonus_C = self.memory.bonus(batch.items_BL[row, :length], ask)
                    scores_BV[row, items_C] += bonus_C
        intents_B = intent_B.cpu().numpy()
        empty = batch.lengths_B == 0
        if empty.any():
            scores_BV[empty], intents_B[empty] = self.fallback.score(batch, ask_B)[empty], np.nan
        return scores_BV, intents_B


@dataclass
class Ranked:
    """What one system made of the cases."""

    ranks_C: npt.NDArray[np.int64]
    intent_C: npt.NDArray[np.float32] | None = None
    """NaN where the prefix holds no known item."""
    recommended: set[int] = field(default_factory=set)


def rank(scorer: Scorer, cases: Cases, *, items: int, coverage: bool = True) -> Ranked:
    """Rank every case, in chunks of bounded memory and of similar lengths."""
    by_length = np.argsort(cases.prefix_lengths_C, kind="stable")
    result = Ranked(np.empty(len(cases), np.int64))
    if isinstance(scorer, ModelScorer):
        result.intent_C = np.empty(len(cases), np.float32)
    step = max(1, min(1024, CHUNK_SCORES // max(items, 1)))
    for start in range(0, len(cases), step):
        chosen = by_length[start : start + step]
        batch, asked_B = cases.batch(chosen), cases.asked_C[chosen]
        if isinstance(scorer, ModelScorer) and result.intent_C is not None:
            scores_BV, result.intent_C[chosen] = scorer.score_and_intent(batch, asked_B)
        else:
            scores_BV = scorer.score(batch, asked_B)
        result.ranks_C[chosen] = ranks_of_targets(scores_BV, cases.targets_C[chosen])
        if coverage:
            result.recommended.update(np.unique(top_k(scores_BV, COVERAGE_AT)).tolist())
    return result


def report(
    ranked: Mapping[str, Ranked],
    cases: Cases,
    *,
    items: int,
    behaviours: Sequence[str],
    seed: int,
    intent_of: str | None = None,
    counts_N: npt.NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """The metrics document of a run: every system, over all cases, by behaviour asked for and by prefix length.

    Args:
        counts_N: training events of every item of the catalogue; with them cases whose target has none, ``new_items``,
            are reported apart from the others, ``seen_items``.
        intent_of: the system whose purchase intent is judged, if the log could teach it; the judgement is left out
            where the cases do not show sessions of both kinds.
    """
    unseen = cases.targets_C >= items
    new_C = None if counts_N is None else counts_N[cases.targets_C] == 0
    document: dict[str, Any] = {
        "cases": len(cases),
        "sessions": len(np.unique(cases.sessions_C)),
        "unseen_target_share": float(unseen.mean()) if len(cases) else 0.0,
        "systems": {
            name: _system(result, cases, items=items, behaviours=behaviours, seed=seed)
            for name, result in ranked.items()
        },
    }
    if new_C is not None:
        document["new_target_share"] = float(new_C.mean()) if len(cases) else 0.0
        for name, result in ranked.items():
            by_target = {"seen_items": ~new_C, "new_items": new_C}
            document["systems"][name] |= {
                slice_name: _slice(result, cases, chosen, seed)
                for slice_name, chosen in by_target.items()
                if chosen.any()
            }
    intent_C = ranked[intent_of].intent_C if intent_of else None
    if intent_C is not None:
        answered_C = ~np.isnan(intent_C)
        intent_C, labels_C = intent_C[answered_C], cases.goal_later_C[answered_C]
        if labels_C.any() and not labels_C.all():
            bins = reliability(intent_C, labels_C)
            document["intent"] = {
                "auc": area_under_roc(intent_C, labels_C),
                "calibration_error": calibration_error(bins),
                "base_rate": float(labels_C.mean()),
                "cases": len(labels_C),
                "reliability": bins,
            }
    return document


def _system(result: Ranked, cases: Cases, *, items: int, behaviours: Sequence[str], seed: int) -> dict[str, Any]:
    everything = np.ones(len(cases), bool)
    bands = {
        (f"{low}" if low == high else f"{low}-{high}" if high < 10**9 else f"{low}+"): (cases.prefix_lengths_C >= low)
        & (cases.prefix_lengths_C <= high)
        for low, high in PREFIX_BANDS
    }
    asked = {name: cases.asked_C == index for index, name in enumerate(behaviours)}
    document: dict[str, Any] = {
        "all": _slice(result, cases, everything, seed),
        "by_behaviour": {name: _slice(result, cases, chosen, seed) for name, chosen in asked.items() if chosen.any()},
        "by_prefix_length": {
            name: _slice(result, cases, chosen, seed) for name, chosen in bands.items() if chosen.any()
        },
    }
    if result.recommended:
        document[f"coverage@{COVERAGE_AT}"] = len(result.recommended) / items
    return document


def _slice(result: Ranked, cases: Cases, chosen: npt.NDArray[np.bool_], seed: int) -> dict[str, Any]:
    metrics = case_metrics(result.ranks_C[chosen])
    values_MC = np.stack(list(metrics.values()))
    intervals = bootstrap_means(values_MC, cases.sessions_C[chosen], rng=np.random.default_rng(seed))
    document: dict[str, Any] = {"cases": int(chosen.sum())}
    for name, interval in zip(metrics, intervals, strict=True):
        document[name] = {"value": interval.value, "low": interval.low, "high": interval.high}
    return document
