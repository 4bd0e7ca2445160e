"""Calls on the admin port leave a line and a count, and no more lines than a disk can bear."""

import json
import logging

from starlette.requests import Request

from serving.http.admin_calls import BURST, AdminCalls
from serving.telemetry.logs import JsonFormatter


def call(method="PUT", path="/v1/items") -> Request:
    headers = [(b"authorization", b"Bearer sesame-open")]
    asked = {"method": method, "path": path, "query_string": b"", "headers": headers}
    return Request({"type": "http", "client": ("10.0.0.9", 4), **asked})


def lines(caplog) -> list[dict]:
    return [json.loads(JsonFormatter().format(record)) for record in caplog.records]


def test_a_change_is_logged_with_its_caller_and_without_its_token(caplog):
    caplog.set_level(logging.INFO, "serving")
    AdminCalls().note(call(), "/v1/items", 200, None, seconds=0.0125)
    (line,) = lines(caplog)
    assert line["event"] == "admin"
    assert (line["method"], line["path"], line["status"], line["caller"]) == ("PUT", "/v1/items", 200, "10.0.0.9")
    assert line["milliseconds"] == 12.5
    assert "sesame" not in json.dumps(line)


def test_reading_is_counted_alone(caplog):
    caplog.set_level(logging.INFO, "serving")
    calls = AdminCalls()
    calls.note(call("GET", "/v1/policy"), "/v1/policy", 200, None, seconds=0)
    assert caplog.records == []
    assert b'tillside_admin_calls_total{method="GET",path="/v1/policy",status="200"} 1.0' in calls.page()


def test_guessed_tokens_fill_the_count_and_not_the_disk(caplog):
    calls = AdminCalls()
    for _ in range(300):
        calls.note(call(), "/v1/items", 401, "unauthorized", seconds=0)
    told = lines(caplog)
    assert BURST <= len(told) < 2 * BURST
    assert told[0]["problem"] == "unauthorized"
    assert b'status="401"} 300.0' in calls.page()
