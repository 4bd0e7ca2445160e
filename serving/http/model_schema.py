"""OpenAPI schemas of ``GET /v1/model`` and of a reload's report, written by hand: these documents have no struct."""

from typing import Any, Final, get_args

from serving.bundles.reloading import Result
from serving.http.operations import a_reference, an_object

Document = dict[str, Any]
VERSION: Final[Document] = {"type": "string", "description": "Version of the bundle."}
EXAMPLE_RELOAD: Final[Document] = {
    "result": "loaded",
    "at": "2026-01-01T04:05:06+00:00",
    "folder": "2026-01-01",
    "bundle": "3f9a1c0b7d2e",
    "reason": None,
}
EXAMPLE_MODEL: Final[Document] = {
    "bundle": "3f9a1c0b7d2e",
    "loaded_at": "2026-01-01T04:05:06+00:00",
    "behaviours": ["click", "cart", "purchase"],
    "items": 7421,
    "dim": 64,
    "max_length": 50,
    "history": 30,
    "purchase_intent": True,
    "dataset": {"name": "electronics", "digest": "9b1f" * 16},
    "git": {"commit": "4bd3f79c2e5a8f60b1d7c3e9a0f4d8b6c5e2a1f3", "state": "clean"},
    "run": "7d1c5e0f9a3b4c2d8e6f1a0b9c8d7e6f",
    "measurements": {"recall@20": 0.412},
    "policy": {"version": "a1b2c3d4e5f6", "file": "electronics.yaml", "placements": ["cart", "checkout"]},
    "items_feed": {"time_ms": 1767240000000, "items": 310},
    "last_reload": EXAMPLE_RELOAD,
}


def model_schemas() -> dict[str, Document]:
    """Schemas by name: ``Model`` and its parts."""
    properties = {
        "bundle": VERSION,
        "loaded_at": {"type": "string", "format": "date-time"},
        "behaviours": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "items": {"type": "integer", "minimum": 1, "description": "Items that can be recommended."},
        "dim": {"type": "integer", "minimum": 1},
        "max_length": {"type": "integer", "minimum": 1, "description": "Events of a session that are looked at."},
        "history": {"type": "integer", "minimum": 0, "description": "So many of them may be of earlier sessions."},
        "purchase_intent": {"type": "boolean", "description": "Whether answers carry a purchase intent."},
        "dataset": _or_null("TrainedOn", "The data set that trained it."),
        "git": _or_null("GitState", "The commit that trained it."),
        "run": {"type": ["string", "null"], "description": "The tracking run that trained it; null without tracking."},
        "measurements": {
            "type": ["object", "null"],
            "additionalProperties": {"type": "number"},
            "description": "What was measured on the test part, by metric.",
        },
        "policy": _or_null("ActivePolicy", "Null: no placements."),
        "items_feed": _or_null("ActiveFeed", "Null: no feed came."),
        "last_reload": _or_null("ReloadReport", "The latest reload or rollback, the first load among them."),
    }
    return {
        "Model": an_object(properties, *properties),
        "TrainedOn": _all_of({"name": {"type": "string"}, "digest": {"type": "string"}}),
        "GitState": an_object(
            {
                "commit": {"type": "string", "description": "Left out where it was trained outside a checkout."},
                "state": a_reference("GitCleanliness"),
            }
        ),
        "GitCleanliness": {"type": "string", "enum": ["clean", "dirty"]},
        "ActivePolicy": _all_of(
            {
                "version": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
                "file": {"type": "string", "description": "Name of the policy's file."},
                "placements": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            }
        ),
        "ActiveFeed": _all_of(
            {
                "time_ms": _count("When the latest feed was made, UTC milliseconds."),
                "items": _count("Items that feeds have said something of."),
            }
        ),
        **reload_schemas(),
    }


def reload_schemas() -> dict[str, Document]:
    """Schemas by name: ``ReloadReport`` and the enum of its results."""
    properties = {
        "result": a_reference("ReloadResult"),
        "at": {"type": "string", "format": "date-time"},
        "folder": {"type": "string", "description": "Name of the bundle's folder."},
        "bundle": {"type": ["string", "null"], "description": "Its version; null where it was refused."},
        "reason": {"type": ["string", "null"], "description": "Why it was refused; what was there went on answering."},
    }
    return {"ReloadReport": _all_of(properties), "ReloadResult": {"type": "string", "enum": list(get_args(Result))}}


def _all_of(properties: Document) -> Document:
    return an_object(properties, *properties)


def _or_null(name: str, description: str) -> Document:
    return {"anyOf": [a_reference(name), {"type": "null"}], "description": description}


def _count(description: str) -> Document:
    return {"type": "integer", "format": "int64", "minimum": 0, "description": description}
