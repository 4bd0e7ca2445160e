"""OpenAPI 3.1 description of the collector."""

from typing import Any, Final

import msgspec

from serving.collector.decoding import SentEvent
from serving.http.operations import (
    REFERENCE,
    SECURITY,
    Document,
    a_reference,
    an_object,
    document_of,
    json_response,
    live,
    metrics,
    operation,
    own_document,
    problem_schema,
    text_response,
)

TAGS: Final[Document] = {"events": "What became of what was offered.", "operations": "How the collector is."}
DESCRIPTION: Final = (
    "The collector of a tillside server. It takes what shoppers saw, clicked, bought, sent back and waved away, and "
    "keeps each event once, whatever is sent again. An answer of 200 or 207 means that what was taken outlasts a "
    "power failure."
)
REFUSALS: Final = {
    "400": "The body is no JSON, no gzip, or empty",
    "401": "The token of a source is wanted, and the request does not carry one",
    "403": "Pages of this origin may not send",
    "408": "The body did not arrive in time",
    "413": "The body is too large, or holds too many events",
    "415": "The body is neither JSON nor lines of it, or is packed otherwise than by gzip",
    "429": "The source sends too much, or the disk is behind; nothing was taken, retry-after says when to send again",
    "500": "A fault of the collector",
    "503": "Events cannot be kept for now; nothing was taken, retry-after says when to send again",
}
OURS: Final = ("received", "source", "untimed")
EXAMPLES: Final[dict[str, Any]] = {
    "seen and clicked": [
        {
            "event_id": "7f0c",
            "kind": "impression",
            "time": 1_767_225_600_000,
            "session": "v1",
            "recommendation_id": "3f9a",
            "item": "case",
            "position": 1,
        },
        {
            "event_id": "7f0d",
            "kind": "click",
            "session": "v1",
            "recommendation_id": "3f9a",
            "item": "case",
            "position": 1,
        },
    ],
    "an order": [
        {
            "event_id": "order 77",
            "kind": "purchase",
            "shopper": "c12",
            "order_id": "77",
            "lines": [{"item": "case", "quantity": 2, "price": 9.5}],
        }
    ],
    "waved away": [
        {"event_id": "80aa", "kind": "dismiss", "recommendation_id": "3f9a", "item": "case", "reason": "pushed"}
    ],
    "of google analytics 4": [
        {"name": "select_item", "params": {"event_id": "81", "items": [{"item_id": "case", "index": 0}]}}
    ],
}


def collector_document(most_events: int) -> Document:
    """The complete document; ``most_events``: of one body."""
    ready = {
        "get": operation(
            "ready",
            "Events are taken",
            tag="operations",
            description="For a readiness probe and for load balancers.",
            answers={"200": json_response("Events are taken", a_reference("Health"), ready={"status": "ready"})},
            refusals={"503": "The ids of earlier events are being read, or the collector is about to stop"},
        )
    }
    script = operation(
        "script",
        "The script that reports what a page's shoppers saw and clicked",
        tag="events",
        description="docs/feedback.md says how a page uses it.",
        answers=text_response("The script", "text/javascript"),
    )
    return document_of(
        title="tillside collector",
        summary="What became of what was offered.",
        description=DESCRIPTION,
        tags=TAGS,
        paths={
            "/v1/events": {"post": _events(most_events)},
            "/tillside.js": {"get": script},
            "/health/live": live(),
            "/health/ready": ready,
            "/metrics": metrics(token=False),
            "/openapi.json": own_document(),
        },
        schemas={**_schemas(), "Problem": problem_schema()},
    )


def _events(most_events: int) -> Document:
    event = {"anyOf": [a_reference("ShopEvent"), a_reference("Ga4Event")]}
    listed = {"type": "array", "items": event, "maxItems": most_events}
    schema = {"anyOf": [listed, an_object({"events": listed}, "events"), event]}
    examples = {name: {"value": value} for name, value in EXAMPLES.items()}
    body = {
        "required": True,
        "content": {
            "application/json": {"schema": schema, "examples": examples},
            "application/x-ndjson": {"schema": {"type": "string", "description": "An event a line."}},
        },
    }
    whole = {"accepted": 2, "duplicates": 0, "conflicts": 0, "refused": 0, "ignored": 0, "problems": []}
    partly = {**whole, "accepted": 1, "refused": 1, "problems": [PROBLEM]}
    return operation(
        "events",
        "Keep events",
        tag="events",
        description="Sent again, an event counts once: event_id says which it is. content-encoding may be gzip.",
        security=SECURITY,
        refusals=REFUSALS,
        body=body,
        answers={
            "200": json_response("All are kept, some of them before", a_reference("Taken"), taken=whole),
            "207": json_response(
                "All but those of problems are kept; send none again", a_reference("Taken"), partly=partly
            ),
        },
    )


PROBLEM: Final = {"index": 1, "result": "refused", "reason": "event_id is missing"}


def _schemas() -> dict[str, Document]:
    (_,), found = msgspec.json.schema_components([SentEvent], ref_template=REFERENCE)
    event = found.pop("SentEvent")
    event["description"] = "One event."
    event["properties"] = {name: each for name, each in event["properties"].items() if name not in OURS}
    count: Document = {"type": "integer", "minimum": 0}
    problem = {
        "index": {**count, "description": "Place of the event in the body, from 0."},
        "result": {"type": "string", "enum": ["refused", "conflict"]},
        "reason": {"type": "string"},
    }
    taken = dict.fromkeys(("accepted", "duplicates", "conflicts", "refused", "ignored"), count)
    return {
        "ShopEvent": event,
        **found,
        "Ga4Event": {
            "type": "object",
            "description": "An e-commerce event of Google Analytics 4: name and params, or event and ecommerce.",
        },
        "EventProblem": an_object(problem, "index", "result", "reason"),
        "Taken": an_object(
            {**taken, "problems": {"type": "array", "items": a_reference("EventProblem")}}, *taken, "problems"
        ),
        "Health": an_object({"status": {"type": "string", "enum": ["live", "ready"]}}, "status"),
    }
