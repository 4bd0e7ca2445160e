"""Ranks the whole catalogue for every case and turns the ranks into metrics; model and baselines go the same way.

Where a prefix holds no item the model knows, popularity answers, as it does in the server. Targets that cannot be
ranked stay as misses.

Shapes: B cases of a chunk, C all cases, V items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from tillside.encoding import Batch
from tillside.ranking import bootstrap_means, case_metrics, ranks_of_targets, recall_at, top_k
from tillside.recommenders.blend import SessionMemory
from training.inputs.cases import Cases
from training.model.next_item import NextItemModel

CHUNK_SCORES = 2**24
"""Scores held at once: 64 MiB of float32."""
PREFIX_BANDS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 10**9))
COVERAGE_AT = 20
CURVE_AT = (1, 2, 3, 5, 10, 15, 20, 30, 50, 75, 100)
"""Lengths of list at which recall is reported without an interval, to be drawn as a curve."""
POPULARITY_BANDS = 10


class Scorer(Protocol):
    """Anything that scores the catalogue for a batch of sessions."""

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""


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
            for row, ask in enumerate(ask_B.tolist()):
                items_C, bonus_C = self.memory.bonus(batch.session(row), ask, batch.before(row))
                scores_BV[row, items_C] += bonus_C
        intents_B = intent_B.cpu().numpy()
        empty = batch.lengths_B == 0
        if empty.any():
            scores_BV[empty], intents_B[empty] = self.fallback.score(batch, ask_B)[empty], np.nan
        return scores_BV, intents_B


@dataclass(frozen=True)
class Among:
    """A scorer over some of the items; all others come last."""

    scorer: Scorer
    allowed_V: npt.NDArray[np.bool_]

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        return np.where(self.allowed_V, self.scorer.score(batch, ask_B), np.float32(-np.inf))


@dataclass(frozen=True)
class WithoutSeen:
    """A scorer over the items that a session does not hold yet; those it holds come last."""

    scorer: Scorer

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        scores_BV = self.scorer.score(batch, ask_B)
        for row in range(len(scores_BV)):
            scores_BV[row, batch.session(row)] = -np.inf
        return scores_BV


@dataclass
class Ranked:
    """What one system made of the cases."""

    ranks_C: npt.NDArray[np.int64]
    intent_C: npt.NDArray[np.float32] | None = None
    """NaN where the prefix holds no known item."""
    shown_V: npt.NDArray[np.int64] | None = None
    """How many of the cases' best 20 each item stands in."""
    depth: int | None = None
    """Length of the lists the ranks were read from; a target below it is missed. None: the whole catalogue."""


def rank(scorer: Scorer, cases: Cases, *, items: int, coverage: bool = True) -> Ranked:
    """Rank every case, in chunks of bounded memory and of similar lengths."""
    by_length = np.argsort(cases.prefix_lengths_C, kind="stable")
    result = Ranked(np.empty(len(cases), np.int64), shown_V=np.zeros(items, np.int64) if coverage else None)
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
        if result.shown_V is not None:
            result.shown_V += np.bincount(top_k(scores_BV, COVERAGE_AT).ravel(), minlength=items)
    return result


