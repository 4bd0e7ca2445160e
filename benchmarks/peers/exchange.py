"""Files that our process and a peer's exchange; needs numpy only, because both processes import this module.

We write a task: training sessions, validation prefixes with their targets, test prefixes without theirs. The peer
writes the top items of every test prefix and an account of its training. Items are catalogue indices of trained items;
others are already dropped from every row, and prefixes are already cut to the length limit.

Shapes: C cases, K items of a list.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.ranking import CUTOFFS, MISSED

LIST_LENGTH: Final = max(CUTOFFS)
NO_ITEM: Final = -1
"""Pads a list shorter than LIST_LENGTH; a peer leaves the lists of empty prefixes to us."""
TASK_FILE, LISTS_FILE, ACCOUNT_FILE = "task.json", "lists.npy", "account.json"

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Rows:
    """Ragged (CSR-like) array of items: row r is ``items[offsets[r]:offsets[r + 1]]``."""

    items: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.items[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of items of each row."""
        return np.diff(self.offsets)

    def newest(self, share: float) -> "Rows":
        """The last ``share`` of the rows, at least one of them."""
        start = min(int(len(self) * (1 - share)), len(self) - 1)
        first = self.offsets[start]
        return Rows(self.items[first:], self.offsets[start:] - first)


@dataclass(frozen=True)
class Task:
    """Input of a peer.

    Attributes:
        items: number of trained items.
        train: sessions of at least two items.
        validation, test: prefixes, the last ``length`` items of each; empty where no item of them is known.
        targets_C: the item that follows each validation prefix.
        fallback_ranks_C: the target's rank by popularity where a validation prefix is empty, else 0.
        options: system, model size, budgets and seed (:class:`benchmarks.peers.options.Options`).
    """

    items: int
    train: Rows
    validation: Rows
    targets_C: npt.NDArray[np.int64]
    fallback_ranks_C: npt.NDArray[np.int64]
    test: Rows
    options: Mapping[str, Any]


def write_task(folder: Path, task: Task) -> None:
    """Write a task into ``folder``, which is created if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", task.train), ("validation", task.validation), ("test", task.test)):
        np.save(folder / f"{name}_items.npy", np.asarray(rows.items, np.int32))
        np.save(folder / f"{name}_offsets.npy", np.asarray(rows.offsets, np.int64))
    np.save(folder / "validation_targets.npy", task.targets_C)
    np.save(folder / "validation_fallback_ranks.npy", task.fallback_ranks_C)
    document = {"items": task.items, "options": dict(task.options)}
    (folder / TASK_FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_task(folder: Path) -> Task:
    """The inverse of :func:`write_task`."""
    document = json.loads((folder / TASK_FILE).read_text(encoding="utf-8"))

    def array(name: str) -> npt.NDArray[Any]:
        loaded: npt.NDArray[Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
        return loaded

    train, validation, test = (
        Rows(array(f"{name}_items"), array(f"{name}_offsets")) for name in ("train", "validation", "test")
    )
    return Task(
        items=document["items"],
        train=train,
        validation=validation,
        targets_C=array("validation_targets"),
        fallback_ranks_C=array("validation_fallback_ranks"),
        test=test,
        options=document["options"],
    )


def write_answer(folder: Path, lists_CK: IntArray | None, account: Mapping[str, Any]) -> None:
    """Write a peer's lists, best item first, and its account; a run that measures speed only has no lists."""
    if lists_CK is not None:
        np.save(folder / LISTS_FILE, np.asarray(lists_CK, np.int32))
    (folder / ACCOUNT_FILE).write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")


def read_account(folder: Path) -> dict[str, Any]:
    """A peer's account of its training: settings, time, rates, curve."""
    account: dict[str, Any] = json.loads((folder / ACCOUNT_FILE).read_text(encoding="utf-8"))
    return account


def read_lists(folder: Path, *, cases: int, items: int) -> npt.NDArray[np.int64]:
    """A peer's lists, int64 [C, K].

    Raises:
        ValueError: there is not one list per case, or a list names an item twice or one that was not trained.
    """
    path = folder / LISTS_FILE
    lists_CK = np.load(path, allow_pickle=False).astype(np.int64)
    if lists_CK.ndim != 2 or len(lists_CK) != cases:
        raise ValueError(f"{path} has the shape {lists_CK.shape}, but there are {cases} cases to answer")
    if lists_CK.size and not NO_ITEM <= lists_CK.min() <= lists_CK.max() < items:
        raise ValueError(f"{path} holds items outside 0 .. {items - 1}")
    ordered_CK = np.sort(lists_CK, axis=1)
    if ((ordered_CK[:, 1:] == ordered_CK[:, :-1]) & (ordered_CK[:, 1:] != NO_ITEM)).any():
        raise ValueError(f"{path} holds lists that name an item twice")
    return lists_CK


def ranks_in_lists(lists_CK: IntArray, targets_C: IntArray) -> npt.NDArray[np.int64]:
    """Rank of each target in its list, from 1; MISSED where the list lacks it."""
    found_CK = lists_CK == targets_C[:, None]
    return np.where(found_CK.any(axis=1), found_CK.argmax(axis=1) + 1, MISSED).astype(np.int64)
