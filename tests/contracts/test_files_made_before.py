"""What commit b9326ef left on a disk still works: a bundle, a data set, an MLflow run and what it registered.

``made_at_b9326ef/README.md`` says how the files were made. They are used as a user would, through commands, HTTP and
public functions, so that modules may move under them. Surprising: the commands run in turn in one process, since to
import torch and MLflow takes longer than what they do here; each leaves its own exit code.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest

from tests.serving.server_process import ServerProcess
from tillside.bundle import open_bundle
from tillside.dataset import load_dataset

pytestmark = pytest.mark.slow

MADE = Path(__file__).parent / "made_at_b9326ef"
ROOT = Path(__file__).parents[2]
RUN = "435d9891bf8e4869951ac034b33bee0c"
BUNDLE = "9c5499e1cda0"
DIGEST = "802784cc90a2022ec9ceae414b1457bff5608496bd587d051d707540faf48fba"
PATIENCE = 120
SCORE_TOLERANCE, METRIC_TOLERANCE = 1e-4, 0.01
"""Another processor rounds otherwise. No two neighbours of a golden list are as near as 1e-4; of the 295 test cases one
that goes from rank 1 to rank 2 changes a mean by 1/590."""
IN_TURN = """
import json, runpy, sys, traceback
codes = {}
for module, *arguments in json.loads(sys.argv[1]):
    sys.argv, codes[module] = [module, *arguments], 0
    print("$ python -m", module)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        codes[module] = ended.code
    except BaseException:
        traceback.print_exc()
        codes[module] = 1
    with open("codes.json", "w") as file:
        json.dump(codes, file)
"""


def unpack(folder: Path) -> str:
    """Lay the files out as they were and load the store; its address. Where the artifacts lie now it is told."""
    with tarfile.open(MADE / "shop.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    dump = (MADE / "store.sql").read_text(encoding="utf-8")
    database = sqlite3.connect(folder / "store.db")
    database.executescript(dump.replace("mlflow-artifacts:", (folder / "kept").as_uri()))
    database.close()
    return f"sqlite:///{folder}/store.db"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as they were made; nothing writes here."""
    folder = tmp_path_factory.mktemp("before")
    unpack(folder)
    return folder


@dataclass(frozen=True)
class Commands:
    """Today's commands at work in a folder, and the store that they use."""

    folder: Path
    uri: str
    process: subprocess.Popen[bytes]

    def passed(self, module: str) -> str:
        """What one of them said, once all have ended, and this one with exit code 0."""
        self.process.wait()
        said = (self.folder / "said").read_text(encoding="utf-8")
        own = said.partition(f"$ python -m {module}\n")[2].partition("$ python -m ")[0]
        codes = self.folder / "codes.json"
        assert codes.exists(), said
        assert json.loads(codes.read_text(encoding="utf-8")).get(module) == 0, own
        return own


@pytest.fixture(scope="module", autouse=True)
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Today's commands over a second copy of the files; they run while the first tests look at the first one."""
    folder = tmp_path_factory.mktemp("today")
    uri = unpack(folder)
    typed = [
        ["training.evaluate", f"run={RUN}", "dataset=dataset", "baselines=[popularity,covisitation]", "out=judged"],
        ["training.export", f"run={RUN}", "dataset=dataset", "out=exported", "tracking.register=false"],
        ["training.promote", "version=2", "latency_ms=10000"],
        ["training.train", f"resume={RUN}"],
    ]
    variables = {"MLFLOW_TRACKING_URI": uri, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", IN_TURN, json.dumps(typed)],
            cwd=folder,
            env=os.environ | variables,
            stdout=said,
            stderr=said,
        )
    yield Commands(folder, uri, process)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def server(shop: Path) -> Iterator[ServerProcess]:
    """``python -m serving`` over the bundle, which it verified and whose goldens it replayed to become ready."""
    server = ServerProcess(shop / "bundle", shop / "log", patience=PATIENCE)
    yield server
    server.process.kill()
    server.process.wait()


