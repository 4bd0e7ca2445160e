"""Lifts of categories: how many times as often as by chance something of one is taken with, or after, one of another.

A shop has few categories, so they are known long before its pairs of items are: that nobody takes a fan along with a
phone shows in a week. A category that was not counted has the lifts of its nearest ancestor that was.

Shapes: P paths, G sets of categories.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.fitting.matching import Grouped

PATHS: Final = "paths.json"
LOGS: Final = "logs.npy"
MOST_LOG: Final = 20.0

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BoundLifts:
    """Lifts bound to sets of categories; immutable but for the rows it keeps.

    Attributes:
        places_G: index of each set's path, P where none is known.
    """

    logs_PP: Floats
    places_G: Ints
    _rows: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)

    def row(self, code: int) -> npt.NDArray[np.float64]:
        """Logarithms of the lifts of all sets, once something of set ``code`` is taken, [G]; 0 where not known."""
        found = self._rows.get(code)
        if found is None:
            place = self.places_G.item(code)
            known = place < len(self.logs_PP)
            own_P = np.append(self.logs_PP[place], np.float32(0)) if known else np.zeros(len(self.logs_PP) + 1)
            found = self._rows[code] = own_P.astype(np.float64).take(self.places_G)
        return found


@dataclass(frozen=True)
class Lifts:
    """Lifts between categories.

    Attributes:
        paths: of the categories, and of the departments that they lie in.
        logs_PP: logarithm of the lift of each (column) once one (row) is taken.
    """

    paths: tuple[str, ...]
    logs_PP: Floats
    _bound: list[tuple[Grouped, BoundLifts]] = field(default_factory=list, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.paths)

    def bound(self, categories: Grouped) -> BoundLifts:
        """These, for the sets of an assortment's items; the latest sets are kept."""
        for known, found in self._bound:
            if known is categories:
                return found
        places = {path: place for place, path in enumerate(self.paths)}
        nearest = [_nearest(own, places) for own in categories.sets]
        found = BoundLifts(self.logs_PP, np.array([places.get(path, len(self)) for path in nearest], np.int64))
        self._bound[:] = [(categories, found)]
        return found

    def save(self, folder: Path) -> None:
        """Write into an existing, empty folder."""
        (folder / PATHS).write_text(json.dumps(self.paths, ensure_ascii=False) + "\n", encoding="utf-8")
        np.save(folder / LOGS, self.logs_PP)

    @classmethod
    def load(cls, folder: Path) -> "Lifts":
        """Read what :meth:`save` wrote; nothing is known where there is no folder, as of relations made before.

        Raises:
            ValueError: a file is missing or damaged.
        """
        if not folder.is_dir():
            return NO_LIFTS
        try:
            paths: Any = json.loads((folder / PATHS).read_text(encoding="utf-8"))
            logs_PP = np.load(folder / LOGS, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{folder} cannot be read: {error}; relate again") from None
        texts = isinstance(paths, list) and all(isinstance(path, str) for path in paths)
        if not texts or logs_PP.shape != (len(paths), len(paths)) or logs_PP.dtype != np.float32:
            raise ValueError(f"{folder}: the files do not fit together; relate again")
        if not (np.abs(logs_PP) <= MOST_LOG).all():
            raise ValueError(f"{folder}: a logarithm is not from -{MOST_LOG:g} to {MOST_LOG:g}; relate again")
        return cls(tuple(paths), logs_PP)


NO_LIFTS: Final = Lifts((), np.zeros((0, 0), np.float32))


def _nearest(own: Sequence[str], places: dict[str, int]) -> str:
    """The deepest of a set's paths that is known, ties by name; an item is in all categories above its own too."""
    known = [path for path in own if path in places]
    return min(known, key=lambda path: (-path.count("."), path), default="")
