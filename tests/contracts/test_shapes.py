"""Shape suffixes: a module that names arrays by their axes (``hidden_BLD``) says at its head what each letter is."""

import ast
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = [
    path.relative_to(ROOT).as_posix()
    for room in ("src/tillside", "training", "serving")
    for path in sorted((ROOT / room).rglob("*.py"))
]
SUFFIX = re.compile(r"_?[a-z][a-z0-9_]*_([A-Z]+)[0-9]?")


def axes(source: str) -> set[str]:
    """Letters of all suffixes among the module's names."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    matches = [SUFFIX.fullmatch(token.string) for token in tokens if token.type == tokenize.NAME]
    return {letter for match in matches if match for letter in match[1]}


def legend(source: str) -> str:
    """What stands behind ``Shapes:`` in the module's docstring, or in comments where that is a help text."""
    comments = "\n".join(re.findall(r"^# (.*)$", source, re.MULTILINE))
    head = f"{ast.get_docstring(ast.parse(source)) or ''}\n{comments}"
    return head.partition("Shapes:")[2]


def test_a_letter_without_a_legend_is_found() -> None:
    source = '"""Heads. Shapes: B rows of a batch, D width."""\nhidden_BLD = weights_D = plain = LIMIT_MS = 0\n'
    assert axes(source) == {"B", "L", "D"}
    assert [letter for letter in sorted(axes(source)) if not re.search(rf"\b{letter}\b", legend(source))] == ["L"]


def test_every_letter_has_a_legend() -> None:
    missing = {}
    for module in MODULES:
        source = (ROOT / module).read_text(encoding="utf-8")
        letters = [letter for letter in sorted(axes(source)) if not re.search(rf"\b{letter}\b", legend(source))]
        if letters:
            missing[module] = letters
    assert len(MODULES) > 100
    assert missing == {}