MENDED = {
    "popularity recall@20": 0.3220,
    "popularity mrr@20": 0.0664,
    "covisitation recall@20": 0.6475,
    "covisitation mrr@20": 0.4429,
}
"""Rows that are fitted otherwise now. Popularity is of all before the test; as the files were made it was of the
training part: .3864 and .0779. Co-visitation chooses its settings on validation; by default it had .6339 and .4232."""
RESUMED = MENDED | {
    "tillside mrr@20": 0.4923,
    "transformer recall@20": 0.5458,
    "transformer mrr@20": 0.2026,
    "vmis-knn recall@20": 0.8,
}
"""The epoch that is learned again is learned as it is now: sessions weigh as in the fit that was validated, intent has
its later goals, what the session has taken is no target; and session kNN keeps the settings that suit it alone."""


def goldens(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "goldens.json").read_text(encoding="utf-8"))["goldens"]


def metrics(folder: Path) -> dict[str, float]:
    """Recall and MRR of each system over all cases."""
    systems = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["systems"]
    return {
        f"{name} {metric}": system["all"][metric]["value"]
        for name, system in systems.items()
        for metric in ("recall@20", "mrr@20")
    }


def assert_answers(golden: dict[str, Any], *, items: list[str], scores: list[float], intent: float | None) -> None:
    """The answer is the one that the bundle gave when it was made."""
    assert items == golden["items"]
    assert scores == pytest.approx(golden["scores"], abs=SCORE_TOLERANCE)
    assert intent == (golden["purchase_intent"] and pytest.approx(golden["purchase_intent"], abs=1e-3))


def test_nothing_in_them_names_a_machine() -> None:
    found = []
    for path in MADE.iterdir():
        members = {path.name: path.read_bytes()}
        if path.suffix == ".xz":
            with tarfile.open(path) as archive:
                files = [member for member in archive if member.isfile()]
                assert {(member.uname, member.gname) for member in archive} <= {("", ""), ("root", "root")}
                members = {member.name: archive.extractfile(member).read() for member in files}
        for name, content in members.items():
            found += [(name, match) for match in re.findall(rb"\W/(?:work|tmp|root|home|Users)/.{20}", content)]
    assert found == []


def test_the_bundle_is_opened(shop: Path) -> None:
    bundle = open_bundle(shop / "bundle")
    assert (bundle.version, bundle.manifest["run"], len(bundle.goldens)) == (BUNDLE, RUN, 13)
    assert bundle.manifest["git"]["commit"].startswith("b9326ef")


def test_the_bundle_is_served_and_answers_as_it_did(server: ServerProcess, shop: Path) -> None:
    assert len(goldens(shop / "bundle")) == 13
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for golden in goldens(shop / "bundle"):
            answer = client.post("/v1/recommend", json=golden["request"]).json()
            known = golden["purchase_intent"] is not None  # the last session is empty
            assert (answer["tier"], answer["bundle"]) == ("model" if known else "popularity", BUNDLE)
            items, scores = zip(*[(item["item_id"], item["score"]) for item in answer["items"]], strict=True)
            assert_answers(golden, items=list(items), scores=list(scores), intent=answer["purchase_intent"])


def test_its_policy_and_relations_fill_a_placement(server: ServerProcess) -> None:
    """By the pairs set by hand p-000008 is pinned as what goes with p-000046; intent 0.2, and a cart adds 0.2."""
    body = {"session": [{"item_id": "p-000046", "behaviour": "cart"}], "placement": "cart"}
    answer = httpx.post(f"{server.url}/v1/recommend", json=body, timeout=PATIENCE).json()
    assert (answer["placement"], answer["policy"], answer["mode"]) == ("cart", "cef2e5bc2a75", "cross_sell")
    assert answer["why"] == ["intent 0.20", "cart +0.20"]
    first, *others = answer["items"]
    assert (first["item_id"], first["source"], first["because"]) == ("p-000008", "complement", "p-000046")
    assert first["reason"] == "Goes well with Nordlys Aria Headphones, Over-Ear"
    assert others
    assert "p-000046" not in {item["item_id"] for item in others}


