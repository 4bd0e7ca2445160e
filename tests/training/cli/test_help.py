"""``--help``: what the command does, every group with its choices, every key on a line."""

from training.cli.help import help_text
from training.cli.keys import Key

KEYS = [
    Key("out", "path", None, "The folder to write. It appears whole."),
    Key("split.by", "name or null", "null", "What parts it.", ("days", "share")),
    Key("seed", "integer", "0", "Of the draw."),
    Key("split.tags", "list of names", "[]", "Its tags.", ("a", "b")),
]
GROUPS = [Key("data", "name of a group", "events", "The log.", ("events", "rees46"))]


def test_each_key_stands_on_a_line_with_type_default_and_meaning():
    lines = help_text("Does ``this``.\n", GROUPS, KEYS, width=None).splitlines()
    assert lines[0] == "Does this."
    assert "  data=  events, rees46 (default events)  The log." in lines
    assert "  out   path, must be given.  The folder to write." in lines
    assert lines.index("  seed  integer, default 0.  Of the draw.") < lines.index("Keys of split:")
    assert "  split.by    days|share or null, default null.  What parts it." in lines
    assert "  split.tags  list of a|b, default [].  Its tags." in lines


def test_lines_keep_to_the_width_of_a_terminal_and_lose_no_word():
    long = [Key("key", "text", "null", "word " * 40)]
    text = help_text("Doc.", [], long, width=60)
    assert max(map(len, text.splitlines())) < 60
    assert text.count("word") == 40
