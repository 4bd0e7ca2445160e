"""The routes of what is set by hand, without a server behind them: what is read, handed on and said."""

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from serving.http.admin_openapi import admin_openapi_document
from serving.http.merchandising import POLICY_BYTES
from tests.serving.asgi import refused
from tests.serving.http.test_admin import Control as AdminControl
from tests.serving.http.test_admin import ask
from tillside.policy import ConflictError
from tillside.policy.merchandising import ByHand, PlacedPin

DOCUMENT = admin_openapi_document()


class Control(AdminControl):
    """Takes every change, unless it fails as it is told to."""

    async def change(self, change: dict[str, Any], *, take_unknown: bool = False) -> dict[str, Any]:
        self.told.append((change, take_unknown))
        if self.fails:
            raise self.fails
        return {"revision": 1}

    async def undo(self, revision: int | None = None) -> dict[str, Any]:
        self.told.append(revision)
        if self.fails:
            raise self.fails
        return {"revision": 2}

    async def by_hand(self) -> dict[str, Any]:
        return {"revision": 3, "by_hand": ByHand(pins=(PlacedPin(name="p", item="a"),)), "revisions": []}

    async def policy(self) -> tuple[str, str] | None:
        return None

    async def state(self) -> bytes:
        return b'{"feed": null}'


