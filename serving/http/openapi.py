"""OpenAPI 3.1 description of the API, with examples; limits come from the settings, so it states what is enforced.

Paths, examples and problem responses are written by hand, since generated ones explain nothing; schemas come from
serving.http.schemas. Tests check the document against the message types and against real answers.
"""

from typing import Final

from serving.http.problems import PROBLEM_JSON
from serving.http.schemas import (
    Document,
    a_reference,
    an_object,
    example_placed_answer,
    message_schemas,
    model_schema,
)
from serving.protocol.limits import Limits
from tillside import __version__

SECURITY: Final[list[Document]] = [{"token": []}, {}]
UNAUTHORIZED: Final = "The server was given a token, and the request does not carry it"


def openapi_document(limits: Limits, *, metrics: bool = True) -> Document:
    """The complete OpenAPI document.

    Args:
        metrics: whether this port serves ``/metrics``.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tillside",
            "version": __version__,
            "summary": "Which items to offer next, from what the shopper just did.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/recommend": {"post": _recommend()},
            "/v1/model": {
                "get": _get("model", "What answers, and where it comes from", "Model", not_ready=True, token=True)
            },
            "/health/live": {"get": _get("live", "The process runs", "Health")},
            "/health/ready": {
                "get": _get("ready", "A bundle was verified, replayed and warmed up", "Health", not_ready=True)
            },
            **({"/metrics": _metrics()} if metrics else {}),
            "/openapi.json": {
                "get": {
                    "operationId": "openapi",
                    "summary": "This document",
                    "responses": {"200": _json_response("This document", {"type": "object"})},
                }
            },
            "/docs": {
                "get": {
                    "operationId": "docs",
                    "summary": "This document as a page, with a form to send requests",
                    "responses": {
                        "200": {"description": "The page", "content": {"text/html": {"schema": {"type": "string"}}}}
                    },
                }
            },
        },
        "components": {
            "schemas": {
                **message_schemas(limits),
                "Model": model_schema(),
                "Health": an_object({"status": {"enum": ["live", "ready"]}, "bundle": {"type": "string"}}, "status"),
                "Problem": _problem(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _metrics() -> Document:
    page = {"description": "The text page", "content": {"text/plain": {"schema": {"type": "string"}}}}
    responses = {"200": page, "401": _problem_response(UNAUTHORIZED)}
    return {
        "get": {"operationId": "metrics", "summary": "Prometheus metrics", "security": SECURITY, "responses": responses}
    }


def _recommend() -> Document:
    refusals = {
        "400": "The body is empty, not UTF-8, not JSON, or repeats a key",
        "401": UNAUTHORIZED,
        "408": "The body did not arrive in time",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "A field is missing, unknown, or holds what is not allowed; field names it",
        "431": "The request line and the headers are too large",
        "500": "A fault of the server",
    }
    return {
        "operationId": "recommend",
        "summary": "The best next items for a session",
        "description": "Load, deadlines and a missing bundle never make an error: a lower tier answers, and says why.",
        "security": SECURITY,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": a_reference("RecommendRequest"),
                    "examples": {
                        "product page": {"value": {"session": [{"item_id": "1004856", "behaviour": "click"}], "k": 3}},
                        "checkout": {
                            "value": {
                                "session": [
                                    {"item_id": "1004856", "behaviour": "click", "timestamp": 1767225600000},
                                    {"item_id": "1004856", "behaviour": "cart", "timestamp": 1767225660000},
                                ],
                                "behaviour": "purchase",
                                "hide_seen": True,
                                "deadline_ms": 50,
                            }
                        },
                        "nothing known": {"value": {"session": []}},
                    },
                }
            },
        },
        "responses": {
            "200": {
                "description": "At most k items, best first; fewer where fewer are eligible",
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [a_reference("PlacedAnswer"), a_reference("Answer")]},
                        "examples": {
                            "checkout": {"value": _example_answer()},
                            "a placement": {"value": example_placed_answer(_example_answer())},
                        },
                    }
                },
            },
            **{status: _problem_response(text) for status, text in refusals.items()},
        },
    }


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


def _problem() -> Document:
    properties = {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that says what to change."},
        "field": {"type": "string", "description": "Path of the field at fault."},
        "allowed": {"type": "string", "description": "What the field may hold."},
    }
    return an_object(properties, "type", "title", "status", "detail")


def _get(operation: str, summary: str, schema: str, *, not_ready: bool = False, token: bool = False) -> Document:
    responses = {"200": _json_response(summary, a_reference(schema))}
    if not_ready:
        responses["503"] = _problem_response("No bundle answers yet, or the server is about to stop; detail says why")
    if token:
        responses["401"] = _problem_response(UNAUTHORIZED)
    security = {"security": SECURITY} if token else {}
    return {"operationId": operation, "summary": summary, **security, "responses": responses}


def _json_response(description: str, schema: Document) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem_response(description: str) -> Document:
    return {"description": description, "content": {PROBLEM_JSON: {"schema": a_reference("Problem")}}}
