"""Rejected rows are listed with file, line, reason and text, and too many of them stop the run."""

from pathlib import Path

from tests.logs import click_run, events_log
from training.prepare import prepare


def test_few_bad_rows_are_listed_with_file_line_reason_and_text(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [("s", 0, ["a"] * 98)])
    path.write_text(path.read_text() + "s,b,click,soon\nonly,two\n")
    dataset = prepare(click_run(path, max_reject_share=0.02))
    assert dataset.about["counts"]["rejected"] == {"malformed row": 1, "unparsable timestamp": 1}
    assert (dataset.path / "rejects.csv").read_text() == (
        f'file,line,reason,text\n{path},100,unparsable timestamp,"s,b,click,soon"\n'
        f'{path},101,malformed row,"only,two"\n'
    )
