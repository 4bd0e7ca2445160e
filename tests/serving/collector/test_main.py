"""The collector as a process: it takes, it ends, and it is killed."""

import re
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from serving.collector.app import SCRIPT
from tests.browsers import chromium, in_a_browser, watched_page
from tests.serving.collector.collecting import CLICK, kept
from tests.serving.server_process import DEADLINE_SECONDS, wait_until


class CollectorProcess:
    """``python -m serving.collector`` on a free port, killed at the end of the block."""

    def __init__(self, folder, log, *flags):
        with log.open("w") as stderr:
            command = [sys.executable, "-m", "serving.collector", "--feedback", str(folder), "--port", "0", *flags]
            self.process = subprocess.Popen(command, stderr=stderr)
        self._log = log
        self.url = self._wait(lambda: re.search(r"collecting on (http[^ ,\"]+)", log.read_text()))[1]
        self._wait(lambda: httpx.get(f"{self.url}/health/ready").status_code == 200)

    def _wait(self, attempt):
        return wait_until(attempt, self.process, patience=DEADLINE_SECONDS, said=self._log.read_text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def send(self, *events):
        return httpx.post(f"{self.url}/v1/events", json=list(events), timeout=DEADLINE_SECONDS).json()


def events(first, last):
    return [{**CLICK, "event_id": str(number)} for number in range(first, last)]


def test_what_was_answered_survives_a_kill_and_counts_once(tmp_path):
    folder = tmp_path / "feedback"
    with CollectorProcess(folder, tmp_path / "log") as collector:
        assert collector.send(*events(0, 5))["accepted"] == 5
        collector.process.kill()
    with CollectorProcess(folder, tmp_path / "log") as collector:
        answer = collector.send(*events(3, 8))
        assert (answer["accepted"], answer["duplicates"]) == (3, 2)
        collector.process.send_signal(signal.SIGTERM)
        assert collector.process.wait(DEADLINE_SECONDS) == 0
    assert [event.event_id for event in kept(folder)] == [str(number) for number in range(8)]


@pytest.mark.parametrize(
    ("flags", "words"),
    [((), "error: --feedback must be given"), (("--feedback", "FILE"), "error: feedback cannot be written to")],
)
def test_what_cannot_be_used_is_a_sentence(tmp_path, flags, words):
    (tmp_path / "FILE").write_text("")
    flags = [str(tmp_path / flag) if flag == "FILE" else flag for flag in flags]
    ended = subprocess.run([sys.executable, "-m", "serving.collector", *flags], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith(words)
    assert len(ended.stderr.splitlines()) == 1


def test_the_script_has_less_than_three_kilobytes():
    assert len(SCRIPT) < 3000


PAGE = """<!doctype html><title>shop</title>
<script src="%s/tillside.js" data-session="visit" data-shopper="ann"></script>
<div data-tillside="r1" data-placement="cart">
  <p data-item="fig">fig <button data-dismiss="pushed">no</button></p><p data-item="plum">plum</p>
  <p data-item="date" style="margin-top: 5000px">date</p>
</div><p data-item="stranger">no recommendation</p>"""


@pytest.fixture
def shop():
    """A web server of another origin; its ``page`` is what it serves."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(self.server.page.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@in_a_browser
def test_a_browser_reports_what_was_seen_and_clicked(tmp_path, shop):
    """Two of three items are seen, one of them is clicked; the third is below the fold until it is clicked."""
    folder = tmp_path / "feedback"

    def reported(wanted):
        def found():
            said = {(event.kind, event.item, event.reason) for event in kept(folder)}
            return said if said >= wanted else None

        return collector._wait(found)

    with CollectorProcess(folder, tmp_path / "log", "--origins", shop.url) as collector, chromium() as browser:
        shop.page = PAGE % collector.url
        page = watched_page(browser)
        page.goto(shop.url)
        seen = {("impression", "fig", None), ("impression", "plum", None)}
        assert reported(seen) == seen
        (fig, plum) = sorted(kept(folder), key=lambda event: event.position)
        assert (fig.position, plum.position) == (1, 2)
        assert {(event.recommendation_id, event.placement) for event in (fig, plum)} == {("r1", "cart")}
        assert {(event.session, event.shopper) for event in (fig, plum)} == {("visit", "ann")}
        page.get_by_text("plum").click()
        page.get_by_text("no", exact=True).click()
        page.evaluate(
            "document.body.insertAdjacentHTML('afterbegin', '<i data-tillside=r2><b data-item=a>new</b></i>')"
        )
        page.evaluate("tillside.add('cart', {item: 'plum', recommendation_id: 'r1'})")
        said = {
            ("click", "plum", None),
            ("dismiss", "fig", "pushed"),
            ("cart", "plum", None),
            ("impression", "a", None),
        }
        assert reported(said) == seen | said
        page.get_by_text("date").click()
        page.goto("about:blank")  # what waits is sent as the page goes
        assert reported({("click", "date", None)}) <= seen | said | {
            ("click", "date", None),
            ("impression", "date", None),
        }
        assert page.said == []
