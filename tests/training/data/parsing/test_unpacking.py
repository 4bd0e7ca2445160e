"""Files are found, told by their first bytes, and recoded chunk by chunk."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.parsing.unpacking import AsUtf8, bare_name, members, packing_of, unzipped

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff"), min_size=1)


@given(st.lists(TEXTS, min_size=1), st.sampled_from(["utf-16", "utf-8", "utf-8-sig"]), st.integers(1, 7))
def test_recoding_changes_no_letter_wherever_it_is_cut(lines, encoding, size):
    whole = "\n".join(lines)
    source = AsUtf8(io.BytesIO(whole.encode(encoding)), None, name="log")
    read = b"".join(iter(lambda: source.read(size), b""))
    assert read.decode("utf-8-sig") == whole


def test_lone_carriage_returns_are_line_ends_and_others_stay():
    for content, read in ((b"a\rb\r", b"a\nb\n"), (b"a\r\nb\r\n", b"a\r\nb\r\n"), (b"a\rb\nc\n", b"a\rb\nc\n")):
        source = AsUtf8(io.BytesIO(content), None, name="log")
        assert b"".join(iter(lambda source=source: source.read(2), b"")) == read


def test_what_a_setting_names(tmp_path):
    for name in ("b.csv", "a.csv", "_SUCCESS", ".a.csv.crc", "deep/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    names = [path.name for path in members(str(tmp_path), field="data.path")]
    assert names == ["a.csv", "b.csv", "c.csv"]
    assert [path.name for path in members(f"{tmp_path}/*.csv", field="data.path")] == ["a.csv", "b.csv"]
    assert [path.name for path in members(["x", "y"], field="data.path")] == ["x", "y"]
    for given_, sentence in (([], "an empty list"), (f"{tmp_path}/*.tsv", "no file matches")):
        with pytest.raises(ValueError, match=sentence):
            members(given_, field="data.path")


def test_a_damaged_archive_is_called_so(tmp_path):
    path = tmp_path / "log.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x" * 1000)
    (tmp_path / "scratch").mkdir()
    assert (packing_of(path), bare_name(path)) == ("zip", "log.csv")
    assert [name for name, _ in unzipped(path, tmp_path / "scratch", field="data.path")] == [f"{path}/a.csv"]
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ValueError, match="damaged or truncated zip file"):
        unzipped(path, tmp_path / "scratch", field="data.path")
