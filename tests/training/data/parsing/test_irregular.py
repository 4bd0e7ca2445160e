"""Quotes, blank lines, invalid bytes: each record knows the line that it starts on."""

from pathlib import Path

from tests.logs import click_log, read_log


def test_lines_are_right_after_malformed_blank_and_quoted_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(
        b"session_id,item_id,timestamp\n"  # 1
        b"s,bad time,x\n"  # 2
        b"\n"  # 3
        b"too,short\n"  # 4
        b's,"a ""quoted""\nitem, it is",1\n'  # 5 and 6
        b"s,bad time,x\n"  # 7
        b"s,caf\xe9,1\n"  # 8: Latin-1
        b's,"never closed,1\n'  # 9
        b"s,good,1\r\n"  # 10
        b"s,bad time,x\n"  # 11
        b"one,too,many,fields\n"  # 12
        b's,in"ner,1\n'  # 13
        b"s,bad time,x"  # 14
    )
    log = read_log(click_log(path), tmp_path / "scratch")
    assert log.column("item_id") == ['a "quoted"\nitem, it is', "good", 'in"ner']
    assert [(line, reason) for _, line, reason in log.rejected] == [
        (2, "unparsable timestamp"),
        (4, "malformed row"),
        (7, "unparsable timestamp"),
        (8, "invalid UTF-8"),
        (9, "malformed row"),
        (11, "unparsable timestamp"),
        (12, "malformed row"),
        (14, "unparsable timestamp"),
    ]
