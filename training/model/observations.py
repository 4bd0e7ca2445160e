"""What the sources of a placement said of validation questions, and whether it was so: what chances are learned from.

The model's are kept in its file, the relations' beside them, since neither stage knows the other's; both say the same
of a question, so they meet by question and item.

Shapes: R rows (question, item, source).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """

    sources: tuple[str, ...]
    events_R: npt.NDArray[np.int64]
    items_R: npt.NDArray[np.int32]
    sources_R: npt.NDArray[np.uint8]
    strengths_R: npt.NDArray[np.float32]
    hits_R: npt.NDArray[np.bool_]

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
            purposes = dict.fromkeys(name.partition(".")[0] for name in arrays.files)
            return {
                purpose: Observed.of(
                    arrays[f"{purpose}.{SOURCES}"].tolist(), {name: arrays[f"{purpose}.{name}"] for name in COLUMNS}
                )
                for purpose in purposes
            }
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} cannot be read: {error}; relate again") from None
