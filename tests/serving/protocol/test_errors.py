"""A refusal names the value, shortened, and what is allowed."""

from http import HTTPStatus
from pathlib import Path

import pytest

from serving.protocol.errors import FieldError, ProblemError, shown, unreadable


def test_a_value_is_shown_as_json_cut_at_sixty_characters():
    assert shown("früh") == '"früh"'
    assert shown([1, None, True]) == "[1, null, true]"
    assert shown("x" * 58) == '"' + "x" * 58 + '"'  # 60 with the quotes
    assert shown("x" * 59) == '"' + "x" * 59 + "… (61 characters)"


@pytest.mark.parametrize(("value", "words"), [(2**256 - 1, None), (2**256, "an integer of more than 77 digits")])
def test_an_integer_too_long_to_be_printed_is_described(value, words):
    """2 ** 256 has 78 digits; its 60 first ones are shown up to there."""
    assert len(str(2**256)) == 78
    assert shown(value) == (words or f"{str(value)[:60]}… (78 characters)")


def test_a_lone_surrogate_cannot_break_the_sentence():
    assert shown("\ud800") == '"?"'


def test_a_field_error_names_field_value_and_what_is_allowed():
    error = FieldError.of_value("k", 0, allowed="an integer from 1 to 9")
    assert str(error) == "k must be an integer from 1 to 9, got 0"
    assert (error.field, error.allowed) == ("k", "an integer from 1 to 9")


def test_the_likeliest_choice_is_named():
    error = FieldError.of_value("behaviour", "clik", allowed="one of click, cart", choices=["click", "cart"])
    assert str(error) == 'behaviour must be one of click, cart, got "clik"; did you mean click?'
    error = FieldError.of_value("behaviour", 7, allowed="one of click", choices=["click"])
    assert str(error) == "behaviour must be one of click, got 7"


def test_a_file_that_cannot_be_read_is_said_without_the_error_s_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, words in ((tmp_path / "a", "no such file or directory"), (Path("a"), f"directory, seen from {tmp_path}")):
        with pytest.raises(OSError) as caught:
            path.read_text()
        assert unreadable(caught.value, path).endswith(words)
        assert "Errno" not in unreadable(caught.value, path)
    assert unreadable(ValueError("it is odd"), Path("a")) == "it is odd"


def test_a_problem_is_its_sentence_and_further_members():
    problem = ProblemError(HTTPStatus.CONFLICT, "bundle-refused", "it is bad", field="bundle")
    assert (str(problem), problem.kind, problem.members) == ("it is bad", "bundle-refused", {"field": "bundle"})
