"""What commands print reads the same in a terminal, a file and a pipe."""

from training.cli.console import PLAIN_WIDTH, print_table, say


def test_a_sentence_is_printed_as_it_is(capsys):
    """Brackets are no markup, and a long line is not broken."""
    sentence = "[bold]wrote[/] " + "x" * 300 + " 12 of 13"
    say(sentence)
    assert capsys.readouterr().out == sentence + "\n"


def test_a_table_shows_every_cell_and_numbers_stand_to_the_right(capsys):
    print_table("title", ["name", "count"], [["a", "7"], ["longer", "1,000"]], numbers=["count"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "title"
    assert [line for line in lines if "│" in line] == ["│ a      │     7 │", "│ longer │ 1,000 │"]


def test_a_table_in_a_pipe_folds_what_is_too_wide_and_loses_nothing(capsys):
    print_table("title", ["text"], [["word " * 60]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= PLAIN_WIDTH
    assert sum(line.count("word") for line in lines) == 60
