"""OpenAPI 3.1 description of the main port, with examples; limits come from the settings: it states what is enforced.

Paths, examples and problem responses are written by hand, since generated ones explain nothing; schemas come from
serving.http.schemas. Tests check the document against the message types and against real answers.
"""

from typing import Final

from serving.http.model_schema import EXAMPLE_MODEL, model_schemas
from serving.http.operations import (
    SECURITY,
    UNAUTHORIZED,
    Document,
    a_reference,
    document_of,
    health_schemas,
    json_response,
    live,
    metrics,
    operation,
    own_document,
    problem_schema,
    ready,
    text_response,
)
from serving.http.schemas import Names, message_schemas, of_page, of_recommend
from serving.protocol.limits import Limits

TAGS: Final[Document] = {
    "recommendations": "What to offer to a shopper.",
    "operations": "What answers, and how it is.",
}
DESCRIPTION: Final = (
    "The main port of a tillside server. A request names what the shopper did; the answer names what to offer next, "
    "from a model, or from a lower tier where the model cannot answer in time. Fields that are left out have the "
    "default that their description names; unknown fields are refused."
)


def openapi_document(
    limits: Limits, *, metrics_page: bool = True, names: Names | None = None, remembers: bool = False
) -> Document:
    """The complete document of the main port.

    Args:
        metrics_page: whether this port serves ``/metrics``.
        names: what requests may name, where a bundle is known.
        remembers: whether requests may leave their session out.
    """
    return document_of(
        title="tillside",
        summary="Which items to offer next, from what the shopper just did.",
        description=DESCRIPTION,
        tags=TAGS,
        paths={
            "/v1/recommend": {"post": _recommend()},
            "/v1/page": {"post": _page()},
            "/v1/model": {"get": _model()},
            "/health/live": live(),
            "/health/ready": ready(),
            **({"/metrics": metrics(token=True)} if metrics_page else {}),
            "/openapi.json": own_document(),
            "/docs": {
                "get": operation(
                    "docs",
                    "This document as a page, with a form to send requests",
                    tag="operations",
                    description="It loads nothing from elsewhere.",
                    answers=text_response("The page", "text/html"),
                )
            },
        },
        schemas={
            **message_schemas(limits, names, remembers=remembers),
            **model_schemas(),
            **health_schemas(),
            "Problem": problem_schema(),
        },
    )


def _model() -> Document:
    summary = "What answers, and where it comes from"
    return operation(
        "model",
        summary,
        tag="operations",
        description="Its behaviours and placements are those that a request may name.",
        answers={"200": json_response(summary, a_reference("Model"), **{"a model with a policy": EXAMPLE_MODEL})},
        refusals={"401": UNAUTHORIZED, "503": "No bundle answers yet; detail says why"},
        security=SECURITY,
    )


def _recommend() -> Document:
    answer = _example_answer()
    placed = _example_placed_answer(answer)
    return operation(
        "recommend",
        "The best next items for a session",
        tag="recommendations",
        description="Load, deadlines and a missing bundle never make an error: a lower tier answers, and says why.",
        security=SECURITY,
        refusals=REFUSALS,
        body=_body(of_recommend(), EXAMPLE_REQUESTS),
        answers={
            "200": json_response(
                "At most k items, best first; fewer where fewer are eligible",
                {"anyOf": [a_reference("PlacedAnswer"), a_reference("Answer")]},
                **{"checkout": answer, "a placement": placed},
            )
        },
    )


def _page() -> Document:
    placed = _example_placed_answer(_example_answer())
    return operation(
        "page",
        "Several placements in one call",
        tag="recommendations",
        description="As recommend for each of placements, in their order; no item is shown in two of them.",
        security=SECURITY,
        refusals=REFUSALS,
        body=_body(of_page(), {"a product page": EXAMPLE_PAGE}),
        answers={
            "200": json_response(
                "An answer for each placement",
                a_reference("PageAnswer"),
                **{"one placement": {"placements": [placed]}},
            )
        },
    )


def _body(schema: Document, examples: dict[str, Document]) -> Document:
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {"schema": schema, "examples": shown}
    return {"required": True, "content": {"application/json": content}}


REFUSALS: Final = {
    "400": "The body is empty, not UTF-8, not JSON, or repeats a key",
    "401": UNAUTHORIZED,
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "415": "The body is not application/json",
    "422": "A field is missing, unknown, or holds what is not allowed; field names it",
    "431": "The request line and the headers are too large",
    "500": "A fault of the server",
}
"""Problems of a request for items."""
EXAMPLE_PAGE: Final[Document] = {
    "session": [{"item_id": "1004856"}],
    "placements": [{"placement": "product", "k": 4}, {"placement": "cart"}],
}
EXAMPLE_REQUESTS: Final[dict[str, Document]] = {
    "product page": {"session": [{"item_id": "1004856", "behaviour": "click"}], "k": 3},
    "checkout": {
        "session": [
            {"item_id": "1004856", "behaviour": "click", "timestamp": 1767225600000},
            {"item_id": "1004856", "behaviour": "cart", "timestamp": 1767225660000},
        ],
        "behaviour": "purchase",
        "hide_seen": True,
        "deadline_ms": 50,
    },
    "nothing known": {"session": []},
    "a search list": {
        "session": [{"item_id": "1004856"}],
        "candidates": ["1005115", "1004767", "case-5"],
        "filter": {"price": {"at_most": 900}, "attributes": [{"name": "brand", "any_of": ["apple", "samsung"]}]},
    },
}
"""Bodies of requests by what they are for."""


def _example_answer() -> Document:
    item = {"item_id": "1005115", "score": 7.25, "source": "model", "because": "1004856", "seen": False}
    return {
        "recommendation_id": "5f0c1d9a6e1b4b0f9d3c2a1b0e9f8d7c",
        "items": [item],
        "tier": "model",
        "degraded_reason": None,
        "behaviour": "purchase",
        "purchase_intent": 0.41,
        "unknown_items": [],
        "model_version": "3f9a1c0b7d2e",
        "bundle": "3f9a1c0b7d2e",
    }


def _example_placed_answer(answer: Document) -> Document:
    """Example answer to a placement, extending that of other answers."""
    item = {
        "item_id": "case-5",
        "score": 1.84,
        "source": "complement",
        "because": "1004856",
        "seen": False,
        "origin": "complement of 1004856",
        "rule": None,
        "reason_key": "complement",
        "reason": "Goes well with Aster 5",
    }
    bundle = {
        "items": ["1004856", "case-5", "film-5"],
        "missing": ["case-5", "film-5"],
        "price": 535.0,
        "discounted_price": 533.5,
        "promotion": "accessory-tiers",
    }
    promotion = {
        "promotion": "accessory-tiers",
        "missing": 1,
        "percent": 10.0,
        "reached_percent": 0.0,
        "text": "1 more accessory: 10 % off the cheapest of them",
        "missing_spend": None,
        "amount": None,
        "gift": None,
    }
    placed = {"placement": "checkout", "mode": "cross_sell", "why": ["intent 0.41", "cart +0.20"]}
    told = {"bundles": [bundle], "promotion": promotion, "policy": "3f9a1c0b7d2e", "segment": None, "notes": []}
    return {**answer, "items": [item], **placed, **told}
