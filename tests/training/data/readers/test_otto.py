"""The OTTO log on a few lines: a session a line."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.otto import OttoConfig


def test_otto_unfolds_lines_and_takes_seconds_or_milliseconds(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "train.jsonl.gz",
        '{"session":0,"events":[{"aid":15,"ts":1659304800025,"type":"clicks"},{"aid":16,"ts":1659304900,"type":"carts"}]}',
        '{"session":1,"events":"none"}',
        '{"session":2,"events":[{"aid":17,"ts":1659304800030,"type":"orders"},{"ts":1659304800030,"type":"clicks"},'
        '{"aid":17,"ts":1659304800030,"type":"likes"}]}',
        '{"session":3,',
        '{"session":4,"events":[]}',
        '{"session":5,"events":[{"aid":18,"ts":1659304800031,"type":"clicks"}]}',
    )
    log = read_log(OttoConfig(path=str(path)), tmp_path / "scratch")
    assert log.column("item_id") == ["15", "16", "17", "18"]
    assert log.column("session_id") == ["0", "0", "2", "5"]
    assert log.column("behaviour") == [0, 1, 2, 0]
    assert log.column("timestamp") == [1659304800025, 1659304900000, 1659304800030, 1659304800031]
    assert log.rejected == [
        ("train.jsonl.gz", 2, "malformed row"),
        ("train.jsonl.gz", 3, "missing item_id"),
        ("train.jsonl.gz", 3, "unknown behaviour"),
        ("train.jsonl.gz", 4, "malformed row"),
    ]


def test_otto_keeps_the_order_inside_a_line(tmp_path: Path) -> None:
    events = ",".join(f'{{"aid":{number},"ts":1659304800,"type":"clicks"}}' for number in range(300))
    path = write_log(tmp_path / "train.jsonl", *[f'{{"session":{s},"events":[{events}]}}' for s in range(20)])
    log = read_log(OttoConfig(path=str(path)), tmp_path / "scratch")
    assert log.column("item_id") == [str(number) for number in range(300)] * 20
