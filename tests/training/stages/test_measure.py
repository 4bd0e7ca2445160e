"""What is said of a feedback folder once it is measured."""

from tests.feedback_logs import exposure, settings, write
from tillside.feedback.segments import MAGIC, frame
from training.stages.measure import run


def test_what_was_left_out_is_told(tmp_path, capsys):
    write(tmp_path / "feedback", [exposure("r1", ["case"])])
    (tmp_path / "feedback" / "events").mkdir()
    (tmp_path / "feedback" / "events" / "a.seg").write_bytes(MAGIC + frame(b"{}") + b"torn")
    run(settings(tmp_path))
    said = capsys.readouterr().out
    assert "left out: not an event" in said
    assert "left out: torn segment" in said
    assert "note: 4 bytes behind torn records were not read" in said
    assert "2 new of 2 segments; 1 days joined" in said
