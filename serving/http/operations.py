"""Pieces of OpenAPI operations that the documents of both ports share: responses, problems, probes, the metrics page.

Surprising: every operation lists 404 and 405, though a call to its own path with its own method never gets them: a
client whose base address is wrong does, and generated code should know the body.
"""

from typing import Any, Final

from serving.http.problems import PROBLEM_JSON
from tillside import __version__

Document = dict[str, Any]
REFERENCE: Final = "#/components/schemas/{name}"
SECURITY: Final[list[Document]] = [{"token": []}, {}]
UNAUTHORIZED: Final = "The server was given a token, and the request does not carry it"
REFUSALS: Final = {
    "404": "There is nothing at this path, as where the base address is wrong; detail lists the paths",
    "405": "The path does not take this method; allowed lists those it takes",
}
"""Problems of any path."""
EXAMPLES: Final[dict[str, tuple[str, Document]]] = {
    "400": ("invalid-body", {"detail": "the body is not valid JSON in UTF-8: Input data was truncated"}),
    "401": (
        "unauthorized",
        {"detail": "authorization must be Bearer and the token, got nothing", "field": "authorization"},
    ),
    "404": ("not-found", {"detail": 'there is nothing at "/v1/recommends"; did you mean /v1/recommend?'}),
    "405": (
        "method-not-allowed",
        {"detail": "the method GET is not allowed on /v1/recommend; allowed: POST, with a JSON body"},
    ),
    "422": (
        "invalid-field",
        {
            "detail": "k must be an integer from 1 to 1000, got 0",
            "field": "k",
            "allowed": "an integer from 1 to 1000",
        },
    ),
    "503": ("not-ready", {"detail": "the bundle is being verified"}),
}
"""Kind and members of an example problem, by status."""


def document_of(
    *, title: str, summary: str, description: str, tags: Document, paths: Document, schemas: Document
) -> Document:
    """An OpenAPI document of one port; ``tags`` are descriptions by name."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "summary": summary,
            "description": description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "tillside", "url": "https://github.com/tillside/tillside"},
        },
        "servers": [{"url": "/", "description": "The server that this document came from"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Wanted where the server was given one."}
            },
        },
    }


def an_object(properties: Document, *required: str) -> Document:
    """Object schema with these properties."""
    return {"type": "object", "properties": properties, "required": list(required)}


def a_reference(name: str) -> Document:
    """Reference to a schema by name."""
    return {"$ref": REFERENCE.format(name=name)}


def operation(
    name: str,
    summary: str,
    *,
    tag: str,
    answers: Document,
    description: str,
    refusals: dict[str, str] | None = None,
    body: Document | None = None,
    security: list[Document] | None = None,
) -> Document:
    """One operation.

    Args:
        answers: responses of status 200, as ``{"200": ...}``.
        refusals: descriptions of the problems it may answer with, by status; those of any path are added.
        security: what it asks for; None where it asks for nothing.
    """
    refused = dict(sorted({**(refusals or {}), **REFUSALS}.items()))
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": [tag],
        "security": [] if security is None else security,
        **({} if body is None else {"requestBody": body}),
        "responses": {**answers, **{status: problem_response(status, text) for status, text in refused.items()}},
    }


def json_response(description: str, schema: Document, **examples: Document) -> Document:
    """Response with JSON, and examples by name."""
    shown = {"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {}
    return {"description": description, "content": {"application/json": {"schema": schema, **shown}}}


def problem_response(status: str, description: str) -> Document:
    """Response with a problem document."""
    content: Document = {"schema": a_reference("Problem")}
    if status in EXAMPLES:
        kind, members = EXAMPLES[status]
        content["examples"] = {kind: {"value": example_problem(int(status), kind, members)}}
    return {"description": description, "content": {PROBLEM_JSON: content}}


def example_problem(status: int, kind: str, members: Document) -> Document:
    """A problem document as the server writes it."""
    title = kind.replace("-", " ").capitalize()
    return {"type": f"urn:tillside:problem:{kind}", "title": title, "status": status, **members}


def text_response(description: str, media_type: str) -> Document:
    """Response with a text."""
    return {"200": {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}}


def live() -> Document:
    """``GET /health/live``."""
    answer = json_response("The process runs", a_reference("Health"), live={"status": "live"})
    text = "For a liveness probe: it says nothing of bundles."
    return {"get": operation("live", "The process runs", tag="operations", description=text, answers={"200": answer})}


def ready() -> Document:
    """``GET /health/ready``."""
    summary = "A bundle was verified, replayed and warmed up"
    example = {"status": "ready", "bundle": "3f9a1c0b7d2e"}
    refusals = {"503": "No bundle answers yet, or the server is about to stop; detail says why"}
    answers = {"200": json_response(summary, a_reference("Health"), ready=example)}
    text = "For a readiness probe and for load balancers."
    return {"get": operation("ready", summary, tag="operations", description=text, answers=answers, refusals=refusals)}


def metrics(*, token: bool) -> Document:
    """``GET /metrics``; ``token``: whether it asks for the server's."""
    return {
        "get": operation(
            "metrics",
            "Prometheus metrics",
            tag="operations",
            description="Counts of all workers, in Prometheus's text format.",
            answers=text_response("The text page", "text/plain"),
            refusals={"401": UNAUTHORIZED} if token else {},
            security=SECURITY if token else None,
        )
    }


def own_document() -> Document:
    """``GET /openapi.json``."""
    answers = {"200": json_response("This document", {"type": "object"})}
    text = "What this port takes and answers, as OpenAPI 3.1."
    return {"get": operation("openapi", "This document", tag="operations", description=text, answers=answers)}


def health_schemas() -> dict[str, Document]:
    """Schemas of the probes' answers, by name."""
    properties = {
        "status": a_reference("HealthStatus"),
        "bundle": {"type": "string", "description": "Version of the bundle that answers; of readiness alone."},
    }
    return {
        "Health": an_object(properties, "status"),
        "HealthStatus": {"type": "string", "enum": ["live", "ready"]},
    }


def problem_schema() -> Document:
    """Schema of a problem document (RFC 9457)."""
    properties = {
        "type": {"type": "string", "format": "uri", "description": "Which problem it is; one per cause, stable."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that says what to change."},
        "field": {"type": "string", "description": "Path of the field at fault."},
        "allowed": {"type": "string", "description": "What the field may hold."},
    }
    return an_object(properties, "type", "title", "status", "detail")
