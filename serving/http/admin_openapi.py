"""OpenAPI 3.1 description of the admin port: metrics, probes, and what changes a running server.

A new path of serving.http.admin needs an entry in ``paths`` here; a test compares the two.
"""

from typing import Any, Final

import msgspec

from serving.http.merchandising_openapi import NOT_KEPT, merchandising_paths
from serving.http.merchandising_schemas import merchandising_schemas
from serving.http.model_schema import EXAMPLE_RELOAD, reload_schemas
from serving.http.operations import (
    REFERENCE,
    UNAUTHORIZED,
    Document,
    a_reference,
    an_object,
    document_of,
    health_schemas,
    json_response,
    live,
    metrics,
    operation,
    own_document,
    problem_response,
    problem_schema,
    ready,
)
from serving.http.schemas import request_schemas
from serving.protocol.limits import Limits
from tillside.policy.items.feed import ALLOWED, LONGEST_ID, FeedItem

TAGS: Final[Document] = {
    "shop": "What the shop knows better than the bundle.",
    "merchandising": "What is set by hand.",
    "shoppers": "What is kept of shoppers.",
    "bundles": "Which bundle answers.",
    "operations": "How the server is.",
}
DESCRIPTION: Final = (
    "The admin port of a tillside server, for the shop's own machines. Every change wants the token of "
    "TILLSIDE_ADMIN_TOKEN; metrics and probes want none. What this document does not allow, such as a query parameter "
    "that it does not list, is refused with 422. What it allows, and what contradicts itself, the names that the shop "
    "has, or what is in force, is refused with 409."
)
FOLDER: Final[Document] = {"pattern": "^(?!\\.{1,2}$)[^/\\u0000]+$", "minLength": 1, "maxLength": 255}
TOKEN: Final[list[Document]] = [{"token": []}]
CHANGES: Final = {
    "400": "The body is not what the description says",
    "401": UNAUTHORIZED,
    "403": "The server was started without TILLSIDE_ADMIN_TOKEN: nothing can be changed",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "500": "A fault of the server",
}
"""Problems of every change."""
EXAMPLE_FEED: Final[Document] = {
    "time_ms": 1767240000000,
    "items": [
        {"item_id": "1004856", "stock": 0},
        {"item_id": "case-9", "stock": 40, "price": 19.9, "name": "Case for Aster 9", "attributes": {"brand": "aster"}},
    ],
}


def admin_openapi_document(limits: Limits | None = None) -> Document:
    """The complete document of the admin port; ``limits`` are the default ones where they are left out."""
    return document_of(
        title="tillside, admin port",
        summary="Stock and prices, reloads, metrics and probes.",
        description=DESCRIPTION,
        tags=TAGS,
        paths=_guarded(
            {
                "/health/live": live(),
                "/health/ready": ready(),
                "/metrics": metrics(token=False),
                "/v1/items": {"put": _items()},
                "/v1/admin/reload": {"post": _reload()},
                "/v1/admin/rollback": {"post": _rollback()},
                **merchandising_paths(),
                "/v1/shoppers/{key}": {"delete": _forget()},
                "/openapi.json": own_document(),
            }
        ),
        schemas={
            **feed_schemas(),
            "ForgottenReport": _forgotten(),
            "ReloadOrder": _order(),
            **merchandising_schemas(),
            **reload_schemas(),
            **request_schemas(limits or Limits()),
            **health_schemas(),
            "Problem": problem_schema(),
        },
    )


def _guarded(paths: Document) -> Document:
    """The paths, each call that wants the token with the answers that it is one too many or has a strange parameter."""
    for operations in paths.values():
        for each in operations.values():
            if each["security"] == TOKEN:
                busy = problem_response("429", "Too many calls are being worked on")
                strange = problem_response("422", "It takes no such query parameter")
                each["responses"] = dict(sorted({"422": strange, **each["responses"], "429": busy}.items()))
    return paths


def _items() -> Document:
    feed = a_reference("ItemsFeed")
    answer = {"time_ms": 1767240000000, "items": 2, "new_items": 1, "ranked": 1}
    return operation(
        "putItems",
        "Stock, prices and new items, applied to all workers at once",
        tag="shop",
        description="A feed is a delta: items and fields that it does not name keep what is known of them. One mistake "
        "refuses the whole feed, and detail lists the mistakes, one a line. Instead of a JSON document it may be JSON "
        "lines, the line with time_ms first; that line alone is a feed without items.",
        body={
            "required": True,
            "content": {"application/json": {"schema": feed, "examples": {"two items": {"value": EXAMPLE_FEED}}}},
        },
        answers={"200": json_response("What was applied", a_reference("FeedReport"), applied=answer)},
        refusals={
            **CHANGES,
            "409": "The feed is older than the one in use, is dated ahead of the clock, or names an item twice",
            "422": "The feed holds what the description does not allow; detail lists the mistakes",
            **NOT_KEPT,
        },
        security=TOKEN,
    )


