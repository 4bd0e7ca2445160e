"""A shop's own words where they would mean something: on a terminal, in Markdown, and in a spreadsheet.

A name is data: whatever it holds, it is shown as it is, and starts nothing.
"""

import html
import re
from typing import Final

from tillside.cli.secrets import without_secrets

MARKS: Final = re.compile(r"[`*|~\\]|\](?=[(:\[])|(?<!\w)_|_(?!\w)")
"""What begins something in Markdown, or ends the name of a link; a range in brackets and a key_with_lines are none."""
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


def on_terminal(text: str) -> str:
    """``text`` without the characters that a terminal obeys; line ends stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def shown(text: str) -> str:
    """``text`` as it may leave a command: without secrets, and with nothing that a terminal obeys."""
    return on_terminal(without_secrets(text))


def in_markdown(text: str) -> str:
    """``text`` as Markdown and HTML show it, on one line."""
    safe = html.escape(" ".join(on_terminal(text).split("\n")), quote=False)
    return MARKS.sub(lambda mark: f"&#{ord(mark[0])};", safe)


def in_cell(text: str) -> str:
    """``text`` as a cell of a CSV file that a spreadsheet shows and does not compute."""
    return f"'{text}" if text.startswith(FORMULA) else text
