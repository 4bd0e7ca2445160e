"""A prepared data set on disk: sessions as flat, memory-mapped arrays with offsets, and the catalogue beside them.

``training.prepare`` writes it, all later stages read it. Layout of the directory::

    dataset.json           format version, parts, behaviours, counts, time ranges, config, digest
    sessions/NAME.npy      one flat array per column, concatenated over sessions
    whole/NAME.npy         the same of all sessions as they happened, see Dataset.whole; where intent is learned
    catalogue/             see tillside.catalogue
    rejects.csv            rejected rows, with file, line and reason

Sessions are ordered train, validation, test, and within a part by end time, so a part is a range of sessions. Behind
them lie, in the same order, the sessions that are too short to learn from or to ask about: nothing follows their only
event, but it is history when the shopper comes back.

Shapes: S sessions, E events, N items, B behaviours.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.events import TIME_UNKNOWN, Behaviours
from tillside.ragged import entries

FORMAT_VERSION: Final = 2
READABLE: Final = (1, FORMAT_VERSION)
"""Version 1 has no short sessions and, where one event was left out, does not say which sessions are for training
alone; it is read as it was learned from."""
Part = Literal["train", "validation", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "validation", "test")
CaseRule = Literal["every", "last"]
"""Which events of a validation or test session are targets: every one after the first, or only the last."""
COLLAPSE: Final = "collapse"
"""Value of ``config.repeats`` in dataset.json where preparation collapsed repeats."""

EVENT_ARRAYS: Final = {"items": np.int32, "behaviours": np.uint8, "times": np.int64}
"""Required arrays [E]. ``items`` are catalogue indices, ``times`` UTC milliseconds or TIME_UNKNOWN."""
GOALS_LATER: Final = "goals_later"
OPTIONAL_EVENT_ARRAYS: Final = {
    "prices": np.float32,
    "quantities": np.int32,
    "scenes": np.int32,
    GOALS_LATER: np.uint8,
}
USERS: Final = "users"
TRAIN_ONLY: Final = "train_only"
"""Mask of sessions that leave-one-out found too short to hold an event out."""
OPTIONAL_SESSION_ARRAYS: Final = {USERS: np.int32, TRAIN_ONLY: np.bool_}
"""Ids in optional arrays are numbered by first appearance, -1 where the log has none; prices may be NaN.
``goals_later`` is 1 where the session reaches its goal after the event, perhaps by one that was dropped."""
WHOLE: Final = "whole"


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

    def take(self, chosen_S: npt.NDArray[np.int64]) -> "Sessions":
        """The chosen sessions in the given order, copied."""
        offsets = np.asarray(self.offsets)
        places_E, lengths_S = entries(offsets, chosen_S)
        optional = {
            name: array[chosen_S if name in OPTIONAL_SESSION_ARRAYS else places_E]
            for name, array in self.optional.items()
        }
        flat = self.items[places_E], self.behaviours[places_E], self.times[places_E]
        return Sessions(*flat, np.append(0, np.cumsum(lengths_S)), optional)

    def ends(self) -> npt.NDArray[np.int64]:
        """Time of each session's last event [S]; TIME_UNKNOWN without a clock or an event."""
        last_S = np.asarray(self.offsets)[1:] - 1
        if not len(self.times):
            return np.full(len(last_S), TIME_UNKNOWN)
        return np.where(np.diff(self.offsets) > 0, np.asarray(self.times)[last_S], TIME_UNKNOWN)


