"""Values of flags: what is allowed is read, anything else is told with what is allowed."""

import argparse

import pytest

from serving.protocol.flags import Parser, address, integer, off_or, share, switch, told_by, word


def test_what_is_allowed_is_read():
    assert integer(1, 5)("5") == 5
    assert off_or(integer(1, 5), "off")("off") is None
    assert off_or(integer(1, 5), "off")("2") == 2
    assert share("0.25") == 0.25
    assert (switch("on"), switch("off")) == (True, False)
    assert word("exit", "stay")("stay") == "stay"
    assert address("http://127.0.0.1:9090/v1/admin/state") == "http://127.0.0.1:9090/v1/admin/state"


@pytest.mark.parametrize(
    ("parse", "text", "told"),
    [
        (integer(1, 5), "6", "must be an integer from 1 to 5, got '6'"),
        (integer(1, 5), "+3", "must be an integer from 1 to 5"),
        (share, "1.5", "must be a number from 0 to 1, got '1.5'"),
        (switch, "yes", "must be on or off, got 'yes'"),
        (address, "ftp://host/state", "must begin with http://, https:// or file://"),
    ],
)
def test_anything_else_is_told_with_what_is_allowed(parse, text, told):
    with pytest.raises(argparse.ArgumentTypeError, match=told.replace("+", "[+]")):
        parse(text)


def test_what_a_parser_says_of_a_wrong_value_is_told():
    def refuse(text):
        raise ValueError(f"no folder is called {text}")

    with pytest.raises(argparse.ArgumentTypeError, match="no folder is called x"):
        told_by(refuse)("x")


def test_a_mistyped_flag_ends_in_one_sentence_with_what_was_meant(capsys):
    parser = Parser(prog="python -m serving")
    parser.add_argument("--bundle")
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--bundel", "b"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("error: unrecognized arguments: --bundel b")
    assert "--bundle" in told
