"""The pictures of the documentation, taken from a real run: ``python -m docs.generate.screenshots [FOLDER]``.

FOLDER keeps the demo's run, so that pictures can be taken again without training again; by default a folder under
``runs``. Needs Chromium. Surprising: the shop is smaller than the demo's, so that this takes minutes; its figures are
not those of the README.
"""

import contextlib
import html
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "images"
SHOP = ("sessions=6000", "items=400", "shoppers=2000")
TRAINING = ("trainer=quick", "trainer.progress_bar=false")
CODE = (
    "from training import demo; import sys;"
    f" demo.SHOP = {SHOP!r}; demo.TRAINING = {TRAINING!r}; demo.main(sys.argv[1:])"
)
REQUEST = """{
  "session": [
    {"item_id": "p-000010", "behaviour": "click"}
  ],
  "k": 3,
  "names": true
}"""
WIDTH, HEIGHT = 1280, 800
PATIENCE_S = 300
TERMINAL = """<style>
body {{ margin: 0; background: #1e2430; color: #e6e6e6; font: 13px/1.17 "DejaVu Sans Mono", monospace; }}
pre {{ padding: 18px 22px; margin: 0; font: inherit; }}
</style><pre>{text}</pre>"""


def main(arguments: list[str]) -> None:
    """Run the demo unless FOLDER has one, start MLflow and the server on it, and take the pictures."""
    folder = Path(arguments[0] if arguments else "runs/screenshots").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    printed = folder / "printed.txt"
    if not (folder / "demo/bundle").is_dir() or not printed.is_file():
        with printed.open("w") as out:
            subprocess.run([sys.executable, "-c", CODE], cwd=folder, stdout=out, check=True, env=_environment())
    IMAGES.mkdir(exist_ok=True)
    store = f"sqlite:///{folder}/demo/runs/mlflow.db"
    tracking = ["mlflow", "server", "--backend-store-uri", store, "--workers", "1"]
    serving = ["serving", "--bundle", str(folder / "demo/bundle"), "--workers", "1"]
    with _started(tracking, "/health") as mlflow, _started(serving, "/health/ready") as server, _browser() as browser:
        _terminal(browser, printed.read_text(encoding="utf-8"), IMAGES / "demo.png")
        _list_and_run(browser, mlflow, printed.read_text(encoding="utf-8"))
        _server_page(browser, server, IMAGES / "server-docs.png")
        _effects(browser, folder / "demo/effects/effects.html", IMAGES / "effects.png")


def _environment() -> dict[str, str]:
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return os.environ | quiet | {"COLUMNS": "150"}


@contextlib.contextmanager
def _started(module: list[str], probe: str) -> Iterator[str]:
    """Start ``python -m MODULE`` on a free port; yields its address once ``probe`` answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *module, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url + probe, timeout=5):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{' '.join(command)} does not answer")
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def _terminal(browser: Browser, printed: str, file: Path) -> None:
    """The demo's end as a terminal shows it: the answers, and what the checkout offers."""
    text = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", printed)
    begin = text.index("What the shop would show")
    end = text.index("\n$ ", begin)  # the next command
    shown = "\n".join(line.rstrip() for line in text[begin:end].strip().splitlines())
    page = browser.new_page(viewport={"width": WIDTH, "height": 400})
    page.set_content(TERMINAL.format(text=html.escape(shown)))
    page.locator("pre").screenshot(path=file)
    _small(file)


def _effects(browser: Browser, report: Path, file: Path) -> None:
    """The top of the page of effects."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT + 200})
    page.goto(report.as_uri())
    page.screenshot(path=file)
    _small(file)


def _list_and_run(browser: Browser, url: str, printed: str) -> None:
    """MLflow's list of runs as the demo's link opens it, and the page of its run."""
    link = re.search(r"http://127\.0\.0\.1:5000(/\S+)", printed.rpartition("then open")[2])
    run = re.search(r"training.evaluate run=(\w+)", printed)
    assert link
    assert run
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB")
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(url + link.group(1))
    page.locator('a[href*="/runs/"]').first.wait_for()
    _close_assistant(page)
    page.wait_for_timeout(4000)  # the list fills column by column, and says of none when it is done
    page.screenshot(path=IMAGES / "mlflow-list.png")
    page.goto("about:blank")  # the addresses differ behind the # alone, which loads nothing anew
    page.goto(f"{url}/#/experiments/1/runs/{run.group(1)}?workflowType=machine_learning")
    page.get_by_text("Show more").first.click()
    _close_assistant(page)
    page.wait_for_timeout(4000)
    above_the_tags = {"x": 0, "y": 0, "width": WIDTH, "height": 560}  # which name folders of this machine
    page.screenshot(path=IMAGES / "mlflow-run.png", clip=above_the_tags)
    for name in ("mlflow-list.png", "mlflow-run.png"):
        _small(IMAGES / name)


def _close_assistant(page: Page) -> None:
    """Close the panel that MLflow opens beside its pages."""
    if page.get_by_text("MLflow Assistant").count() and not page.locator(".assistant-fab-label").count():
        page.mouse.click(WIDTH - 36, 42)  # its cross, which has no name


def _small(file: Path) -> None:
    """Save the picture in 64 colours, a third of the bytes."""
    Image.open(file).convert("RGB").quantize(64).save(file, optimize=True)


def _server_page(browser: Browser, url: str, file: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(f"{url}/docs")
    page.get_by_label("Body of the request").first.fill(REQUEST)
    page.get_by_role("button", name="Send").first.click()
    page.locator(".answer").first.get_by_text("recommendation_id").wait_for()
    page.screenshot(path=file)
    _small(file)


if __name__ == "__main__":
    main(sys.argv[1:])
