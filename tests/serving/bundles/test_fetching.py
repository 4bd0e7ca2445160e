"""The process that fetches a registered bundle, and what it says where it cannot."""

import os
import subprocess
import sys

WITHOUT_MLFLOW = "import sys; sys.modules['mlflow'] = None; from serving.bundles.fetching import main; main()"


def fetching(*command: str, **variables: str) -> str:
    """What the process that fetches says on its way to exit code 1."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    ended = subprocess.run([sys.executable, *command], capture_output=True, text=True, env={**inherited, **variables})
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr


def test_without_mlflow_one_sentence_says_what_to_install(tmp_path):
    command = ("-c", WITHOUT_MLFLOW, "models:/shop@champion", str(tmp_path / "link"))
    said = fetching(*command, MLFLOW_TRACKING_URI="http://registry:5000")
    assert said == (
        "error: models:/shop@champion needs MLflow, which is not installed here: pip install 'tillside[registry]'\n"
    )
