"""The intent benchmark: what is sent to the server, and how its answers become rows."""

import http.server
import json
import threading

import numpy as np
import pytest

from benchmarks.intent import ASKED, ask, figures, main
from tests.datasets import START_MS, make_dataset
from tests.models import SPEC
from training.inputs.moments import moments_of

NAMES = ("click", "cart", "purchase")


class Answers(http.server.BaseHTTPRequestHandler):
    """Says null to a session of one event, else a tenth of its events."""

    protocol_version = "HTTP/1.1"
    asked: list[dict] = []  # noqa: RUF012

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        count = len(body["session"])
        answer = json.dumps({"purchase_intent": None if count == 1 else count / 10}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path / "d", train=[[0, 1]], test=[[0, (1, "cart"), (1, "purchase")], [1]], trained=2)


def test_the_server_is_asked_with_the_session_as_it_stood_at_each_moment(dataset):
    moments = moments_of(dataset, "test", spec=SPEC)
    Answers.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = ask(f"http://127.0.0.1:{server.server_port}", dataset, moments)
        server.shutdown()
    np.testing.assert_array_equal(found, [np.nan, 0.2, 0.3, np.nan])
    minute = 60_000
    assert Answers.asked[2]["session"] == [
        {"item_id": "i0", "behaviour": "click", "timestamp": START_MS + minute},
        {"item_id": "i1", "behaviour": "cart", "timestamp": START_MS + 2 * minute},
        {"item_id": "i1", "behaviour": "purchase", "timestamp": START_MS + 3 * minute},
    ]
    assert [len(body["session"]) for body in Answers.asked] == [1, 2, 3, 1]


def test_rows_of_all_moments_and_of_each_slice(dataset):
    moments = moments_of(dataset, "test", spec=SPEC)
    rows = {row["metric"]: row for row in figures("shop", "tillside", np.array([0.8, 0.6, 0.1, 0.3]), moments, NAMES)}
    assert (rows["mean_predicted"]["value"], rows["mean_observed"]["value"]) == (pytest.approx(0.45), 0.5)
    assert rows["auc"]["value"] == 1.0
    assert rows["calibration_error"]["value"] == pytest.approx((0.2 + 0.4 + 0.1 + 0.3) / 4)
    assert rows["prefix 1/mean_predicted"]["value"] == pytest.approx(0.55)
    assert rows["prefix 1/mean_observed"]["cases"] == 2
    assert rows["after purchase/mean_predicted"]["value"] == pytest.approx(0.1)
    assert "after cart/auc" not in rows  # of one moment there is none


def test_moments_at_which_the_server_knows_no_item_have_rows_of_their_own(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0]], test=[[1, 0], [1, (1, "purchase")]], trained=1, newcomers=1)
    moments = moments_of(dataset, "test", spec=SPEC, known=None)
    rows = {row["metric"]: row for row in figures("shop", "tillside", np.array([0.1, 0.2, 0.6, 0.3]), moments, NAMES)}
    assert rows["mean_observed"]["value"] == 0.25
    assert rows["no known item/mean_predicted"]["value"] == pytest.approx((0.1 + 0.6 + 0.3) / 3)
    assert rows["no known item/mean_observed"]["value"] == pytest.approx(1 / 3)


def test_the_three_logs_can_be_asked_and_a_mistyped_one_is_named(capsys):
    assert list(ASKED) == ["simulated", "rees46", "trivago"]
    with pytest.raises(SystemExit):
        main(["rees47"])
    assert "no such log: rees47; there are simulated, rees46, trivago" in capsys.readouterr().err
