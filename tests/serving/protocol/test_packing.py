import pytest

from serving.protocol.packing import packed, unpacked


@pytest.mark.parametrize("data", [b"", b"\x00\xff\n", "Köpfe 耳机".encode(), b"the same line\n" * 1000])
def test_bytes_come_back(data):
    assert unpacked(packed(data)) == data


def test_what_repeats_becomes_short_text_of_one_line():
    text = packed(b"the same line\n" * 1000)
    assert len(text) < 14_000 / 10
    assert text.isascii()
    assert "\n" not in text