def _forget() -> Document:
    report = {"time_ms": 1767240000000, "forgotten_events": 4, "pending_orders": 1}
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "description": "The shopper's key, as shopper_id has it, percent-encoded.",
        "schema": {"type": "string", "minLength": 1, "maxLength": Limits().text},
    }
    forget = operation(
        "forgetShopper",
        "Forget a shopper",
        tag="shoppers",
        description="No worker remembers the shopper any more, and the order is durable; the records up to now leave "
        "the log of answers and events within seconds, or at the next start. It may be sent again.",
        answers={"202": json_response("It was taken", a_reference("ForgottenReport"), taken=report)},
        refusals={
            **{status: text for status, text in CHANGES.items() if status in ("401", "403", "500")},
            "409": "The server keeps nothing of shoppers that it could forget",
            "422": "The key is too long",
            "503": "The order could not be made durable; send it again",
        },
        security=TOKEN,
    )
    return {**forget, "parameters": [key]}


def _forgotten() -> Document:
    count: Document = {"type": "integer", "minimum": 0}
    return an_object(
        {
            "time_ms": {**count, "format": "int64", "description": "What was kept up to then goes."},
            "forgotten_events": {**count, "description": "Events of the visit that was remembered."},
            "pending_orders": {
                **count,
                "description": "Orders that the log has not followed yet, this one among them.",
            },
        },
        *("time_ms", "forgotten_events", "pending_orders"),
    )


def _reload() -> Document:
    body = {
        "required": False,
        "content": {
            "application/json": {
                "schema": a_reference("ReloadOrder"),
                "examples": {"a folder beside the bundle": {"value": {"bundle": "2026-01-01"}}},
            }
        },
    }
    return operation(
        "reload",
        "Load the bundle anew, or another one that lies beside it",
        tag="bundles",
        description="All workers swap at once, or none does: a bundle that one refuses is used by none.",
        body=body,
        answers={"200": _report("What was loaded")},
        refusals={
            **CHANGES,
            "409": "The bundle was refused; detail says why, and what was there goes on answering",
            "422": "bundle is not the name of a folder beside the current one",
        },
        security=TOKEN,
    )


def _rollback() -> Document:
    return operation(
        "rollback",
        "Load the bundle that answered before this one",
        tag="bundles",
        description="It is verified again, as at a reload.",
        answers={"200": _report("What was rolled back to")},
        refusals={**CHANGES, "409": "There is none to roll back to, or it was refused"},
        security=TOKEN,
    )


def _report(description: str) -> Document:
    return json_response(description, a_reference("ReloadReport"), loaded=EXAMPLE_RELOAD)


def _order() -> Document:
    return {
        **an_object({"bundle": {"type": ["string", "null"], **FOLDER, "description": "A folder beside the bundle's."}}),
        "additionalProperties": False,
    }


def feed_schemas() -> dict[str, Document]:
    """Schemas by name: a feed, its items, and the report of what was applied."""
    _, generated = msgspec.json.schema_components((FeedItem,), ref_template=REFERENCE)
    item = generated["FeedItem"]
    properties = {name: {**_plain(own), "description": _sentence(name)} for name, own in item["properties"].items()}
    properties["item_id"]["maxLength"] = LONGEST_ID
    count: Document = {"type": "integer", "format": "int64", "minimum": 0}
    nullable: Document = {"type": ["integer", "null"], "minimum": 0}
    return {
        "ItemsFeed": {
            **an_object(
                {
                    "time_ms": {**count, "maximum": 2**52, "description": _sentence("time_ms")},
                    "items": {"type": "array", "items": a_reference("FeedItem")},
                },
                "time_ms",
            ),
            "additionalProperties": False,
        },
        "FeedItem": {
            "type": "object",
            "properties": properties,
            "required": item["required"],
            "additionalProperties": False,
        },
        "FeedReport": an_object(
            {
                "time_ms": {**count, "description": "When the feed was made."},
                "items": {**count, "description": "Items in the feed."},
                "new_items": {**nullable, "description": "Items that the bundle lacks; null without a policy."},
                "ranked": {**nullable, "description": "Those of them that the model ranks by their attributes."},
            },
            *("time_ms", "items", "new_items", "ranked"),
        ),
    }


def _plain(schema: Any) -> Any:
    """``anyOf`` of a bounded type and null as one schema, since generators name every part of an ``anyOf``."""
    match schema.get("anyOf"):
        case [{"type": str(kind)} as bounded, {"type": "null"}] | [{"type": "null"}, {"type": str(kind)} as bounded]:
            return {**bounded, "type": [kind, "null"]}
    return schema


def _sentence(name: str) -> str:
    words = ALLOWED[name]
    return f"{words[0].upper()}{words[1:]}."
