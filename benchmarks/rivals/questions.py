"""Requests and answers of the rivals, as pydantic models.

Shapes: N items, D columns, K items of an answer.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field

from tillside.bundle import Bundle
from tillside.encoding.batch import Batch
from tillside.encoding.live import encode_session
from tillside.events import TIME_UNKNOWN


class Event(BaseModel):
    """One thing the shopper did."""

    item_id: str
    behaviour: str = "click"
    timestamp: int | None = None


class Question(BaseModel):
    """The session so far, and what is asked of it."""

    session: list[Event] = Field(max_length=1000)
    behaviour: str = "click"
    k: int = Field(default=20, ge=1, le=1000)


class Item(BaseModel):
    """One recommended item."""

    item_id: str
    score: float


class Answer(BaseModel):
    """Items, best first, and the calibrated probability that the session still buys."""

    items: list[Item]
    purchase_intent: float


class Shop:
    """Maps item ids and behaviour names to indices, and back."""

    def __init__(self, bundle: Bundle) -> None:
        self.spec, self.items = bundle.encoding, len(bundle.items_ND)
        self.item_ids = bundle.catalogue.item_ids[: self.items]
        self.index_of = {item_id: index for index, item_id in enumerate(self.item_ids)}
        self.behaviour_of = {name: index for index, name in enumerate(bundle.behaviours.names)}

    def encode(self, question: Question) -> tuple[Batch, npt.NDArray[np.int64]]:
        """The session as a batch of one row, and the index of the behaviour asked for [1]."""
        events = question.session
        items = np.array([self.index_of.get(event.item_id, -1) for event in events], np.int64)
        behaviours = np.array([self.behaviour_of[event.behaviour] for event in events], np.int64)
        times = [TIME_UNKNOWN if event.timestamp is None else event.timestamp for event in events]
        batch = encode_session(items, behaviours, np.array(times), spec=self.spec, known_items=self.items)
        return batch, np.array([self.behaviour_of[question.behaviour]])

    def answer(self, items_K: npt.NDArray[np.int64], scores_K: npt.NDArray[Any], intent: float) -> Answer:
        """The answer with the top items by id."""
        pairs = zip(items_K.tolist(), scores_K.tolist(), strict=True)
        return Answer(
            items=[Item(item_id=self.item_ids[item], score=score) for item, score in pairs], purchase_intent=intent
        )
