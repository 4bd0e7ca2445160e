"""Names start nothing, wherever they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import markdown

from training.cli.foreign_text import in_cell, in_markdown, on_terminal

EVIL = [
    '<script>document.title="PWN"</script>', '<img src=x onerror="alert(1)">', "[x](javascript:alert(1))",
    "![x](http://127.0.0.1:1/x.png)", "| a | b |", "`x`", "```", "*x*", "_x_", "[x][y]", "~~x~~",
    "<http://x.example>", "a\n\n# h", "&lt;b&gt;",
]  # fmt: skip


@pytest.mark.parametrize("name", EVIL)
def test_markdown_shows_a_name_as_it_is(name):
    """The page holds a paragraph and a table, and in them no element of the name's making."""
    page = markdown(
        f"by {in_markdown(name)}\n\n| a | b |\n| --- | --- |\n| {in_markdown(name)} | 1 |", extensions=["tables"]
    )
    for made in ("<script", "<img", "<a ", "<code", "<em", "<strong", "<del", "<h1", "<b>"):
        assert made not in page
    assert page.count("<td") == 2


def test_what_begins_nothing_stays_readable():
    assert (
        in_markdown("0.51 [0.50, 0.52] of learning_rate, p-7 (new)") == "0.51 [0.50, 0.52] of learning_rate, p-7 (new)"
    )


@given(st.text())
def test_a_terminal_gets_nothing_to_obey(text):
    assert all(letter.isprintable() or letter == "\n" for letter in on_terminal(text))
    assert on_terminal("\x1b[2J\u202egnp.exe ü\n") == "\ufffd[2J\ufffdgnp.exe ü\n"


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_shows_and_does_not_compute(text):
    assert in_cell(text) == f"'{text}"
    assert in_cell(f"a{text}") == f"a{text}"
