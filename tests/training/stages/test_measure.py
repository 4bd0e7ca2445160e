"""What is said of a feedback folder once it is measured."""

from pathlib import Path

import pytest
import yaml

import training.measure
import training.retrain  # noqa: F401 (each registers its command's settings)
from tests.feedback_logs import exposure, settings, write
from tillside.feedback.segments import MAGIC, frame
from training.cli.command import compose_typed
from training.stages.measure import run

pytestmark = pytest.mark.slow

LEARNING = Path(__file__).parents[3] / "serving/ops/kubernetes/optional/learning.yaml"


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


@pytest.mark.parametrize("place", ["initContainers", "containers"])
def test_the_nightly_job_types_commands_that_there_are(place):
    """What Kubernetes runs is composed as if it were typed."""
    job = yaml.safe_load(LEARNING.read_text(encoding="utf-8"))
    [step] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"][place]
    *python, module = step["command"]
    assert python == ["python", "-m"]
    overrides = [each.replace("from=", "from_=") for each in step["args"]]
    assert compose_typed(module.removeprefix("training."), overrides).feedback == "/feedback"
