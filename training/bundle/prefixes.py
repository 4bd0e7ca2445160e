"""Evenly spaced prefixes of real test sessions, for the parity gate, the goldens and the choice of the search tier.

Shapes: Q queries, N items, D width, B sessions in a batch (here 1), L events of the session, H events of
the shopper's earlier sessions.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tillside.bundle import load_items
from tillside.dataset import Dataset
from tillside.encoding.batch import Batch
from tillside.encoding.live import encode_session
from tillside.engine import Engine
from tillside.search import SearchPlan
from training.inputs.visits import Visits
from training.model.checkpoint import TrainedModel

PREFIXES = 256


@dataclass(frozen=True)
class Prefix:
    """A test session before one of its events.

    Attributes:
        session: index within the test part.
        earlier_H, own_L: event indices in the data set: of the shopper's earlier sessions, and of this one.
        ask_B: index of the event's behaviour [1].
    """

    session: int
    earlier_H: npt.NDArray[np.int64]
    own_L: npt.NDArray[np.int64]
    ask_B: npt.NDArray[np.int64]

    def latest(self, events: int) -> "Prefix":
        """The prefix cut to the last ``events`` of each."""
        return replace(self, earlier_H=self.earlier_H[-events:], own_L=self.own_L[-events:])


def spread_prefixes(trained: TrainedModel, dataset: Dataset, count: int) -> list[Prefix]:
    """Up to ``count`` prefixes of varying length, evenly spaced over the test part; sessions of one event have none."""
    sessions, (first, end) = dataset.sessions, dataset.parts["test"]
    visits = Visits.of(sessions) if trained.spec.history else None
    chosen = np.unique(np.linspace(first, end - 1, min(count, end - first)).astype(int))
    prefixes = []
    for number, session in enumerate(chosen.tolist()):
        start, stop = int(sessions.offsets[session]), int(sessions.offsets[session + 1])
        if stop - start >= 2:
            own_L = np.arange(start, start + 1 + number % (stop - start - 1))
            earlier_H = visits.before(session) if visits is not None else own_L[:0]
            ask_B = np.array([sessions.behaviours[own_L[-1] + 1]], np.int64)
            prefixes.append(Prefix(session - first, earlier_H, own_L, ask_B))
    return prefixes


def encode_prefix(trained: TrainedModel, dataset: Dataset, prefix: Prefix, items: int) -> Batch:
    """The prefix as a batch of one; items from index ``items`` on are unknown to the bundle."""
    places, sessions = np.concatenate([prefix.earlier_H, prefix.own_L]), dataset.sessions
    columns = (np.asarray(column[places]) for column in (sessions.items, sessions.behaviours, sessions.times))
    return encode_session(*columns, spec=trained.spec, known_items=items, earlier=len(prefix.earlier_H))


def real_queries(trained: TrainedModel, dataset: Dataset, folder: Path) -> npt.NDArray[np.float32]:
    """Query vectors [Q, D] of test prefixes from the exported encoder, each for the behaviour that came next.

    Raises:
        EngineError: the graph failed or returned non-finite numbers.
    """
    engine, queries = Engine(folder, load_items(folder), SearchPlan()), []
    for prefix in spread_prefixes(trained, dataset, PREFIXES):
        batch = encode_prefix(trained, dataset, prefix, len(engine.items_ND))
        if batch.lengths_B[0]:
            queries.append(engine.encode(batch, prefix.ask_B)[0])
    return np.concatenate(queries) if queries else np.zeros((0, engine.items_ND.shape[1]), np.float32)
