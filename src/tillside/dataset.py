"""A prepared data set on disk: sessions as flat, memory-mapped arrays with offsets, and the catalogue beside them.

``training.prepare`` writes it, all later stages read it. Layout of the directory::

    dataset.json           format version, parts, behaviours, counts, time ranges, config, digest
    sessions/NAME.npy      one flat array per column, concatenated over sessions
    catalogue/             see tillside.catalogue
    rejects.csv            rejected rows, with file, line and reason

Sessions are ordered train, validation, test, and within a part by end time, so a part is a range of sessions.

Shapes: S sessions, E events, N items.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.events import Behaviours

FORMAT_VERSION: Final = 1
Part = Literal["train", "validation", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "validation", "test")
CaseRule = Literal["every", "last"]
"""Which events of a validation or test session are targets: every one after the first, or only the last."""
COLLAPSE: Final = "collapse"
"""Value of ``config.repeats`` in dataset.json where preparation collapsed repeats."""

EVENT_ARRAYS: Final = {"items": np.int32, "behaviours": np.uint8, "times": np.int64}
"""Required arrays [E]. ``items`` are catalogue indices, ``times`` UTC milliseconds or TIME_UNKNOWN."""
OPTIONAL_EVENT_ARRAYS: Final = {"prices": np.float32, "quantities": np.int32, "scenes": np.int32}
USERS: Final = "users"
OPTIONAL_SESSION_ARRAYS: Final = {USERS: np.int32}
"""Ids in optional arrays are numbered by first appearance, -1 where the log has none; prices may be NaN."""


@dataclass(frozen=True)
class Sessions:
    """Flat event arrays [E] and offsets [S + 1]; session s is the slice ``offsets[s]:offsets[s + 1]``."""

    items: npt.NDArray[np.int32]
    behaviours: npt.NDArray[np.uint8]
    times: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    optional: Mapping[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def slice(self, start: int, end: int) -> "Sessions":
        """Sessions ``start`` (included) to ``end`` (excluded), without copying the event arrays."""
        first, last = int(self.offsets[start]), int(self.offsets[end])
        optional = {
            name: array[start:end] if name in OPTIONAL_SESSION_ARRAYS else array[first:last]
            for name, array in self.optional.items()
        }
        offsets = np.asarray(self.offsets[start : end + 1]) - first
        return Sessions(self.items[first:last], self.behaviours[first:last], self.times[first:last], offsets, optional)


@dataclass(frozen=True)
class Dataset:
    """A data set opened for reading.

    Attributes:
        parts: first session and end (excluded) of each part.
        validation_cases, test_cases: which events of the part's sessions are targets.
    """

    path: Path
    sessions: Sessions
    catalogue: Catalogue
    behaviours: Behaviours
    parts: Mapping[Part, tuple[int, int]]
    validation_cases: CaseRule
    test_cases: CaseRule
    about: Mapping[str, Any]
    """The rest of dataset.json: counts, time_ranges, config, rejects, digest."""

    @property
    def digest(self) -> str:
        """SHA-256 over arrays, catalogue and parts: equal digests mean equal data."""
        return str(self.about["digest"])

    @property
    def name(self) -> str:
        """What the data set is called in reports and tags; two data sets may share a name, never a digest."""
        return str(self.about["name"])

    @property
    def goal(self) -> int:
        """Index of the strongest behaviour, which purchase intent predicts; 0 where the log has one behaviour."""
        return len(self.behaviours) - 1

    @property
    def collapse_repeats(self) -> bool:
        """Whether preparation dropped events that repeat the previous item and behaviour, as encoding then does."""
        return bool(self.about["config"]["repeats"] == COLLAPSE)

    def part(self, name: Part) -> Sessions:
        """The sessions of one part."""
        return self.sessions.slice(*self.parts[name])

    def until(self, name: Part) -> Sessions:
        """The sessions of this part and of all parts before it, in order."""
        return self.sessions.slice(0, self.parts[name][1])

    def before_test(self) -> Sessions:
        """Sessions of the training and validation parts, each event once.

        With a leave-one-out split (``validation_cases`` is ``last``) that is the validation part alone: its sessions
        contain the training sessions of the same shoppers, which must not be counted twice.
        """
        start, end = self.parts["train"][0], self.parts["validation"][1]
        return self.part("validation") if self.validation_cases == "last" else self.sessions.slice(start, end)

    def new_items(self) -> npt.NDArray[np.bool_]:
        """Mask [N] of catalogue items without an event before the test part."""
        new_N: npt.NDArray[np.bool_] = np.bincount(self.before_test().items, minlength=len(self.catalogue)) == 0
        return new_N


def write_dataset(
    directory: Path,
    *,
    sessions: Sessions,
    catalogue: Catalogue,
    behaviours: Behaviours,
    parts: Mapping[Part, tuple[int, int]],
    test_cases: CaseRule,
    about: Mapping[str, Any],
    validation_cases: CaseRule = "every",
) -> None:
    """Write a data set into an existing, empty ``directory`` (see :func:`tillside.atomic.atomic_directory`).

    Args:
        about: further entries of dataset.json, as JSON types; not part of the digest.
    """
    folder = directory / "sessions"
    folder.mkdir()
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(sessions, name) for name in EVENT_ARRAYS}
    arrays |= {"offsets": sessions.offsets, **sessions.optional}
    types = EVENT_ARRAYS | OPTIONAL_EVENT_ARRAYS | OPTIONAL_SESSION_ARRAYS | {"offsets": np.int64}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array, dtype=types[name]))
    catalogue.save(directory / "catalogue")
    document = {
        "format_version": FORMAT_VERSION,
        "behaviours": list(behaviours.names),
        "parts": {name: list(parts[name]) for name in PARTS},
        "test_cases": test_cases,
    }
    if validation_cases != "every":  # keeps the digests of data sets prepared before this key existed
        document["validation_cases"] = validation_cases
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.parent != directory:
            digest.update(str(path.relative_to(directory)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    document |= {"arrays": sorted(arrays), "digest": digest.hexdigest(), **about}
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    (directory / "dataset.json").write_text(text + "\n", encoding="utf-8")


def load_dataset(path: Path) -> Dataset:
    """Open a data set; the event arrays are memory-mapped.

    Raises:
        ValueError: the directory is not a data set, is of another format version, or its arrays do not fit together.
    """
    try:
        document = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} is not a prepared data set ({error}); make one with python -m training.prepare"
        raise ValueError(message) from None
    found = document.get("format_version") if isinstance(document, dict) else None
    if found != FORMAT_VERSION:
        raise ValueError(
            f"{path}: dataset format_version {found} cannot be read, only {FORMAT_VERSION}; prepare it again"
        )
    try:
        dataset = _open(path, document)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{path}: dataset.json is damaged ({type(error).__name__}: {error}); prepare it again"
        ) from None
    _refuse_misfits(dataset)
    return dataset


def _open(path: Path, document: dict[str, Any]) -> Dataset:
    lacking = {"arrays", "behaviours", "parts", "test_cases", "digest", "name", "config"} - document.keys()
    lacking |= {*EVENT_ARRAYS, "offsets"} - set(document.get("arrays", ()))
    if lacking:
        raise ValueError(f"{path}: dataset.json lacks entries ({', '.join(sorted(lacking))}); prepare it again")
    arrays = {}
    for name in document["arrays"]:
        file = path / "sessions" / f"{name}.npy"
        try:
            arrays[name] = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{file} cannot be read: {error}") from None
    required = {name: arrays.pop(name) for name in [*EVENT_ARRAYS, "offsets"]}
    sessions = Sessions(**required, optional=arrays)
    return Dataset(
        path=path,
        sessions=sessions,
        catalogue=Catalogue.load(path / "catalogue"),
        behaviours=Behaviours(tuple(document.pop("behaviours"))),
        parts={name: (int(a), int(b)) for name, (a, b) in document.pop("parts").items()},
        validation_cases=document.pop("validation_cases", "every"),
        test_cases=document.pop("test_cases"),
        about=document,
    )


def _refuse_misfits(dataset: Dataset) -> None:
    """Raise ValueError if the arrays, the catalogue and the parts are inconsistent."""
    sessions, ends = dataset.sessions, [dataset.parts[name] for name in PARTS]
    events = len(sessions.items)
    contiguous = [0, *(end for _, end in ends)] == [*(start for start, _ in ends), len(sessions)]
    flat = all(getattr(sessions, name).shape == (events,) for name in EVENT_ARRAYS)
    offsets = np.asarray(sessions.offsets)
    rising = len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == events and bool((np.diff(offsets) >= 0).all())
    ruled = {dataset.validation_cases, dataset.test_cases} <= set(get_args(CaseRule))
    if not (contiguous and flat and rising and ruled):
        raise ValueError(f"{dataset.path}: the session arrays do not fit together; prepare it again")
    if events and not 0 <= int(sessions.items.min()) <= int(sessions.items.max()) < len(dataset.catalogue):
        raise ValueError(f"{dataset.path}: sessions hold items that the catalogue does not have; prepare it again")
    if events and int(sessions.behaviours.max()) >= len(dataset.behaviours):
        raise ValueError(f"{dataset.path}: sessions hold behaviours that dataset.json does not name; prepare it again")
