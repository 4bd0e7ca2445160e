"""The salt comes from a file or the environment, never from the command line, and no message holds it."""

import pytest

from serving.feedback.salt import VARIABLE, read_salt

SALT = "0123456789abcdef"


def test_a_file_wins_over_the_variable(tmp_path):
    file = tmp_path / "salt"
    file.write_text(SALT[::-1] + "\n")
    assert read_salt({VARIABLE: SALT}, file) == SALT[::-1].encode()
    assert read_salt({VARIABLE: SALT}, None) == SALT.encode()
    assert read_salt({VARIABLE: " "}, None) is None
    assert read_salt({}, None) is None


def test_a_salt_that_is_too_short_is_refused_without_being_told(tmp_path):
    file = tmp_path / "salt"
    file.write_text("secret")
    with pytest.raises(ValueError, match="must hold 16 to 64 bytes, got 6") as caught:
        read_salt({}, file)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match=f"^{VARIABLE} must hold") as caught:
        read_salt({VARIABLE: "secret"}, None)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="salt cannot be read: No such file"):
        read_salt({}, tmp_path / "salt")
