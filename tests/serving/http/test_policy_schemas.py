"""The schema of a policy file allows what the reader takes, and what it does not allow the reader refuses as wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, SequenceNode

from serving.http.policy_schemas import exactly_one, policy_schemas
from tillside.policy import ConflictError, parse_policy
from tillside.policy.file.reader import POLICY_KEYS

SCHEMAS = policy_schemas()
VALIDATOR = OAS31Validator(
    {"$ref": "#/components/schemas/PolicyFile", "components": {"schemas": SCHEMAS}},
    format_checker=OAS31Validator.FORMAT_CHECKER,
)
CONFIGS = sorted((Path(__file__).parents[3] / "configs/policy").glob("*.yaml"))


def plain(node: Node) -> Any:
    """What a node of YAML holds as JSON has it; a key is text as it is written, off too, and a day is one."""
    match node:
        case MappingNode():
            return {key.value: plain(value) for key, value in node.value}
        case SequenceNode():
            return [plain(each) for each in node.value]
    return node.value if node.tag.endswith(":timestamp") else SafeConstructor().construct_object(node)


def placed(**terms: Any) -> dict[str, Any]:
    """A policy of one placement."""
    return {"placements": {"home": {"sources": {"model": 1}, **terms}}}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_policies_that_come_along_fit(path: Path) -> None:
    VALIDATOR.validate(plain(yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)))


def test_the_keys_are_those_of_the_reader() -> None:
    assert SCHEMAS["PolicyFile"]["properties"].keys() == set(POLICY_KEYS)
    assert SCHEMAS["PolicySegment"]["properties"].keys() == set(POLICY_KEYS) - {"segments"}
    assert "default" not in json.dumps({name: own for name, own in SCHEMAS.items() if name != "PolicyFile"}).replace(
        '"defaults"', ""
    )


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"placements": {}},
        {"placements": {"": {"sources": {}}}},
        {"placements": {"home": {}}},
        {"placements": {"home": {"sources": {}, "explore": {"among": 3}}}},
        {"placements": {"home": {"sources": {"modl": 1}}}},
        placed(slots=0),
        placed(slots=2.5),
        placed(slots="2"),
        placed(fusion="sums"),
        placed(fill="yes"),
        placed(behaviour=[]),
        placed(rules={"pins": [{"name": "a"}]}),
        placed(rules={"pins": [{"name": "a", "item": "b", "from": "soon"}]}),
        placed(rules={"bans": [{"name": "a", "item": "b", "brand": "c"}]}),
        placed(rules={"bans": [{"name": "a", "item": None}]}),
        placed(rules={"at_least": [{"n": 2}]}),
        placed() | {"promotions": [{"name": "p", "steps": [{"items": 2, "percent": 5, "gift": "g"}]}]},
        placed() | {"promotions": [{"name": "p", "steps": []}]},
        placed() | {"bundles": [{"name": "b", "items": ["one"]}]},
        placed() | {"bundles": [{"name": "b", "items": ["one", "one"]}]},
        placed() | {"segments": {"young": {}}},
        placed() | {"segments": {"new": {"segments": {}}}},
        placed() | {"defaults": {"rules": {"age_limits": [{"years": 18}]}}},
        placed() | {"defaults": None},
    ],
    ids=str,
)
def test_what_it_does_not_allow_is_refused(policy: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(policy)
    with pytest.raises(ValueError):
        parse_policy(json.dumps(policy))


@pytest.mark.parametrize(
    "policy",
    [
        placed(),
        placed(behaviour=None, silent_during=["explanation", 7]),
        placed(rules={"pins": [{"name": "a", "item": 123, "from": "2026-06-01", "until": "2026-06-02"}]}),
        placed(rules={"bans": [{"name": "a", "item": None, "brand": "b"}], "cap": None}),
        {"defaults": {"sources": {"model": 1}, "explore": {"share": 0.1}}, "placements": {"home": {"explore": {}}}},
        placed() | {"segments": {"new": {"defaults": {"slots": 3}, "placements": {"home": {"slots": 2}}}}},
        placed() | {"promotions": [{"name": "p", "steps": [{"items": 2, "percent": 5, "off": "cheapest"}]}]},
    ],
    ids=str,
)
def test_what_it_allows_is_taken(policy: dict[str, Any]) -> None:
    VALIDATOR.validate(policy)
    parse_policy(json.dumps(policy))


@pytest.mark.parametrize(
    "policy",
    [
        placed(rules={"cap": {}}),
        placed(rules={"price_band": {"low": 2, "high": 1}}),
        placed(rules={"pins": [{"name": "a", "item": "b", "from": "2026-06-01", "until": "2026-06-01"}]}),
        placed() | {"intent": {"curve": [{"intent": 1, "decided": 0}, {"intent": 0, "decided": 1}]}},
        placed() | {"intent": {"down_sell_to": 0.9}},
        placed() | {"promotions": [{"name": "p", "steps": [{"items": n, "percent": 5} for n in (3, 2)]}]},
        placed() | {"promotions": [{"name": "p", "steps": [{"items": 1, "percent": 5}, {"spend": 2, "amount": 1}]}]},
        placed() | {"segments": {"new": {"placements": {"cart": {"slots": 2}}}}},
        {"defaults": {"slots": 2}, "placements": {"home": {}}},
    ],
    ids=str,
)
def test_what_no_schema_can_say_is_a_conflict(policy: dict[str, Any]) -> None:
    """Numbers and days in the wrong order, and parts that together lack something."""
    VALIDATOR.validate(policy)
    with pytest.raises(ConflictError):
        parse_policy(json.dumps(policy))


def test_exactly_one_of_each_group_is_given_and_null_gives_nothing() -> None:
    validator = OAS31Validator(exactly_one(("a", "b"), ("c",)))
    right = [{"a": 1, "c": 1}, {"a": None, "b": 0, "c": ""}]
    wrong = [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"c": 1}, {"a": 1, "c": None}]
    assert [validator.is_valid(each) for each in (*right, *wrong)] == [True] * 2 + [False] * 4