@dataclass(frozen=True)
class Whole:
    """All sessions as they happened, before rare items and short sessions were dropped, and the range of each part."""

    sessions: Sessions
    parts: Mapping[Part, tuple[int, int]]


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
    short_parts: Mapping[Part, tuple[int, int]] = field(default_factory=dict)
    """First and end (excluded) of each part's sessions that are too short; empty in a data set of version 1."""
    stored_whole: Whole | None = None
    """None where preparation wrote none: for one behaviour, with leave-one-out, or by an older version."""

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

    @property
    def forgets(self) -> bool:
        """Whether it was parted by leaving one out in format 1, which does not say which sessions were too short for
        it: what learns before the test then lacks them."""
        return self.validation_cases == "last" and self.about["format_version"] == 1

    def part(self, name: Part) -> Sessions:
        """The sessions of one part."""
        return self.sessions.slice(*self.parts[name])

    def short(self, name: Part) -> Sessions:
        """The sessions of one part that are too short to learn from or to ask about, but history of their shoppers."""
        return self.sessions.slice(*self.short_parts.get(name, (0, 0)))

    def learned(self, *, refit: bool) -> Sessions:
        """What everything that is judged on the test part or served is fitted to: model, session kNN, popularity,
        co-visitation and the other baselines. This is the one place that decides it.

        Args:
            refit: whether the model was refitted on the validation part too; else the training part alone.
        """
        return self.before_test() if refit else self.part("train")

    def before_test(self) -> Sessions:
        """Sessions of the training and validation parts, each event once.

        With a leave-one-out split (``validation_cases`` is ``last``) those are the validation sessions, which contain
        the training sessions of the same shoppers, and the training sessions too short to hold an event out.
        """
        if self.validation_cases == "last":
            return self._before_left_out
        return self.sessions.slice(self.parts["train"][0], self.parts["validation"][1])

    @cached_property
    def _before_left_out(self) -> Sessions:
        validation, train = self.part("validation"), self.part("train")
        if TRAIN_ONLY not in train.optional:
            return validation
        alone = np.flatnonzero(train.optional[TRAIN_ONLY])
        if not len(alone):
            return validation
        whole = np.concatenate([train.ends()[alone], validation.ends()])
        place = np.concatenate([alone / len(train), np.arange(len(validation)) / max(len(validation), 1)])
        order_S = np.lexsort((place, whole))  # by end, as parts are; without a clock as they stand in the log
        chosen = np.concatenate([self.parts["train"][0] + alone, np.arange(*self.parts["validation"])])
        return self.sessions.take(chosen[order_S])

    def events_before_test(self) -> npt.NDArray[np.int64]:
        """Events of each item before the test part [N], those that preparation left out of training sessions too."""
        counts_N: npt.NDArray[np.int64] = self.catalogue.counts_NB.sum(axis=1)
        later = self.part("validation")
        items = np.asarray(later.items)
        if self.validation_cases == "last":  # of such a session all but the last event are in the training part
            items = items[np.asarray(later.offsets)[1:][np.diff(later.offsets) > 0] - 1]
        for found in (items, np.asarray(self.short("validation").items)):
            counts_N = counts_N + np.bincount(found, minlength=len(self.catalogue))
        return counts_N

    def whole(self, first: Part, last: Part | None = None) -> Sessions:
        """The sessions of the parts from ``first`` to ``last`` (default: that one), as they happened: with the items
        too rare to be trained, and with sessions of a single event. What the server is asked about, event by event.

        A data set without them gives the sessions that it has.
        """
        kept = self.stored_whole or Whole(self.sessions, self.parts)
        return kept.sessions.slice(kept.parts[first][0], kept.parts[last or first][1])

    def new_items(self) -> npt.NDArray[np.bool_]:
        """Mask [N] of catalogue items without an event before the test part."""
        new_N: npt.NDArray[np.bool_] = self.events_before_test() == 0
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
    short_parts: Mapping[Part, tuple[int, int]] | None = None,
    whole: Whole | None = None,
) -> None:
    """Write a data set into an existing, empty ``directory`` (see :func:`tillside.atomic.atomic_directory`).

    Args:
        short_parts: ranges of the sessions behind the parts, see :meth:`Dataset.short`; None where there are none.
        about: further entries of dataset.json, as JSON types; not part of the digest.
    """
    arrays = _save_sessions(sessions, directory / "sessions")
    catalogue.save(directory / "catalogue")
    document = {
        "format_version": FORMAT_VERSION,
        "behaviours": list(behaviours.names),
        "parts": {name: list(parts[name]) for name in PARTS},
        "test_cases": test_cases,
    }
    if validation_cases != "every":
        document["validation_cases"] = validation_cases
    if short_parts:
        document["short_parts"] = {name: list(short_parts[name]) for name in PARTS}
    if whole is not None:
        document[WHOLE] = {
            "arrays": _save_sessions(whole.sessions, directory / WHOLE),
            "parts": {name: list(whole.parts[name]) for name in PARTS},
        }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.parent != directory:
            digest.update(str(path.relative_to(directory)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    document |= {"arrays": arrays, "digest": digest.hexdigest(), **about}
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    (directory / "dataset.json").write_text(text + "\n", encoding="utf-8")


def _save_sessions(sessions: Sessions, folder: Path) -> list[str]:
    """Write the arrays of sessions into ``folder``, which is created; returns their names in order."""
    folder.mkdir()
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(sessions, name) for name in EVENT_ARRAYS}
    arrays |= {"offsets": sessions.offsets, **sessions.optional}
    types = EVENT_ARRAYS | OPTIONAL_EVENT_ARRAYS | OPTIONAL_SESSION_ARRAYS | {"offsets": np.int64}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array, dtype=types[name]))
    return sorted(arrays)


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
    if found not in READABLE:
        allowed = " and ".join(map(str, READABLE))
        raise ValueError(f"{path}: dataset format_version {found} cannot be read, only {allowed}; prepare it again")
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
    whole = document.pop(WHOLE, None)
    if whole is not None:
        whole = Whole(_open_sessions(path / WHOLE, whole["arrays"]), _ranges(whole["parts"]))
    return Dataset(
        path=path,
        sessions=_open_sessions(path / "sessions", document["arrays"]),
        catalogue=Catalogue.load(path / "catalogue"),
        behaviours=Behaviours(tuple(document.pop("behaviours"))),
        parts=_ranges(document.pop("parts")),
        validation_cases=document.pop("validation_cases", "every"),
        test_cases=document.pop("test_cases"),
        short_parts=_ranges(document.pop("short_parts", {})),
        about=document,
        stored_whole=whole,
    )


def _ranges(parts: Mapping[Part, Sequence[int]]) -> dict[Part, tuple[int, int]]:
    return {name: (int(first), int(end)) for name, (first, end) in parts.items()}


def _open_sessions(folder: Path, names: Sequence[str]) -> Sessions:
    """The sessions in a folder, memory-mapped.

    Raises:
        ValueError: an array cannot be read.
    """
    arrays = {}
    for name in names:
        file = folder / f"{name}.npy"
        try:
            arrays[name] = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{file} cannot be read: {error}") from None
    return Sessions(**{name: arrays.pop(name) for name in [*EVENT_ARRAYS, "offsets"]}, optional=arrays)


def _refuse_misfits(dataset: Dataset) -> None:
    """Raise ValueError if the arrays, the catalogue and the parts are inconsistent."""
    short = [dataset.short_parts[name] for name in PARTS if dataset.short_parts]
    _refuse_misfit(dataset, dataset.sessions, [*(dataset.parts[name] for name in PARTS), *short])
    if dataset.stored_whole is not None:
        _refuse_misfit(dataset, dataset.stored_whole.sessions, [dataset.stored_whole.parts[name] for name in PARTS])


def _refuse_misfit(dataset: Dataset, sessions: Sessions, ends: Sequence[tuple[int, int]]) -> None:
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
