"""Quotes, blank lines, invalid bytes: each record knows the line that it starts on."""

from pathlib import Path

from tests.logs import click_log, read_log, write_log
from training.data.parsing.irregular import INVALID_UTF8, LONGEST_RECORD, MALFORMED, lines_of, records_of


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


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"\xef\xbb\xbfhead\r\n\n  \n\xff\nlast")
    assert list(lines_of(path)) == [(1, "head"), (4, None), (5, "last")]


def records(path: Path, *lines: str, width: int = 2) -> list[tuple[int, list[str] | str]]:
    return list(records_of(write_log(path, *lines), delimiter=",", width=width))


def test_a_quoted_record_ends_where_its_quotes_are_even(tmp_path: Path) -> None:
    found = records(tmp_path / "log.csv", 'a,"one', 'two ""three""', 'four"', "b,c")
    assert found == [(1, ["a", 'one\ntwo "three"\nfour']), (4, ["b", "c"])]


def test_a_quote_that_never_closes_costs_one_line_and_not_those_that_it_would_swallow(tmp_path: Path) -> None:
    rows = [f"x{number},y" for number in range(2 * LONGEST_RECORD)]
    found = records(tmp_path / "log.csv", 'a,"never', *rows, 'b,"closed"')
    assert found[0] == (1, MALFORMED)
    assert found[1:-1] == [(number, row.split(",")) for number, row in enumerate(rows, 2)]
    assert found[-1] == (len(rows) + 2, ["b", "closed"])


def test_an_invalid_line_ends_a_quoted_record_and_is_reported_itself(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b'a,"open\n\xff\nb,c\n')
    found = list(records_of(path, delimiter=",", width=2))
    assert found == [(1, MALFORMED), (2, INVALID_UTF8), (3, ["b", "c"])]
