"""Pre-split train and test files: a case of each test line."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.sessions_split import SessionsSplitConfig


def test_sessions_split_makes_a_case_of_each_test_line(tmp_path: Path) -> None:
    train = write_log(tmp_path / "train.txt.gz", "1 2", "3 4  5", "", "6\t7", "8 9")
    test = write_log(tmp_path / "test.txt", "1 2\t3", "4\t5", "4 5", "\t6", "7\t")
    log = read_log(SessionsSplitConfig(train=str(train), test=str(test)), tmp_path / "scratch")
    assert log.column("item_id") == ["1", "2", "3", "4", "5", "8", "9", "1", "2", "3", "4", "5"]
    assert log.column("__part") == [0] * 7 + [2] * 5
    assert set(log.column("timestamp")) == {-1}
    assert len(set(log.column("session_id"))) == 5
    assert [(name, line) for name, line, _ in log.rejected] == [
        ("train.txt.gz", 4),
        ("test.txt", 3),
        ("test.txt", 4),
        ("test.txt", 5),
    ]
