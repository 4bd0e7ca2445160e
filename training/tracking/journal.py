"""A run's journal (write-ahead log): all that is to be logged to MLflow, one JSON entry a line, and how far it is sent.

An entry is written before it is sent, and an acknowledgement line after. After a crash, entries without one are sent
again; replay is idempotent, as MLflow keeps one of two equal metrics, parameters, tags, inputs and files. Surprising: a
line torn by a kill is skipped and its number reported; its write was never confirmed, so nothing relies on it.
"""

import json
from collections import deque
from pathlib import Path
from typing import Any, Final

JOURNAL_FILE: Final = "journal.jsonl"
"""In the run's folder."""
NUMBER, KIND, SENT = "n", "kind", "sent"
Entry = dict[str, Any]


class Journal:
    """Unsent entries of a journal file, with their numbers, oldest first; the file need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn: list[int] = []
        """Line numbers, from 1, that cannot be parsed."""
        sent = 0
        entries: dict[int, Entry] = {}
        text = path.read_bytes() if path.is_file() else b""
        for line_number, line in enumerate(text.splitlines(), start=1):
            try:
                document = json.loads(line)
                if SENT in document:
                    sent = max(sent, int(document[SENT]))
                else:
                    entry_number = int(document.pop(NUMBER))
                    entries[entry_number] = document | {KIND: str(document[KIND])}
            except (ValueError, TypeError, KeyError, AttributeError):
                self.torn.append(line_number)
        self._last = max([sent, *entries])
        self._whole = text.endswith(b"\n") or not text
        self.waiting = deque((number, entry) for number, entry in entries.items() if number > sent)

    def add(self, entry: Entry) -> None:
        """Append an entry to the file and to ``waiting``."""
        self._last += 1
        self._append({NUMBER: self._last} | entry)
        self.waiting.append((self._last, entry))

    def done(self, *, refused: str | None = None) -> None:
        """Acknowledge the oldest waiting entry: it is in the store, or was ``refused`` for that reason."""
        number, _ = self.waiting.popleft()
        self._append({SENT: number} | ({} if refused is None else {"refused": refused}))

    def _append(self, document: Entry) -> None:
        line = json.dumps(document, ensure_ascii=False).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            file.write(line if self._whole else b"\n" + line)  # one call, so lines of two processes never mix
        self._whole = True