ROUTES = [
    ("GET", "/v1/policy"),
    ("PUT", "/v1/policy"),
    ("DELETE", "/v1/policy"),
    ("GET", "/v1/pins"),
    ("PUT", "/v1/prices"),
    ("GET", "/v1/merchandising"),
    ("POST", "/v1/merchandising/rollback"),
    ("GET", "/v1/admin/state"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nothing_is_read_or_changed_without_the_token(method, path):
    control = Control()
    assert "Bearer" in refused(ask(control, method, path, headers={}), 401, field="authorization")
    assert "TILLSIDE_ADMIN_TOKEN" in refused(ask(control, method, path, token=None), 403)
    assert control.told == []


def test_rows_are_read_before_they_are_handed_on():
    control = Control()
    assert ask(control, "PUT", "/v1/pins", content=b'[{"name": "p", "item": "a"}]').json() == {"revision": 1}
    assert ask(control, "PUT", "/v1/pins?unknown=take", content=b"[]").status_code == 200
    assert control.told == [({"pins": (PlacedPin(name="p", item="a"),)}, False), ({"pins": ()}, True)]
    whole = ask(
        control, "PUT", "/v1/pins", content=b'[{"name": "p", "item": "a", "slot": 3.0}]'
    )  # as JSON Schema has it
    assert (whole.status_code, control.told.pop()[0]["pins"][0].slot) == (200, 3)
    assert "pins[0]" in refused(ask(control, "PUT", "/v1/pins", content=b"[{}]"), 422, field="pins[0]")
    assert len(control.told) == 2
    assert ask(control, "GET", "/v1/pins").json()["pins"][0]["item"] == "a"


def test_mistakes_come_back_line_by_line_with_the_way_out():
    control = Control(fails=ConflictError("pins[0].item: 'x': no item has this id"))
    said = refused(ask(control, "PUT", "/v1/pins", content=b"[]"), 409)
    assert said.splitlines()[1] == "?unknown=take takes names that the shop does not have yet"
    assert refused(ask(Control(fails=ValueError("a mistake")), "PUT", "/v1/policy", content=b"x"), 422) == "a mistake"
    assert "UTF-8" in refused(ask(control, "PUT", "/v1/policy", content=b"\xff"), 422)
    assert "at most" in refused(ask(control, "PUT", "/v1/policy", content=b" " * (POLICY_BYTES + 1)), 413)


@pytest.mark.parametrize(
    ("path", "body", "kind", "field"),
    [
        (
            "/v1/pins",
            '[{"name": "p", "item": "a", "from": "2026-06-02", "until": "2026-06-01"}]',
            "conflicting-pins",
            "pins[0].until",
        ),
        ("/v1/pairs", '[{"item": "a", "other": "a"}]', "conflicting-pairs", "pairs[0].other"),
        (
            "/v1/prices",
            '[{"item": "a", "price": 1}, {"item": "a", "price": 2}]',
            "conflicting-prices",
            "prices[1].item",
        ),
        ("/v1/pins", '[{"name": "p", "item": "a", "slot": 0}]', "invalid-pins", "pins[0].slot"),
        ("/v1/bans", '[{"name": "b", "item": "a", "brand": "b"}]', "invalid-bans", "bans[0]"),
        ("/v1/pairs", '[{"item": "a", "other": "a"}, {"item": "a"}]', "invalid-pairs", "pairs[0].other"),
    ],
)
def test_what_the_schema_allows_and_does_not_go_together_is_a_conflict(path, body, kind, field):
    """409 is only for what no validator of the published schema could have told; one row that it could makes it 422."""
    control = Control()
    status = 409 if "conflicting" in kind else 422
    refused(response := ask(control, "PUT", path, content=body.encode()), status, field=field)
    assert response.json()["allowed"]
    assert response.json()["type"] == f"urn:tillside:problem:{kind}"
    part = path.rpartition("/")[2]
    schema = {**DOCUMENT["paths"][path]["put"]["requestBody"]["content"]["application/json"]["schema"]}
    valid = OAS31Validator(schema | {"components": DOCUMENT["components"]}).is_valid(json.loads(body))
    assert (valid, control.told, part in kind) == ("conflicting" in kind, [], True)


def test_a_mistyped_parameter_is_refused():
    mistyped = ask(Control(), "PUT", "/v1/pins?unknwon=take", content=b"[]")
    assert refused(mistyped, 422, field="unknwon").endswith("allowed: unknown; did you mean unknown?")
    response = ask(Control(), "PUT", "/v1/pins?unknown=yes", content=b"[]")
    assert refused(response, 422, field="unknown") == 'unknown must be one of refuse, take, got "yes"'


def test_a_conflict_of_the_shop_keeps_its_field():
    control = Control(fails=ConflictError("pins[0].item: 'x': no item has this id", field="pins[0].item"))
    response = ask(control, "PUT", "/v1/pins", content=b"[]")
    assert refused(response, 409, field="pins[0].item").startswith("pins[0].item: 'x'")
    assert "allowed" not in response.json()


def test_a_policy_is_handed_on_as_text_and_taken_back_with_delete():
    control = Control()
    ask(control, "PUT", "/v1/policy", content="placements: {}  # 结账".encode())
    ask(control, "DELETE", "/v1/policy")
    assert control.told == [({"policy": "placements: {}  # 结账"}, False), ({"policy": None}, False)]
    assert "PUT /v1/policy brings one" in refused(ask(control, "GET", "/v1/policy"), 404)


def test_a_rollback_may_name_a_revision():
    control = Control()
    assert ask(control, "POST", "/v1/merchandising/rollback").json() == {"revision": 2}
    ask(control, "POST", "/v1/merchandising/rollback", json={"revision": 4})
    ask(control, "POST", "/v1/merchandising/rollback", json={"revision": 4.0})
    assert control.told == [None, 4, 4]
    unknown = refused(ask(control, "POST", "/v1/merchandising/rollback", json={"rev": 1}), 400, field="rev")
    assert unknown.endswith("unknown field `rev`; allowed: an object with revision")
    assert 'such as {"revision": 3}' in refused(ask(control, "POST", "/v1/merchandising/rollback", content=b"[]"), 400)
    assert ask(control, "POST", "/v1/merchandising/rollback", content=b" \r\n").status_code == 200
    refused(ask(control, "POST", "/v1/merchandising/rollback", content=b"\x0b"), 400)  # blank to Python, not to JSON
    none = Control(fails=ValueError("nothing before this"))
    assert refused(ask(none, "POST", "/v1/merchandising/rollback"), 409) == "nothing before this"