def report(
    ranked: Mapping[str, Ranked],
    cases: Cases,
    *,
    items: int,
    behaviours: Sequence[str],
    seed: int,
    counts_N: npt.NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """The metrics document of a run: every system, over all cases, by behaviour asked for and by prefix length.

    Args:
        counts_N: training events of every item of the catalogue; with them cases whose target has none, ``new_items``,
            are reported apart from the others, ``seen_items``, and so are the cases of each decile of popularity.
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
        _add_popularity(document, ranked, cases, popularity_deciles(counts_N, items=items), seed=seed)
    return document


def popularity_deciles(counts_N: npt.NDArray[np.int64], *, items: int) -> npt.NDArray[np.int64]:
    """The decile of each of the first ``items`` items, 1 for the tenth of them with the most training events.

    Items with as many events follow each other in catalogue order.
    """
    deciles_V = np.empty(items, np.int64)
    deciles_V[np.argsort(-counts_N[:items], kind="stable")] = 1 + np.arange(items) * POPULARITY_BANDS // max(items, 1)
    return deciles_V


def _add_popularity(
    document: dict[str, Any],
    ranked: Mapping[str, Ranked],
    cases: Cases,
    deciles_V: npt.NDArray[np.int64],
    *,
    seed: int,
) -> None:
    """Metrics by the target's decile, and the share of targets and of what each system shows that lies in each."""
    bands = range(1, POPULARITY_BANDS + 1)
    rankable_C = cases.targets_C < len(deciles_V)
    decile_C = np.zeros(len(cases), np.int64)
    decile_C[rankable_C] = deciles_V[cases.targets_C[rankable_C]]
    document["targets_by_popularity"] = {
        str(band): float((decile_C == band).sum() / max(len(cases), 1)) for band in bands
    }
    for name, result in ranked.items():
        system = document["systems"][name]
        chosen = {str(band): decile_C == band for band in bands}
        system["by_popularity"] = {band: _slice(result, cases, c, seed) for band, c in chosen.items() if c.any()}
        if result.shown_V is not None and result.shown_V.any():
            shown = np.bincount(deciles_V, weights=result.shown_V, minlength=POPULARITY_BANDS + 1)[1:]
            system["shown_by_popularity"] = {
                str(b): float(part / shown.sum()) for b, part in zip(bands, shown, strict=True)
            }


def _system(result: Ranked, cases: Cases, *, items: int, behaviours: Sequence[str], seed: int) -> dict[str, Any]:
    bands = {
        (f"{low}" if low == high else f"{low}-{high}" if high < 10**9 else f"{low}+"): (cases.prefix_lengths_C >= low)
        & (cases.prefix_lengths_C <= high)
        for low, high in PREFIX_BANDS
    }
    document: dict[str, Any] = {
        "all": over_all(result, cases, seed=seed),
        "by_behaviour": by_behaviour(result, cases, behaviours=behaviours, seed=seed),
        "by_prefix_length": {
            name: _slice(result, cases, chosen, seed) for name, chosen in bands.items() if chosen.any()
        },
    }
    document["recall_curve"] = {
        str(k): float(recall_at(result.ranks_C, k).mean()) if len(cases) else 0.0
        for k in CURVE_AT
        if result.depth is None or k <= result.depth
    }
    if result.shown_V is not None and result.shown_V.any():
        document[f"coverage@{COVERAGE_AT}"] = np.count_nonzero(result.shown_V) / items
    return document


def over_all(result: Ranked, cases: Cases, *, seed: int) -> dict[str, Any]:
    """Metrics with intervals over all cases."""
    return _slice(result, cases, np.ones(len(cases), bool), seed)


def by_behaviour(result: Ranked, cases: Cases, *, behaviours: Sequence[str], seed: int) -> dict[str, Any]:
    """Metrics with intervals for each behaviour that some case asks for."""
    asked = {name: cases.asked_C == index for index, name in enumerate(behaviours)}
    return {name: _slice(result, cases, chosen, seed) for name, chosen in asked.items() if chosen.any()}


def intervals(
    metrics: Mapping[str, npt.NDArray[np.float64]],
    sessions_C: npt.NDArray[np.int64],
    *,
    seed: int,
    weights_C: npt.NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """The mean of each metric over the cases, with its bootstrap interval over sessions, as JSON types."""
    values_MC, rng = np.stack(list(metrics.values())), np.random.default_rng(seed)
    found = bootstrap_means(values_MC, sessions_C, rng=rng, weights_B=weights_C)
    return {name: asdict(interval) for name, interval in zip(metrics, found, strict=True)}


def _slice(result: Ranked, cases: Cases, chosen: npt.NDArray[np.bool_], seed: int) -> dict[str, Any]:
    metrics = intervals(case_metrics(result.ranks_C[chosen]), cases.sessions_C[chosen], seed=seed)
    return {"cases": int(chosen.sum()), **metrics}