def test_the_data_set_is_loaded(shop: Path) -> None:
    dataset = load_dataset(shop / "dataset")
    told = json.loads((shop / "dataset/dataset.json").read_text(encoding="utf-8"))
    assert dataset.digest == told["digest"] == DIGEST
    parts = {part: len(dataset.part(part)) for part in ("train", "validation", "test")}
    assert parts == {part: end - start for part, (start, end) in told["parts"].items()}
    assert (len(dataset.catalogue), dataset.behaviours.names) == (100, ("click", "cart", "purchase"))


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning")  # of a type of MLflow's own
@pytest.mark.parametrize("version", ["2", "1"])
def test_a_registered_version_is_loaded_by_mlflow_and_predicts(shop: Path, version: str) -> None:
    """Its MLmodel names the loader by a module's path."""
    mlflow.set_tracking_uri(f"sqlite:///{shop}/store.db")
    try:
        model = mlflow.pyfunc.load_model(f"models:/tillside/{version}")
    finally:
        mlflow.set_tracking_uri(None)
    assert model.metadata.flavors["python_function"]["loader_module"] == "serving.pyfunc"
    asked = goldens(shop / "bundle")
    for golden, row in zip(asked, model.predict([golden["request"] for golden in asked]), strict=True):
        assert_answers(golden, items=row["items"], scores=row["scores"], intent=row["purchase_intent"])


def test_the_run_and_baselines_are_evaluated_as_they_were(commands: Commands, shop: Path) -> None:
    commands.passed("training.evaluate")
    was = metrics(shop / "runs" / RUN)
    assert {name.split()[0] for name in was} == {"tillside", "transformer", "vmis-knn", "covisitation", "popularity"}
    assert metrics(commands.folder / "judged") == pytest.approx(was | MENDED, abs=METRIC_TOLERANCE)


def test_the_run_is_exported_and_its_graphs_answer_as_they_did(commands: Commands, shop: Path) -> None:
    commands.passed("training.export")
    before, now = goldens(shop / "bundle"), goldens(commands.folder / "exported")
    assert [golden["request"] for golden in now] == [golden["request"] for golden in before]
    assert [golden["request"]["session"] for golden in now].index([]) == len(now) - 1
    for old, new in zip(before[:-1], now[:-1], strict=True):  # to an empty session popularity answers, see MENDED
        assert_answers(old, items=new["items"], scores=new["scores"], intent=new["purchase_intent"])


def test_its_version_is_judged_against_the_champion_of_before_and_promoted(commands: Commands) -> None:
    commands.passed("training.promote")
    client = mlflow.MlflowClient(commands.uri)
    assert int(client.get_model_version_by_alias("tillside", "champion").version) == 2
    version = client.get_model_version("tillside", "2")
    assert (version.tags["gate.result"], version.tags["gate.champion"]) == ("promoted", "1")
    assert version.tags["gate.test"].startswith("same 295 cases as the champion")


def test_the_run_is_resumed_and_ends_where_it_ended(commands: Commands, shop: Path) -> None:
    """Of its last fit the last epoch is learned again."""
    assert "refit, epoch 3 of 3" in commands.passed("training.train")
    assert mlflow.MlflowClient(commands.uri).get_run(RUN).info.status == "FINISHED"
    model = commands.folder / "runs" / RUN / "model.pt"
    assert model.stat().st_mtime > (commands.folder / "exported/manifest.json").stat().st_mtime
    was = metrics(shop / "runs" / RUN)
    assert metrics(commands.folder / "runs" / RUN) == pytest.approx(was | RESUMED, abs=METRIC_TOLERANCE)
