"""In a user's folder with files of our names, or of our libraries', tillside's own run: in workers and stages too."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.bundles import tiny_bundle
from tests.serving.server_process import SERVE, ServerProcess
from tillside.policy import policy_version

pytestmark = pytest.mark.slow

TILLSIDE = Path(sys.executable).parent / "tillside"
ROOMS = ("training", "serving", "tillside")
LIBRARIES = ("torch", "mlflow", "hydra", "numpy", "onnxruntime", "uvicorn", "starlette", "pandas", "yaml")


def stranger(folder: Path, *packages: str) -> Path:
    """A folder of a user's, where the import of any of these packages leaves a mark and fails."""
    folder.mkdir()
    for name in (*packages, *LIBRARIES):
        room = folder / name
        room.mkdir()
        (room / "__init__.py").write_text(
            f"open({str(folder / 'ran')!r}, 'a').write({name!r})\nraise SystemExit('the stranger ran')\n",
            encoding="utf-8",
        )
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "orchard")


@pytest.mark.parametrize(
    ("packages", "command"), [(ROOMS, (str(TILLSIDE), "serve")), (("training", "tillside"), SERVE)]
)
def test_the_server_and_its_workers_are_tillsides_own(
    tmp_path: Path, bundle: Path, packages: tuple[str, ...], command: tuple[str, ...]
) -> None:
    """``python -m serving`` cannot help a ``serving/`` of the user's, everything else it can."""
    folder = stranger(tmp_path / "folder", *packages)
    with ServerProcess(
        bundle, tmp_path / "log", "--workers", "2", "--policy", "electronics", command=command, folder=folder
    ) as server:
        answer = httpx.post(f"{server.url}/v1/recommend", json={"session": [], "k": 2}, timeout=30).json()
        about = httpx.get(f"{server.url}/v1/model", timeout=30).json()
        assert len(answer["items"]) == 2
        assert policy_version(Path(__file__).parents[2] / "configs/policy/electronics.yaml") in json.dumps(about)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("packages", "command"),
    [(ROOMS, [str(TILLSIDE), "simulate"]), (("serving", "tillside"), [sys.executable, "-m", "training.simulate"])],
)
def test_a_command_of_training_is_tillsides_own(tmp_path: Path, packages: tuple[str, ...], command: list[str]) -> None:
    folder = stranger(tmp_path / "folder", *packages)
    small = ["sessions=50", "items=120", "shoppers=30", "days=5", "out=shop"]
    ended = subprocess.run([*command, *small], cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert (folder / "shop/events.parquet").is_file()
    assert not (folder / "ran").exists()


def test_the_processes_of_a_registered_model_and_of_the_demo_are_tillsides_own(tmp_path: Path) -> None:
    """Both fail in a sentence of ours, not in the stranger's."""
    folder = stranger(tmp_path / "folder", *ROOMS)
    server = ServerProcess(
        "models:/shop@champion",
        tmp_path / "log",
        *("--cache", str(tmp_path / "cache")),
        ready=False,
        variables={"MLFLOW_TRACKING_URI": "gopher://hole"},
        patience=120,  # MLflow's import, on a busy machine
        command=(str(TILLSIDE), "serve"),
        folder=folder,
    )
    with server:
        server.wait_for(lambda: "cannot be fetched from" in server.log)
    demo = [str(TILLSIDE), "demo", "data=events", "data.path=nowhere.csv"]
    ended = subprocess.run(demo, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "nowhere.csv" in ended.stderr
    assert not (folder / "ran").exists()
