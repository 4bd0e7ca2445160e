"""Rooms: imports run one way, a broken contract fails, each module has a floor and a test file, the tops stay small."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
]
MOST_ROOMS = {"training": 32, "serving": 14, "src/tillside": 20}
BREACHES = [  # an import, the file it is written into, and the contract that refuses it
    ("import serving.settings", "src/tillside/events.py", "The shared room knows neither training nor serving"),
    ("import onnxruntime", "src/tillside/search.py", "One engine runs the graphs and the index"),
    ("import onnxruntime", "training/evaluation/served.py", "One engine runs the graphs and the index"),
    ("import faiss", "training/bundle/parity.py", "One engine runs the graphs and the index"),
    ("import httpx", "src/tillside/bundle.py", "Of the shared room only the client knows httpx"),
    ("import numpy", "src/tillside/client/breaker.py", "The client takes httpx and nothing else, not even numpy"),
    ("import numpy", "src/tillside/feedback/events.py", "Feedback's words and files take msgspec and nothing else"),
    ("import torch", "serving/settings.py", "Serving never sees training or torch"),
    ("import starlette.responses", "serving/service.py", "Only serving.http knows the web server"),
    ("import uvicorn", "serving/process/channel.py", "Only serving.http knows the web server"),
    ("import serving.settings", "training/cli/console.py", "Training never sees serving"),
    ("import serving.service", "serving/protocol/limits.py", "Serving's packages, one way"),
    ("import tillside.bundle", "src/tillside/events.py", "The shared room's modules, one way"),
    ("import tillside.policy.placing", "src/tillside/policy/rules.py", "The policy's modules, one way"),
    ("import training.review.gate", "training/mining/counting.py", "Training's packages, one way"),
    ("import training.evaluate", "training/review/gate.py", "no package knows a command"),
    ("import training.stages.train", "training/review/gate.py", "Training's packages, one way"),
    ("import training.learning.fit", "training/settings/trainer.py", "Training's packages, one way"),
    ("", "training/helpers.py", "Training's packages, one way"),  # a new module must be given a floor
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    lint_imports = Path(sys.executable).parent / "lint-imports"
    environment = os.environ | {"PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}", "COLUMNS": "500"}
    return subprocess.run([lint_imports, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True)


def test_imports_run_one_way() -> None:
    ended = lint(ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in ended.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three rooms, to be broken."""
    folder = tmp_path_factory.mktemp("rooms")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ("src/tillside", "training", "serving"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize(("line", "file", "contract"), BREACHES)
def test_a_contract_that_is_broken_fails(copy: Path, line: str, file: str, contract: str) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        ended = lint(copy)
    finally:
        path.unlink() if before is None else path.write_text(before, encoding="utf-8")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    broken = [each for each in ended.stdout.splitlines() if " BROKEN" in each]
    assert any(contract in each for each in broken), ended.stdout


@pytest.mark.parametrize(("room", "most"), MOST_ROOMS.items())
def test_the_top_of_a_room_stays_small(room: str, most: int) -> None:
    """Rooms: the modules and packages that lie at the top, ``__init__.py`` and folders without code aside."""
    top = (ROOT / room).iterdir()
    rooms = [each for each in top if (each.suffix == ".py" and each.stem != "__init__") or any(each.glob("*.py"))]
    assert 0 < len(rooms) <= most, sorted(each.name for each in rooms)


def mirrored(module: Path) -> Path:
    """Test file of a module, both relative: of its own name, but for the files that are all alike."""
    match module.parts:
        case ("training", name) if name != "api.py":
            return Path("training/test_commands.py")
        case ("training", "settings", _):
            return Path("training/test_settings.py")
    name = "main" if module.stem == "__main__" else module.stem
    return module.parent / f"test_{name}.py"


def test_every_module_has_a_test_file_of_its_own_name() -> None:
    """``training/evaluation/metrics.py`` is tested by ``tests/training/evaluation/test_metrics.py``."""
    missing, modules = [], 0
    for room in MOST_ROOMS:
        for module in (ROOT / room).rglob("*.py"):
            test = ROOT / "tests" / mirrored(Path(room).name / module.relative_to(ROOT / room))
            modules += module.stem != "__init__"
            if module.stem != "__init__" and not test.is_file():
                missing.append(module.relative_to(ROOT).as_posix())
    assert modules > 100
    assert missing == []
