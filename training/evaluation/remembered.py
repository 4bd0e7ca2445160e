"""A memory of past sessions that answers a session asked before without a new search.

Evaluation ranks the same prefixes several times: alone and blended, for the next event and for later ones, for each
behaviour asked for. Votes and attribute similarity depend on the session alone.

Shapes: L events of the session, C candidates.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.recommenders import SessionNeighbours
from tillside.recommenders.attribute_walks import Likeness
from tillside.recommenders.blend import SessionMemory

ROOM: Final = 2**24
"""Candidates that are kept, some 200 MB; sessions that find no room are answered anew each time."""
Answer = tuple[npt.NDArray[np.int64], npt.NDArray[Any]]


class RememberedNeighbours(SessionNeighbours):
    """Session kNN with fixed settings whose answers are kept."""

    def __init__(self, index: SessionNeighbours, *, room: int = ROOM) -> None:
        super().__init__(
            posting_offsets=index.posting_offsets,
            postings=index.postings,
            session_offsets=index.session_offsets,
            session_items=index.session_items,
            idf=index.idf,
            settings=index.settings,
        )
        self._kept = _Kept(index.evidence, room)

    def evidence(self, items_L: npt.NDArray[np.integer[Any]]) -> tuple[Any, Any]:
        """As :meth:`SessionNeighbours.evidence`."""
        return self._kept(items_L)


class RememberedLikeness(Likeness):
    """Attribute similarity whose answers are kept."""

    @classmethod
    def over(cls, likeness: Likeness, *, room: int = ROOM) -> "RememberedLikeness":
        """Keep the answers of ``likeness``."""
        made = cls(**vars(likeness))
        object.__setattr__(made, "_kept", _Kept(likeness.shares, room))  # the class is frozen
        return made

    def shares(self, items_L: npt.NDArray[np.integer[Any]], *, decay: float) -> tuple[Any, Any]:
        """As :meth:`Likeness.shares`."""
        kept: _Kept = vars(self)["_kept"]
        return kept(items_L, decay=decay)


class _Kept:
    """Answers by session, as long as there is room."""

    def __init__(self, ask: Callable[..., Answer], room: int) -> None:
        self.ask, self.room = ask, room
        self.answers: dict[tuple[bytes, tuple[Any, ...]], Answer] = {}

    def __call__(self, items_L: npt.NDArray[np.integer[Any]], **settings: Any) -> Answer:
        key = items_L.tobytes(), tuple(settings.values())
        answer = self.answers.get(key)
        if answer is None:
            answer = self.ask(items_L, **settings)
            self.room -= len(answer[0])
            if self.room >= 0:
                self.answers[key] = answer
        return answer


def remembered(memory: SessionMemory, *, room: int = ROOM) -> SessionMemory:
    """``memory`` that keeps its answers."""
    likeness = memory.likeness
    return replace(
        memory,
        neighbours=RememberedNeighbours(memory.neighbours, room=room),
        likeness=None if likeness is None else RememberedLikeness.over(likeness, room=room),
    )
