"""A data set as the server would see it: item facts under a feed, shelves, and what makes the model's candidates.

It is the offline twin of ``serving.policy.assortment``, made of the same parts.

Shapes: N items known to the facts, B behaviours, W items with a vector of the model, D columns of it, P
popular items.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset
from tillside.encoding.spec import EncodingSpec
from tillside.fitting.rules import NOTHING_SAID, Terms
from tillside.policy import ItemFacts, ItemsFeed, Shelves
from tillside.policy.items.shelves import most_popular
from tillside.policy.merchandising import NOTHING_BY_HAND, ByHand
from tillside.policy.proposals import MOST_LISTED, Proposer
from tillside.ranking import top_k
from tillside.recommenders.cold_vectors import TokenVectors
from tillside.recommenders.counted_intent import CountedIntent
from training.evaluation.placements.engines import PlacementEngine, TorchEngine
from training.evaluation.scorers import ModelScorer, popularity_of
from training.model.checkpoint import TrainedModel

LATER_MS: Final = 2**52
"""Timestamp of an offline feed: later than every question, so the feed is never stale."""
TOGETHER: Final = 256


@dataclass(frozen=True)
class OfflineShop:
    """All that placements are answered from offline, other than policy, relations and requests.

    Attributes:
        intent: whether the model has a trained intent head.
        counted_intent: purchase intent of sessions without a known item; None where it is not told.
        shelves_B: shelves by behaviour asked for, each holding the facts.
        popular_BP: the most popular items that the model ranks; they stand in for it where it knows nothing.
        together: sessions encoded at once.
    """

    dataset: Dataset
    spec: EncodingSpec
    intent: bool
    engine: PlacementEngine
    proposer: Proposer
    shelves_B: tuple[Shelves, ...]
    popular_BP: npt.NDArray[np.int64]
    together: int
    counted_intent: CountedIntent | None = None

    @classmethod
    def of(
        cls,
        trained: TrainedModel,
        dataset: Dataset,
        *,
        feed: ItemsFeed | None = None,
        engine: PlacementEngine | None = None,
        together: int = TOGETHER,
        fitting: Terms = NOTHING_SAID,
        by_hand: ByHand = NOTHING_BY_HAND,
    ) -> "OfflineShop":
        """Shop of a model and its data set.

        Args:
            feed: items feed on top of the catalogue; it counts as fresh at every question.
            engine: what encodes and searches; default: the torch model.
            together: sessions encoded at once; a row in a batch differs in its last digits from a row alone, and the
                server encodes only sessions of one length together.
            fitting: what fits what, as the relations have it.
            by_hand: its prices lie over those of catalogue and feed.
        """
        fallback = popularity_of(dataset, refit=trained.refitted)
        engine = engine or TorchEngine(ModelScorer.of(trained.model, fallback, trained.memory))
        learned = trained.model.items.learned_tokens()
        tokens = None
        if learned is not None:
            tokens = TokenVectors(learned.detach().cpu().numpy().astype(np.float32), dataset.catalogue)
        facts = ItemFacts.of_catalogue(dataset.catalogue).with_feed(feed or ItemsFeed(LATER_MS, ()))
        facts = by_hand.priced(facts).fitted(fitting)
        proposer = Proposer.of(facts, engine.items_ND, tokens=tokens, memory=trained.memory)
        facts = replace(facts, feed_time_ms=LATER_MS, vectors=proposer.vectors)
        whole = popularity_of(dataset, refit=trained.refitted, items=len(dataset.catalogue))
        ranked_BN = most_popular(whole.scores_by_behaviour, facts)
        return cls(
            dataset=dataset,
            spec=trained.spec,
            intent=trained.intent,
            engine=engine,
            proposer=proposer,
            shelves_B=tuple(Shelves.of(facts, popular_N=row) for row in ranked_BN),
            popular_BP=top_k(fallback.scores_by_behaviour, MOST_LISTED),
            together=together,
            counted_intent=trained.counted_intent,
        )

    @property
    def facts(self) -> ItemFacts:
        """Item facts under the feed."""
        return self.shelves_B[0].facts
