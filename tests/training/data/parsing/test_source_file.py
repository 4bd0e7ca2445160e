"""A file before it is parsed: unpacked, hashed, told regular from irregular, and its lines found again."""

import gzip
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.parsing.source_file import CHUNK, SourceFile, look_through, open_source


def source(path: Path = Path("log.csv"), **fields: object) -> SourceFile:
    return SourceFile(path, path, 1, None, **fields)  # type: ignore[arg-type]


def is_regular(content: bytes) -> bool:
    return look_through(io.BytesIO(content), copy=None, name="log")


def test_the_line_of_a_record_counts_the_malformed_lines_before_it() -> None:
    # line 1 is the header; lines 3, 4 and 7 have no record, so records 0 to 4 stand in 2, 5, 6, 8 and 9
    malformed = [(4, "x"), (3, "x"), (7, "x"), (7, "again")]
    assert source(first_line=2, malformed=malformed).line_of(np.arange(5)).tolist() == [2, 5, 6, 8, 9]
    assert source(first_line=1).line_of(np.arange(3)).tolist() == [1, 2, 3]


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 2))
def test_records_and_malformed_lines_share_the_lines_of_a_file(good: list[bool], first_line: int) -> None:
    lines = list(enumerate(good, first_line))
    found = source(first_line=first_line, malformed=[(line, "x") for line, sound in lines if not sound])
    assert found.line_of(np.arange(sum(good))).tolist() == [line for line, sound in lines if sound]


def test_an_irregular_file_knows_the_line_of_each_record() -> None:
    given_lines = source(lines=np.array([2, 5, 9]), malformed=[(3, "x")])
    assert given_lines.line_of(np.array([2, 0])).tolist() == [9, 2]


@pytest.mark.parametrize(
    ("content", "regular"),
    [
        (b"a,b\n1,2\n", True),
        (b"a,b\n1,2", True),
        (b"a,b\r\n1,2\r\n", True),
        ("a,b\ncafé,2\n".encode(), True),
        (b"", True),
        (b'a,b\n"1",2\n', False),  # a quote
        (b"a,b\n\n1,2\n", False),  # a blank line
        (b"\na,b\n", False),  # at the head
        (b"a,b\r\n\r\n1,2\r\n", False),
        (b"a,b\r\n1,2\n", False),  # two kinds of line ending
        (b"a,b\r1,2\r", False),
        (b"a,b\n1,\x00\n", False),
        (b"a,b\n1,\x01\n", False),  # the delimiter that stands for none
        ("a,b\ncafé,2\n".encode("latin-1"), False),
        ("a,b\n1,é".encode()[:-1], False),  # cut within a letter
        ("\ufeffa,b\n1,2\n".encode(), False),  # a byte order mark
    ],
)
def test_what_is_regular(content: bytes, regular: bool) -> None:
    assert is_regular(content) is regular


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_where_the_file_is_read_in_pieces_changes_nothing(end: str) -> None:
    """A line ending and a letter of two bytes stand across the border of two reads."""
    line = "é" * 100 + end
    size = len(line.encode())
    for before in range(1, 5):
        head = "x" * (CHUNK % size - before) + end
        assert is_regular((head + line * (CHUNK // size + 2)).encode())
    blank = "x" * (CHUNK - len(end)) + end  # the first read ends where the next line begins
    assert not is_regular(("a" + end).encode() + blank.encode()[len(("a" + end).encode()) :] + end.encode() + b"b")


def test_a_line_longer_than_a_read_is_refused() -> None:
    with pytest.raises(ValueError, match="log has a line longer than 4 MB"):
        is_regular(b"x" * (CHUNK + 1))
    assert look_through(io.BytesIO(b"x" * (CHUNK + 1)), copy=None, name="log", text=False)  # a binary file has no lines


def test_gzip_is_known_by_its_content_unpacked_and_hashed_as_it_came(tmp_path: Path) -> None:
    packed, scratch = gzip.compress(b"a,b\n1,2\n"), tmp_path / "scratch"
    scratch.mkdir()
    path = tmp_path / "log.csv"  # the name does not say so
    path.write_bytes(packed)
    found = open_source(path, scratch)
    assert (found.plain.parent, found.plain.read_bytes()) == (scratch, b"a,b\n1,2\n")
    assert (found.size, found.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())
    plain = tmp_path / "plain.csv"
    plain.write_bytes(b"a,b\n1,2\n")
    assert open_source(plain, scratch).plain == plain


def test_two_files_of_one_name_are_unpacked_side_by_side(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = []
    for folder, content in (("one", b"1\n"), ("two", b"2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log.csv.gz").write_bytes(gzip.compress(content))
        found.append(open_source(tmp_path / folder / "log.csv.gz", scratch))
    assert [each.plain.read_bytes() for each in found] == [b"1\n", b"2\n"]


def test_texts_are_the_lines_asked_for_cut_and_none_of_a_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"head\r\n" + b"y" * 1001 + b"\ncaf\xe9\n")
    assert source(path).texts([3, 2]) == {2: "y" * 1000, 3: "caf\ufffd"}
    assert source(path).texts([9]) == {}
    assert source(tmp_path / "log.parquet").texts([1]) == {}
