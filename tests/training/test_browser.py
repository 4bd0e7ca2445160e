"""What a reviewer sees: a real MLflow server, a small sweep through it, and its pages in a real browser.

The pages are kept as pictures in a folder of pytest's, which the test prints. Skipped where Debian's Chromium is not
installed.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pytest
import torch

import training.train  # noqa: F401 (registers its settings)
from tests.browsers import chromium, in_a_browser
from tests.datasets import make_dataset, random_rows
from training.cli.command import compose_typed
from training.review.markdown import GAP
from training.settings.promote import PromoteConfig
from training.settings.tracking import TrackingConfig
from training.stages.promote import promote
from training.stages.train import train
from training.sweeps.page import compare_link
from training.sweeps.sweep import sweep
from training.tracking.views import ALWAYS_THERE, BEST, COLUMNS, list_link

PATIENCE_S = 180
"""For a machine that does much else; a quiet one needs a twentieth."""

pytestmark = [pytest.mark.slow, in_a_browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "kept")]
    command = [sys.executable, "-m", "mlflow", "server", *places, "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # processes that nothing here asks
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--workers", "1"], stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_S
            while not answers(f"{url}/health"):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.2)  # the server is another process: there is nothing to wait on but its answer
            yield url
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def reviewed(server, tmp_path_factory) -> SimpleNamespace:
    """A sweep of two trials, of which the better one is registered and promoted, and a run beside that champion."""
    folder = tmp_path_factory.mktemp("reviewed")
    rows = random_rows(120, items=20)
    make_dataset(folder / "shop", train=rows[:80], validation=rows[80:100], test=rows[100:], trained=20)
    small = ["model.layers=1", "model.heads=1", "trainer.max_epochs=2", "trainer.batch_events=64"]
    kept = ["trainer.progress_bar=false", "export=true", "tracking.register=true", f"tracking.uri={server}"]
    before, threads = Path.cwd(), torch.get_num_threads()
    os.chdir(folder)
    torch.set_num_threads(1)
    try:
        sweep(["dataset=shop", "model.dim=8,32", "sweep.whole=false", *small, *kept], train=train)
        checks = promote(PromoteConfig(version=1, latency_ms=1e4, tracking=TrackingConfig(uri=server)))
        train(
            compose_typed("train", ["dataset=shop", "model.dim=32", "seed=1", "tracking.run_name=rival", *small, *kept])
        )
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)
    assert all(check.passed for check in checks)
    client = mlflow.MlflowClient(server)
    experiment = client.get_experiment_by_name("tillside").experiment_id
    runs = client.search_runs([experiment])
    (parent,) = [run for run in runs if "sweep.best_run" in run.data.tags]
    best = client.get_run(parent.data.tags["sweep.best_run"])
    (rival,) = [run for run in runs if run.info.run_name == "rival"]
    trials = [run for run in runs if run is not parent and run is not rival]
    return SimpleNamespace(
        url=server, experiment=experiment, parent=parent, best=best, trials=trials, rival=rival, checks=checks
    )


@pytest.fixture
def page():
    with chromium() as browser:
        shown = browser.new_page(viewport={"width": 1700, "height": 1200})
        shown.set_default_timeout(1000 * PATIENCE_S)
        yield shown


def close_assistant(page) -> None:
    """Close the panel that MLflow may open by itself; closed, it leaves a button of its name. Its cross has no name."""
    button = page.locator(".assistant-fab-label")
    page.get_by_text("MLflow Assistant").first.wait_for()
    if not button.count():
        page.mouse.click(page.viewport_size["width"] - 36, 44)
        button.wait_for()


def test_list_run_comparison_and_registry_show_what_they_should(reviewed, page, tmp_path, capsys):
    pictures = []

    def look(address: str, *words: str) -> None:
        page.goto("about:blank")  # the addresses differ behind the # alone, which loads nothing anew
        page.goto(address)
        for word in words:
            page.get_by_text(word).first.wait_for()

    def keep(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png")
        pictures.append(tmp_path / f"{name}.png")

    def run_page(run, tab: str = "") -> str:
        return f"{reviewed.url}/#/experiments/{reviewed.experiment}/runs/{run.info.run_id}{tab}"

    name = reviewed.parent.info.run_name
    trials = ("trial 0", "trial 1")
    look(list_link(reviewed.url, reviewed.experiment), name, *trials, "val/blend/recall_at_20")
    keep("list")
    page.set_viewport_size({"width": 1280, "height": 900})
    look(list_link(reviewed.url, reviewed.experiment, BEST), "Group: shop", *trials, "val/blend/recall_at_20")
    page.get_by_role("gridcell", name="champion").first.wait_for()
    close_assistant(page)
    headings = page.locator(".ag-header-cell")
    headings.nth(len(ALWAYS_THERE) + len(COLUMNS) - 1).wait_for()  # drawn only once the closed panel has left room
    shown = headings.evaluate_all("cells => cells.map(cell => cell.getBoundingClientRect().right)")
    assert len(shown) == len(ALWAYS_THERE) + len(COLUMNS)
    assert max(shown) <= page.locator(".ag-root").bounding_box()["width"] + page.locator(".ag-root").bounding_box()["x"]
    keep("best-at-1280")
    page.set_viewport_size({"width": 1700, "height": 1200})

    for which, run, words in (
        ("sweep", reviewed.parent, "chosen on the validation part alone"),
        ("run", reviewed.best, "Trained on shop"),
        ("rival", reviewed.rival, "the champion, shop version 1"),
    ):
        look(f"{run_page(run)}?workflowType=machine_learning", words)
        page.get_by_text("Show more").first.click()
        lines = run.data.tags["mlflow.note.content"].replace(GAP, "").splitlines()
        for row, after in pairwise([*lines, ""]):
            if not row.startswith("| ") or "| ---" in (row[:5], after[:5]):  # no table, its heading or the line below
                continue
            cells = [cell.strip().strip("*`") for cell in row.strip("| ").split(" | ")][:4]
            for cell in filter(None, cells):
                page.locator("td", has_text=cell.split("](")[0].strip("[")).first.wait_for()
        page.locator("td").first.scroll_into_view_if_needed()
        keep(which)

    for which, run, figure in (
        ("parallel-coordinates", reviewed.parent, "parallel-coordinates.png"),
        ("trials-by-epoch", reviewed.parent, "trials-by-epoch.png"),
        ("learning-curves", reviewed.best, "learning-curves.png"),
        ("quality-at-k", reviewed.best, "quality-at-k.png"),
    ):
        look(f"{run_page(run, f'/artifacts/figures/{figure}')}?workflowType=machine_learning", figure)
        page.wait_for_function("[...document.images].some(image => image.complete && image.naturalWidth > 500)")
        keep(which)

    chosen = [run.info.run_id for run in reviewed.trials]
    look(compare_link(reviewed.url, reviewed.experiment, chosen), "Comparing 2 Runs", "trial 0", "trial 1")
    page.locator(".parcoords, .js-plotly-plot").first.wait_for()
    keep("compare")

    look(f"{run_page(reviewed.rival, '/artifacts/sessions.html')}?workflowType=machine_learning", "sessions.html")
    page.frame_locator("iframe").get_by_text("champion (version 1)").first.wait_for()
    keep("sessions")

    look(f"{reviewed.url}/#/models/shop", "Version 1", "Version 2", "challenger", "champion")
    keep("registry")

    look(f"{reviewed.url}/#/models/shop/versions/1", "Promoted to champion, compared with no champion")
    for check in reviewed.checks:
        page.locator("td", has_text=check.line).first.wait_for()
    keep("version")

    assert all(picture.stat().st_size > 10_000 for picture in pictures)
    with capsys.disabled():
        print("\nscreenshots: " + ", ".join(str(picture) for picture in pictures))
