"""What README and documentation print to ask a registered model works when it is pasted into a fresh shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.candidates import make_ranks, register_candidate
from training.settings.tracking import TrackingConfig

ROOT = Path(__file__).parents[2]


def printed(page: str, language: str) -> str:
    """The block of code of a page that loads a registered model."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [each for each in blocks if "pyfunc.load_model" in each]
    return str(block)


@pytest.mark.parametrize(
    ("page", "language", "runs", "model", "command"),
    [
        ("README.md", "sh", "demo/runs", "simulated-shop", ["bash", "-ec"]),
        ("docs/how-to/review.md", "python", "runs", "online-retail", [sys.executable, "-c"]),
    ],
)
def test_a_printed_line_asks_a_registered_model(page, language, runs, model, command, tmp_path, monkeypatch):
    """Where that page has the runs lie; and no store of MLflow's own making is left beside them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    register_candidate(TrackingConfig(runs=runs, model=model), make_ranks([1, 2]))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run([*command, printed(page, language)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\[\{'items': \['\w+', '\w+', '\w+'\], 'scores': \[", done.stdout)
    assert [path.name for path in tmp_path.iterdir()] == [Path(runs).parts[0]]
