"""What the server's process says of a log's answers, and the sentence in which it ends."""

import sys

import pytest

from training.experiments import retraced
from training.experiments.retraced import Retracing

SAYS = """
import json
print(json.dumps({"recommendation_id": "r", "chances": [1.0]}))
print(json.dumps({"left": {"torn segment": 1}, "policy": "p", "bundle": "b"}))
"""
FAILS = "import sys; print('INFO: loading', file=sys.stderr); print('error: no bundle', file=sys.stderr); sys.exit(2)"


def stand_in(monkeypatch, tmp_path, script):
    """Run a script in place of the server's command; returns what the command is given."""
    path, given = tmp_path / "stand_in.py", []
    path.write_text(script)
    monkeypatch.setattr(retraced, "module_command", lambda *words: given.append(words) or [sys.executable, str(path)])
    return given


def test_lines_come_first_and_what_was_left_out_is_known_after_them(monkeypatch, tmp_path):
    given = stand_in(monkeypatch, tmp_path, SAYS)
    bundle, feed = tmp_path / "bundle", tmp_path / "feed.jsonl"
    retracing = Retracing(tmp_path, bundle, "shop", feed)
    assert list(retracing.lines()) == [{"recommendation_id": "r", "chances": [1.0]}]
    assert retracing.left == {"torn segment": 1}
    assert retracing.versions == {"policy": "p", "bundle": "b"}
    flags = ("--bundle", str(bundle), "--policy", "shop", "--items-feed", str(feed))
    assert given == [(retraced.MODULE, str(tmp_path), *flags)]


def test_the_sentence_of_the_server_s_command_is_told(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, FAILS)
    with pytest.raises(ValueError, match=r"^no bundle$"):
        list(Retracing(tmp_path, tmp_path, "shop").lines())
    stand_in(monkeypatch, tmp_path, "raise RuntimeError('a bug')")
    with pytest.raises(ValueError, match=r"serving.feedback.retrace failed: RuntimeError: a bug"):
        list(Retracing(tmp_path, tmp_path, "shop").lines())
