"""The reference of the server's flags and of its load generator's, read off their parsers."""

import argparse

from docs.generate.tables import NOTE, code, table
from serving.bench.__main__ import make_parser as bench_parser
from serving.collector.settings import make_parser as collector_parser
from serving.settings import make_parser


def flags_page() -> str:
    """The page, as Markdown."""
    lines = [
        NOTE,
        "",
        "# The server's flags",
        "",
        "`python -m serving` takes flags, and for each flag a variable of the environment; the flag wins. Tokens are",
        "variables alone: `TILLSIDE_TOKEN` for callers, `TILLSIDE_ADMIN_TOKEN` for changes on the admin port.",
        "",
        *_flags(make_parser({})),
        "",
        "## The collector",
        "",
        "`python -m serving.collector` takes the shop's events: [feedback](../feedback.md).",
        "",
        *_flags(collector_parser({})),
        "",
        "## The load generator",
        "",
        "`python -m serving.bench` loads a running server at fixed rates.",
        "",
        *_flags(bench_parser()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    rows = []
    for action in parser._actions:  # argparse offers no public way to list them
        if isinstance(action, argparse._HelpAction):
            continue
        text = (action.help or "") % {"default": action.default, "prog": parser.prog}
        allowed = f"; one of {', '.join(map(code, action.choices))}" if action.choices else ""
        rows.append([code(" ".join(action.option_strings)), f"{text}{allowed}".lstrip("; ")])
    return table(("flag", "meaning"), rows)
