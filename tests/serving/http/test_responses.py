"""Responses that both ports give."""

import json
from http import HTTPStatus

import pytest

from serving.http.responses import json_response, metrics_response, ready_response, without_reason
from serving.protocol.errors import ProblemError

NOT_READY = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "bundle /srv/b is refused")


def fails() -> str:
    raise NOT_READY


def test_a_document_is_json_and_is_kept_nowhere():
    response = json_response({"a": 1})
    assert json.loads(response.body) == {"a": 1}
    assert (response.media_type, response.headers["cache-control"]) == ("application/json", "no-store")
    assert metrics_response(b"x 1").headers["cache-control"] == "no-store"


def test_who_is_ready_names_its_bundle():
    assert json.loads(ready_response(lambda: "v1", reason=False).body) == {"status": "ready", "bundle": "v1"}


@pytest.mark.parametrize(("reason", "told"), [(True, True), (False, False)])
def test_why_there_is_no_bundle_is_told_only_where_it_is_asked_for(reason, told):
    response = ready_response(fails, reason=reason)
    assert (response.status_code, b"/srv/b" in response.body) == (503, told)


def test_of_other_problems_the_reason_stays():
    draining = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the server is about to stop")
    assert without_reason(draining) is draining
    assert "/srv/b" not in without_reason(NOT_READY).detail
