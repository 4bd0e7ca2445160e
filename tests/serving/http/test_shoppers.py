"""``DELETE /v1/shoppers/KEY``: for whom, with what in the log, and what it says where it cannot."""

import logging
from http import HTTPStatus

import pytest

from serving.protocol.errors import ProblemError
from serving.telemetry.logs import JsonFormatter
from tests.serving.asgi import refused
from tests.serving.http.test_admin import SECRET, Control, ask
from tests.serving.http.test_admin_openapi import conforms

REPORT = {"time_ms": 5, "forgotten_events": 2, "pending_orders": 1}


class Forgetful(Control):
    async def forget(self, shopper_id):
        self._do(shopper_id)
        return REPORT


def test_a_shopper_is_forgotten_and_the_report_says_what_went():
    control = Forgetful()
    response = ask(control, "DELETE", "/v1/shoppers/ann")
    assert (response.status_code, response.json(), control.told) == (202, REPORT, ["ann"])
    conforms("ForgottenReport", response.json())


@pytest.mark.parametrize(("path", "key"), [("a%2Fb", "a/b"), ("a%20b%3F", "a b?"), ("%E4%BD%A0", "你"), ("a/b", "a/b")])
def test_a_key_may_hold_anything(path, key):
    control = Forgetful()
    ask(control, "DELETE", f"/v1/shoppers/{path}")
    assert control.told == [key]


def test_a_key_stands_in_no_log_and_no_metric(caplog):
    caplog.set_level(logging.INFO, "serving")
    control = Forgetful()
    ask(control, "DELETE", f"/v1/shoppers/{SECRET}")
    ask(control, "DELETE", f"/v1/shoppers/{SECRET}", headers={})
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert [SECRET in line for line in lines] == [False, False]
    assert all('"path":"/v1/shoppers/{key}"' in line for line in lines)


def test_without_the_token_nobody_is_forgotten():
    control = Forgetful()
    assert "Bearer" in refused(ask(control, "DELETE", "/v1/shoppers/ann", headers={}), 401, field="authorization")
    assert "TILLSIDE_ADMIN_TOKEN" in refused(ask(control, "DELETE", "/v1/shoppers/ann", token=None), 403)
    assert control.told == []


@pytest.mark.parametrize(("key", "length"), [("x" * 257, 257), ("", 0)])
def test_what_no_key_can_be_is_refused(key, length):
    control = Forgetful()
    sentence = refused(ask(control, "DELETE", f"/v1/shoppers/{key}"), 422, field="shopper_id")
    assert sentence == f"the shopper's key must be a string of 1 to 256 characters, got {length}"
    assert control.told == []


def test_a_server_that_keeps_nothing_says_so():
    nothing = Forgetful(fails=ProblemError(HTTPStatus.CONFLICT, "nothing-kept", "nothing is kept"))
    assert refused(ask(nothing, "DELETE", "/v1/shoppers/ann"), 409) == "nothing is kept"
