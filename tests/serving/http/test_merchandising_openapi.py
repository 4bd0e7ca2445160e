"""What the admin port's document says of merchandising's paths: their examples are taken, a policy's too."""

import json

import msgspec
import pytest

from serving.http.admin_openapi import admin_openapi_document
from serving.http.merchandising_openapi import ABOUT
from tillside.policy import parse_policy
from tillside.policy.merchandising import PARTS
from tillside.policy.row_reader import read_rows

DOCUMENT = admin_openapi_document()


@pytest.mark.parametrize("part", PARTS)
def test_the_example_of_a_part_is_read(part):
    _, row = ABOUT[part]
    assert len(read_rows(part, msgspec.json.encode([row]))) == 1


def test_the_example_of_a_policy_is_read():
    content = DOCUMENT["paths"]["/v1/policy"]["put"]["requestBody"]["content"]["application/yaml"]
    assert parse_policy(json.dumps(content["example"])).placements.keys() == {"checkout"}


def test_every_change_may_be_a_conflict_and_a_mistake():
    changes = [DOCUMENT["paths"][f"/v1/{part}"]["put"] for part in (*PARTS, "policy")]
    assert all({"409", "422"} <= change["responses"].keys() for change in changes)
