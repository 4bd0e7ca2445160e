"""Revisions of what a merchandiser set by hand: every change is a new one, and none is altered afterwards.

Going back makes a new revision with an older one's content, so that the numbers only rise and the history says what
stood when. Each knows the revision that it came after, so that going back twice goes back two changes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypedDict

import msgspec
from msgspec import Struct

from serving.protocol import packing
from tillside.atomic import write_text_atomically
from tillside.policy.merchandising import NOTHING_BY_HAND, REVISIONS, ByHand, revisions_in

KEPT: Final = 200
"""Revisions that can be gone back to; older ones are removed."""


class Revision(Struct, frozen=True, kw_only=True):
    """What was set by hand from a moment on.

    Attributes:
        revision: 0 for nothing, then counted up.
        at: UTC, ISO 8601.
        change: what made it: a part's name, ``policy``, or ``rollback to N``.
        before: revision that a rollback goes to; None where there is none.
    """

    revision: int
    at: str
    change: str
    before: int | None
    by_hand: ByHand


class TriedOn(TypedDict):
    """What a change makes of the policy: its version and placements (null and none without one), and what is odd."""

    policy: str | None
    placements: list[str]
    remarks: list[str]


NO_REVISION: Final = Revision(revision=0, at="", change="", before=None, by_hand=NOTHING_BY_HAND)


class Revisions:
    """All revisions that are kept, in memory and, if there is a folder, on disk.

    Args:
        before_write: raises OSError where the folder must not be written to.

    Raises:
        ValueError: a file of the folder cannot be read.
    """

    def __init__(self, state: Path | None = None, *, before_write: Callable[[], None] = lambda: None) -> None:
        self._before_write = before_write
        self._folder = None if state is None else state / REVISIONS
        self._all: dict[int, Revision] = {0: NO_REVISION}
        for path in revisions_in(state) if state else ():
            try:
                found = msgspec.json.decode(path.read_bytes(), type=Revision)
            except (OSError, msgspec.DecodeError) as error:
                raise ValueError(
                    f"{path} is no revision of this server's ({error}); remove it, or name another --state"
                ) from None
            self._all[found.revision] = found

    @property
    def current(self) -> Revision:
        """The revision in force."""
        return self._all[max(self._all)]

    def changed(self, change: str, by_hand: ByHand) -> Revision:
        """The revision that follows the current one with this content; not yet kept."""
        now = self.current
        return Revision(revision=now.revision + 1, at=_now(), change=change, before=now.revision, by_hand=by_hand)

    def undone(self, number: int | None = None) -> Revision:
        """The revision that goes back to ``number``, or to the one before the current one; not yet kept.

        Raises:
            ValueError: there is no such revision.
        """
        now = self.current
        wanted = now.before if number is None else number
        found = None if wanted is None else self._all.get(wanted)
        if found is None:
            if number is None:
                raise ValueError("nothing was set by hand before this, so there is nothing to go back to")
            raise ValueError(f"revision must be one of {', '.join(map(str, sorted(self._all)))}, got {number}")
        return Revision(
            revision=now.revision + 1,
            at=_now(),
            change=f"rollback to {found.revision}",
            before=found.before,
            by_hand=found.by_hand,
        )

    def keep(self, revision: Revision) -> None:
        """Make a revision the current one, on disk first.

        Raises:
            OSError: it cannot be written; the current one stays.
        """
        if self._folder is not None:
            self._before_write()
            text = msgspec.json.encode(revision).decode()
            write_text_atomically(self._folder / f"{revision.revision:09d}.json", f"{text}\n")
        self._all[revision.revision] = revision
        for number in sorted(self._all)[1:-KEPT]:
            del self._all[number]
            if self._folder is not None:
                (self._folder / f"{number:09d}.json").unlink(missing_ok=True)

    def listed(self) -> list[dict[str, Any]]:
        """What each revision is, the latest first, without its content."""
        rows = [self._all[number] for number in sorted(self._all, reverse=True) if number]
        return [{name: getattr(row, name) for name in ("revision", "at", "change", "before")} for row in rows]


def packed(revision: Revision) -> str:
    """Compress a revision to base64 text, for the channel to a worker."""
    return packing.packed(msgspec.json.encode(revision))


def unpacked(text: str) -> Revision:
    """Inverse of :func:`packed`."""
    return msgspec.json.decode(packing.unpacked(text), type=Revision)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
