"""User sequences: a user, then items."""

from pathlib import Path

import pytest

from tests.logs import read_log, write_log
from training.data.readers.sequences import SequencesConfig


def test_sequences_are_a_user_and_then_items(tmp_path: Path) -> None:
    path = write_log(tmp_path / "sequences.txt.gz", "u1 a b a", "u2", "u3  c ", "u4\tc", "", "u1 b c")
    attributes = write_log(tmp_path / "attributes.json", '{"a": [3, 1], "b": [], "z": ["x"]}')
    log = read_log(SequencesConfig(path=str(path), attributes=str(attributes)), tmp_path / "scratch")
    assert log.column("item_id") == ["a", "b", "a", "c", "b", "c"]
    assert log.column("user_id") == ["u1", "u1", "u1", "u3", "u1", "u1"]
    assert [len(set(log.column("session_id")[a:b])) for a, b in ((0, 3), (3, 6), (0, 6))] == [1, 2, 3]
    assert set(log.column("timestamp")) == {-1}
    assert log.items == {"a": {"attribute": ["3", "1"]}, "b": {"attribute": []}, "z": {"attribute": ["x"]}}
    assert log.rejected == [("sequences.txt.gz", 2, "malformed row"), ("sequences.txt.gz", 4, "malformed row")]


@pytest.mark.parametrize("content", ["a 1", "[1]", "{}", '{"a": 1}'])
def test_an_attribute_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    path, attributes = write_log(tmp_path / "s.txt", "u a b"), write_log(tmp_path / "a.json", content)
    with pytest.raises(ValueError, match=r"data\.attributes: .*a\.json"):
        read_log(SequencesConfig(path=str(path), attributes=str(attributes)), tmp_path / "scratch")
