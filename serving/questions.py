"""A request in the terms of one bundle: catalogue indices, behaviour numbers, and how many items can be answered.

Shapes: N items that can be recommended, L session items.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from serving.messages import DEFAULT_K, FieldError, RecommendRequest
from tillside.bundle import Bundle
from tillside.encoding import Batch, encode_session
from tillside.events import TIME_UNKNOWN

UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Question:
    """A request in the indices of one bundle."""

    batch: Batch
    ask: int
    k: int
    excluded: frozenset[int]
    excluded_ids: Sequence[str]
    unknown: list[str]
    empty: bool

    @property
    def known(self) -> bool:
        """Whether the session holds an item that the model knows."""
        return bool(self.batch.lengths_B[0])

    @property
    def session_L(self) -> npt.NDArray[np.int64]:  # noqa: N802
        """The session's items that the model knows, oldest first."""
        return self.batch.items_BL[0, : self.batch.lengths_B[0]]


class Reader:
    """Reads requests for one bundle.

    Raises:
        ValueError: the bundle's catalogue does not fit its manifest or its item vectors.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._encoding = bundle.encoding
        self._items = items = len(bundle.items_ND)
        self._behaviours = bundle.behaviours.names
        self._behaviour_index = {name: index for index, name in enumerate(self._behaviours)}
        counts_NA = bundle.catalogue.counts_NB[:items]
        if counts_NA.shape[1:] != (len(self._behaviours),):
            raise ValueError(
                f"bundle {bundle.path}: the catalogue counts {list(counts_NA.shape[1:])} behaviours, "
                f"the manifest names {len(self._behaviours)}"
            )
        self._index_of = {item_id: index for index, item_id in enumerate(bundle.catalogue.item_ids[:items])}
        if len(self._index_of) != items:
            raise ValueError(f"bundle {bundle.path}: the catalogue holds an item id twice")

    def read(self, request: RecommendRequest) -> Question:
        """The request in indices.

        Raises:
            FieldError: a behaviour that the bundle does not have.
        """
        unknown: dict[str, None] = {}
        items, behaviours, times = [], [], []
        for number, event in enumerate(request.session):
            index = self._index_of.get(event.item_id, UNKNOWN)
            if index == UNKNOWN:
                unknown[event.item_id] = None
            items.append(index)
            behaviours.append(self._behaviour(event.behaviour, event=number))
            times.append(event.timestamp if isinstance(event.timestamp, int) else TIME_UNKNOWN)
        excluded = set()
        for item_id in request.exclude or ():
            index = self._index_of.get(item_id, UNKNOWN)
            if index == UNKNOWN:
                unknown[item_id] = None
            else:
                excluded.add(index)
        batch = encode_session(
            np.array(items, np.int64),
            np.array(behaviours, np.int64),
            np.array(times, np.int64),
            spec=self._encoding,
            known_items=self._items,
        )
        k = DEFAULT_K if request.k is UNSET else request.k
        return Question(
            batch=batch,
            ask=self._behaviour(request.behaviour),
            k=min(k, self._items - len(excluded)),
            excluded=frozenset(excluded),
            excluded_ids=request.exclude or (),
            unknown=list(unknown),
            empty=not request.session,
        )

    def _behaviour(self, name: str | UnsetType, event: int | None = None) -> int:
        if name is UNSET:
            return 0
        try:
            return self._behaviour_index[name]
        except KeyError:
            field = "behaviour" if event is None else f"session[{event}].behaviour"
            raise FieldError.of_value(field, name, allowed=f"one of {', '.join(self._behaviours)}") from None
