"""Flags of the programs that serve: values that say what is allowed, and one sentence on a wrong one."""

import argparse
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

from tillside.cli.likeness import did_you_mean

Parsed = TypeVar("Parsed")


class Parser(argparse.ArgumentParser):
    """Ends the process with one sentence on a wrong flag."""

    def error(self, message: str) -> NoReturn:
        kind, _, given = message.partition(": ")
        if kind == "unrecognized arguments":
            meant = did_you_mean(given.partition(" ")[0].partition("=")[0], self._option_string_actions)
            if not given.startswith("-"):
                meant = f"a bundle is given as --bundle {given.partition(' ')[0]}"
            message += f"; {meant or f'{self.prog} --help lists the flags'}"
        self.exit(2, f"error: {message}\n")


def off_or(parse: Callable[[str], int], word: str) -> Callable[[str], int | None]:
    """Parser of what ``parse`` reads, or of one word, which is None."""

    def parse_or_none(text: str) -> int | None:
        return None if text == word else parse(text)

    return parse_or_none


def told_by(parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """Parser of a flag's value that tells what ``parse`` says of a wrong one; argparse would only name the function."""

    def told(text: str) -> Parsed:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return told


def address(text: str) -> str:
    """An URL of http, https or file."""
    if not re.fullmatch(r"(https?|file)://[^\s]+", text):
        raise argparse.ArgumentTypeError("must begin with http://, https:// or file://")
    return text


def share(text: str) -> float:
    """A decimal number from 0 to 1."""
    if not re.fullmatch(r"0(\.\d{1,9})?|1(\.0{1,9})?", text):
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text[:60]!r}")
    return float(text)


def switch(text: str) -> bool:
    """``on`` or ``off``."""
    return word("on", "off")(text) == "on"


def word(*allowed: str) -> Callable[[str], str]:
    """Parser of one of the words that are allowed."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise argparse.ArgumentTypeError(f"must be {' or '.join(allowed)}, got {text[:60]!r}")
        return text

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """Parser of a flag's value that is an integer within bounds."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 12 or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be an integer from {low} to {high}, got {text!r}")
        return int(text)

    return parse
