"""Each internal column has one name, and the name stands in one place."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import training.data
from training.data import columns

ROOM = Path(training.data.__file__).parent
NAMES = {name: value for name, value in vars(columns).items() if name.isupper()}


def column_names(code: str) -> list[str]:
    """The strings and keywords of a module that begin as an internal column's name does."""
    nodes = list(ast.walk(ast.parse(code)))
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    keywords = [node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg]
    return [name for name in (*strings, *keywords) if name.startswith("__")]


def test_names_are_found_however_they_are_written() -> None:
    code = 'table.mutate(__rank=1)["__rank"].drop(f"__count_{index}", "rank")\nclass A:\n    def __len__(self): ...'
    assert sorted(column_names(code)) == ["__count_", "__rank", "__rank"]


@pytest.mark.parametrize(
    "path", [path for path in sorted(ROOM.rglob("*.py")) if path.name != "columns.py"], ids=lambda path: path.stem
)
def test_no_module_but_columns_writes_the_name_of_an_internal_column(path: Path) -> None:
    assert column_names(path.read_text(encoding="utf-8")) == []


def test_no_two_columns_have_one_name_and_none_can_hide_a_column_of_the_log() -> None:
    counts = Counter([*NAMES.values(), *map(columns.count_column, range(3))])
    assert counts.total() == len(counts)
    # LINE is the one column of a file that is read as bare lines: no log's own column can stand beside it
    assert [name for name, value in NAMES.items() if not value.startswith("__")] == ["LINE"]
