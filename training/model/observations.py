"""What the sources of a placement said of validation questions, and whether it was so: what chances are learned from.

The model's are kept in its file, the relations' beside them, since neither stage knows the other's; both say the same
of a question, so they meet by question and item.

Shapes: R rows (question, item, source), Q questions, G sets of categories, N items, U of them, V items looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch

COLUMNS: Final[dict[str, Any]] = {
    "events_R": np.int64,
    "items_R": np.int32,
    "sources_R": np.uint8,
    "strengths_R": np.float32,
    "hits_R": np.bool_,
}
SOURCES: Final = "sources"
CONTEXT: Final[dict[str, Any]] = {
    "events_Q": np.int64,
    "lifts_QG": np.float32,
    "codes_N": np.int32,
    "offsets_Q": np.int64,
    "viewed_V": np.int32,
}


@dataclass(frozen=True)
class Context:
    """What spoke for items besides their sources (``tillside.policy.context``).

    Attributes:
        events_Q: the questions, ascending, as in :class:`Observed`.
        lifts_QG: logarithm of the lift of each set of categories by the cart.
        codes_N: set of each item.
        offsets_Q: start of each question's items in ``viewed_V``, and the end, [Q + 1].
        viewed_V: items that the session had looked at.
    """

    events_Q: npt.NDArray[np.int64]
    lifts_QG: npt.NDArray[np.float32]
    codes_N: npt.NDArray[np.int32]
    offsets_Q: npt.NDArray[np.int64]
    viewed_V: npt.NDArray[np.int32]

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> "Context":
        """Columns by name, in the types of CONTEXT."""
        return cls(**{name: np.asarray(columns[name], kind) for name, kind in CONTEXT.items()})

    def told(
        self, events_U: npt.NDArray[np.int64], items_U: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Logarithm of the lift of each item's category at its question, and 1 where it was looked at, both [U]."""
        rows_U = np.searchsorted(self.events_Q, events_U)
        lifts_U = self.lifts_QG[rows_U, self.codes_N[items_U]].astype(np.float64)
        size = len(self.codes_N)
        seen = np.repeat(np.arange(len(self.events_Q)), np.diff(self.offsets_Q)) * size + self.viewed_V
        return lifts_U, np.isin(rows_U * size + items_U, seen).astype(np.float64)


@dataclass(frozen=True)
class Observed:
    """Rows of one purpose.

    Attributes:
        sources: names of the sources.
        events_R: the first held-out event of the row's question, its number in the validation part.
        items_R: the item that the source brought.
        sources_R: index into ``sources``.
        strengths_R: the source's strength.
        hits_R: whether the shopper took the item, or went on to it.
        context: what spoke for items besides; None where that was not asked.
    """

    sources: tuple[str, ...]
    events_R: npt.NDArray[np.int64]
    items_R: npt.NDArray[np.int32]
    sources_R: npt.NDArray[np.uint8]
    strengths_R: npt.NDArray[np.float32]
    hits_R: npt.NDArray[np.bool_]
    context: Context | None = None

    def __len__(self) -> int:
        return len(self.events_R)

    @classmethod
    def of(cls, sources: Sequence[str], columns: Mapping[str, Any]) -> "Observed":
        """Columns by name, in the types of COLUMNS."""
        return cls(tuple(sources), **{name: np.asarray(columns[name], kind) for name, kind in COLUMNS.items()})


Observations = Mapping[str, Observed]
"""By purpose (``tillside.relations.chances.PURPOSES``)."""


def as_tensors(observations: Observations) -> dict[str, dict[str, Any]]:
    """Plain types and tensors, as a model's file holds them."""
    return {
        purpose: {SOURCES: list(own.sources)} | {name: torch.from_numpy(getattr(own, name)) for name in COLUMNS}
        for purpose, own in observations.items()
    }


def of_tensors(document: Mapping[str, Mapping[str, Any]]) -> dict[str, Observed]:
    """Read what :func:`as_tensors` made."""
    return {
        purpose: Observed.of(own[SOURCES], {name: own[name].numpy() for name in COLUMNS})
        for purpose, own in document.items()
    }


def save_observations(path: Path, observations: Observations) -> None:
    """Write a compressed ``.npz``."""
    arrays = {
        f"{purpose}.{name}": np.array(own.sources) if name == SOURCES else getattr(own, name)
        for purpose, own in observations.items()
        for name in (SOURCES, *COLUMNS)
    }
    arrays |= {
        f"{purpose}.{name}": getattr(own.context, name)
        for purpose, own in observations.items()
        for name in (CONTEXT if own.context is not None else ())
    }
    np.savez_compressed(path, **arrays)


def load_observations(path: Path) -> dict[str, Observed]:
    """Read what :func:`save_observations` wrote; nothing where there is no file, as beside relations made before.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {}
            for purpose in dict.fromkeys(name.partition(".")[0] for name in arrays.files):
                own = {name: arrays[f"{purpose}.{name}"] for name in COLUMNS}
                rows = Observed.of(arrays[f"{purpose}.{SOURCES}"].tolist(), own)
                if f"{purpose}.{next(iter(CONTEXT))}" in arrays.files:  # relations made before have none
                    rows = replace(rows, context=Context.of({name: arrays[f"{purpose}.{name}"] for name in CONTEXT}))
                found[purpose] = rows
            return found
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} cannot be read: {error}; relate again") from None
