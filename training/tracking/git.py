"""Git provenance of results, in a module that writers of result files can import without MLflow."""

import subprocess
from pathlib import Path


def git_state() -> dict[str, str]:
    """Commit of the checkout this code runs from, and whether it is clean or dirty; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        status = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit.stdout.strip(), "state": "dirty" if status.stdout.strip() else "clean"}
