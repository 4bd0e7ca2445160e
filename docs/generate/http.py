"""The HTTP reference and the committed OpenAPI documents, from what the server itself answers with."""

import json
from typing import Any

from docs.generate.tables import NOTE, code, table
from serving.collector.openapi import collector_document
from serving.collector.settings import MOST_EVENTS
from serving.http.admin_openapi import admin_openapi_document
from serving.http.openapi import openapi_document
from serving.protocol.limits import Limits

SHARED = ("Health", "Problem")
"""Schemas of the collector's that the main port has too."""
BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxItems": "at most {} entries",
    "pattern": "matches `{}`",
}
"""Bounds of a schema in words."""


def http_page() -> str:
    """The page, as Markdown."""
    document = openapi_document(Limits())
    lines = [
        NOTE,
        "",
        "# HTTP reference",
        "",
        "A running server answers with the same as OpenAPI 3.1 at `/openapi.json`, and shows it at `/docs`; the admin",
        "port has its own `/openapi.json`. Both lie beside this page, for generators of clients:",
        "[openapi.json](openapi.json), [openapi-admin.json](openapi-admin.json), and the collector's",
        "[openapi-collector.json](openapi-collector.json). The limits are the defaults; flags of",
        "[the server](server.md) change some. Unknown fields are refused.",
        "",
    ]
    admin = admin_openapi_document()
    lines += _operations(document["paths"])
    lines += ["## On the admin port", "", f"{admin['info']['description']} Beside its probes and metrics it has:", ""]
    lines += _operations({path: each for path, each in admin["paths"].items() if path not in document["paths"]})
    collector = collector_document(MOST_EVENTS)
    lines += ["## On the collector's port", "", f"{collector['info']['description']}", ""]
    lines += _operations({path: each for path, each in collector["paths"].items() if path not in document["paths"]})
    lines += ["## Schemas", ""]
    own = {name: each for name, each in collector["components"]["schemas"].items() if name not in SHARED}
    for name, schema in (admin["components"]["schemas"] | document["components"]["schemas"] | own).items():
        lines += [f"### {name}", "", *_fields(schema), ""]
    return "\n".join(lines).rstrip() + "\n"


def main_document() -> str:
    """The document of the main port with the default limits, as JSON."""
    return _json(openapi_document(Limits()))


def admin_document() -> str:
    """The document of the admin port, as JSON."""
    return _json(admin_openapi_document())


def collector_json() -> str:
    """The document of the collector, as JSON."""
    return _json(collector_document(MOST_EVENTS))


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operations(paths: dict[str, Any]) -> list[str]:
    lines = []
    for path, operations in paths.items():
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    return lines


def _operation(title: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"## {title}", "", f"{operation['summary']}. {operation.get('description', '')}".strip(), ""]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        lines += [f"The body is a {_type(body['schema'])}.", ""]
        for name, example in body.get("examples", {}).items():
            lines += [f"{name.capitalize()}:", "", "```json", json.dumps(example["value"], indent=2), "```", ""]
    rows = []
    for status, response in operation["responses"].items():
        kinds = [_type(each["schema"]) for each in response.get("content", {}).values()]
        rows.append([status, response["description"], ", ".join(kinds)])
    return [*lines, *table(("status", "when", "body"), rows), ""]


def _fields(schema: dict[str, Any]) -> list[str]:
    if "enum" in schema:
        return [f"A string, {_type(schema)}."]
    needed = schema.get("required", [])
    rows = []
    for name, each in schema.get("properties", {}).items():
        rows.append(
            [
                code(name),
                _type(each),
                "yes" if name in needed else "",
                _bounds(each),
                each.get("description", ""),
            ]
        )
    return table(("field", "type", "always", "allowed", "meaning"), rows)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for joint in ("anyOf", "oneOf"):
        if joint in schema:
            return " or ".join(_type(each) for each in schema[joint])
    if "enum" in schema:
        return "one of " + ", ".join(code(json.dumps(each).strip('"')) for each in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _bounds(schema: dict[str, Any]) -> str:
    own = [words.format(schema[name]) for name, words in BOUNDS.items() if name in schema]
    inner = _bounds(schema["items"]) if isinstance(schema.get("items"), dict) else ""
    return ", ".join(own) + (f"; each {inner}" if inner and own else inner)
