"""The admin port's OpenAPI description of what a merchandiser sets by hand: its paths, and the board's."""

from typing import Any, Final

from serving.http.merchandising_schemas import list_of
from serving.http.operations import (
    UNAUTHORIZED,
    Document,
    a_reference,
    an_object,
    json_response,
    operation,
    text_response,
)
from serving.http.schemas import of_recommend
from tillside.policy.merchandising import PARTS, Part

TAG: Final = "merchandising"
TOKEN: Final[list[Document]] = [{"token": []}]
READS: Final = {"401": UNAUTHORIZED, "403": "The server was started without TILLSIDE_ADMIN_TOKEN"}
NOT_KEPT: Final = {
    "503": "The server has not taken over its state yet",
    "507": "The state folder cannot be written; nothing was changed",
}
CHANGES: Final = {
    **READS,
    "400": "The body is not what the description says",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "409": "Each value is allowed, but not with the others, or not in this shop as it stands: days in the wrong order, "
    "an item named twice, a name that the shop lacks; detail lists them, one a line",
    "422": "It holds what the description does not allow; detail lists the mistakes, one a line",
    "500": "A fault of the server",
    **NOT_KEPT,
}
ABOUT: Final[dict[Part, tuple[str, Document]]] = {
    "pins": ("Items placed by hand in a slot", {"name": "week 23", "item": "watch", "slot": 1, "placements": ["home"]}),
    "bans": ("Items, categories and brands that are never shown", {"name": "recall", "item": "film"}),
    "pairs": ("What goes with what, and what does not", {"item": "phone", "other": "case", "action": "pin"}),
    "bundles": ("Product bundles set by hand", {"name": "starter", "items": ["phone", "film"], "price": 510}),
    "prices": ("Prices over those of catalogue and feed", {"item": "film", "price": 12.5}),
}
"""Summary and an example row of each part."""
UNKNOWN: Final[Document] = {
    "name": "unknown",
    "in": "query",
    "required": False,
    "description": "Whether names that the shop lacks are refused (left out: they are) or taken.",
    "schema": {"$ref": "#/components/schemas/UnknownNames"},
}
CHANGED: Final = {
    "revision": 4,
    "at": "2026-06-01T08:00:00+00:00",
    "change": "pins",
    "policy": "3f9a1c0b7d2e",
    "placements": ["checkout", "home"],
    "remarks": [],
}
READ_YAML: Final[Document] = {"type": ["string", "object"]}
"""A text to who does not read YAML, and what it holds to who does."""


def merchandising_paths() -> Document:
    """Paths of the policy, of each part, of all of it and of its state."""
    back = {
        "required": False,
        "content": {"application/json": {"schema": a_reference("RevisionOrder"), "example": {"revision": 3}}},
    }
    return {
        "/v1/policy": {"get": _read_policy(), "put": _put_policy(), "delete": _delete_policy()},
        **{f"/v1/{part}": {"get": _read(part), "put": _put(part)} for part in PARTS},
        "/v1/merchandising": {
            "get": operation(
                "getMerchandising",
                "Everything that is set by hand, and its revisions",
                tag=TAG,
                description="The revision in force with its content, and what every kept revision was.",
                answers={"200": json_response("What is in force", a_reference("Merchandising"))},
                refusals=READS,
                security=TOKEN,
            )
        },
        "/v1/merchandising/rollback": {
            "post": operation(
                "rollbackMerchandising",
                "Back to the revision before, or to the one that the body names",
                tag=TAG,
                description="It makes a new revision with the older one's content; a second call goes back further.",
                body=back,
                answers={"200": json_response("The new revision", a_reference("RevisionReport"))},
                refusals={
                    **{status: text for status, text in CHANGES.items() if status != "422"},
                    "409": "There is no such revision, none before this one, or it is not for the shop any more",
                },
                security=TOKEN,
            )
        },
        **_board(),
        "/v1/admin/state": {
            "get": operation(
                "getState",
                "What another server takes over",
                tag="operations",
                description="Items feed and revision, as --state-from of another server reads them.",
                answers={"200": json_response("The state", {"type": "object"})},
                refusals={**READS, "503": CHANGES["503"]},
                security=TOKEN,
            )
        },
    }


def _board() -> Document:
    """The board's page and what it asks for."""
    refusals = {
        **READS,
        "409": "There is no policy, or it or the bundle lacks what the request names; detail says which",
        "422": "The request is none, or has a query parameter that is not listed here; field names what is wrong",
        "503": "No bundle answers yet, or the worker that was asked has ended",
    }

    def data(name: str, summary: str, description: str, also: Document | None = None, **more: Any) -> Document:
        answers = {"200": json_response(summary, {"type": "object"})}
        given = {"description": description, "answers": answers, "refusals": refusals | (also or {}), **more}
        return operation(name, summary, tag=TAG, security=TOKEN, **given)

    like = {"name": "like", "in": "query", "required": False, "schema": {"type": "string", "maxLength": 200}}
    like["description"] = "Words that id, name or category hold."
    body = {"required": True, "content": {"application/json": {"schema": of_recommend()}}}
    of_body = {"400": "The body is empty, not UTF-8, not JSON, or repeats a key"}
    of_body |= {status: CHANGES[status] for status in ("408", "413", "500")}
    return {
        "/board": {
            "get": operation(
                "board",
                "A page to look at answers",
                tag=TAG,
                description="Placement, cart and session are chosen; names, prices, reasons, parts and removals shown.",
                answers=text_response("The page", "text/html"),
            )
        },
        "/v1/board/shop": {"get": data("boardShop", "Placements to choose from", "With behaviours and segments.")},
        "/v1/board/items": {"get": {**data("boardItems", "Items by name", "At most 20, by id."), "parameters": [like]}},
        "/v1/board/answer": {
            "post": data(
                "boardAnswer", "An answer", "With name and price of every item in it, by id.", of_body, body=body
            )
        },
    }


def _read_policy() -> Document:
    return operation(
        "getPolicy",
        "The policy file in force",
        tag=TAG,
        description="As YAML. The header x-policy-source says where it comes from.",
        answers={"200": {"description": "The policy", "content": {"application/yaml": {"schema": READ_YAML}}}},
        refusals=READS,
        security=TOKEN,
    )


def _put_policy() -> Document:
    example = {"placements": {"checkout": {"sources": {"model": 1, "complement": 2}}}}
    content: Document = {"application/yaml": {"schema": a_reference("PolicyFile"), "example": example}}
    return _change(
        "putPolicy",
        "Another policy file, in force in all workers at once",
        description="YAML as in docs/policy.md, of which JSON is a part, checked against the bundle and the catalogue "
        "first.",
        body={"required": True, "content": content},
        answer=json_response("The new revision", a_reference("RevisionReport"), changed=CHANGED),
    )


def _delete_policy() -> Document:
    return _change(
        "deletePolicy",
        "Back to the server's own policy file, or the bundle's",
        description="Pins, bans, pairs, bundles and prices stay.",
        answer=json_response("The new revision", a_reference("RevisionReport")),
    )


def _read(part: Part) -> Document:
    summary, _ = ABOUT[part]
    schema = an_object({"revision": {"type": "integer"}, part: list_of(part)}, "revision", part)
    return operation(
        f"get{part.title()}",
        summary,
        tag=TAG,
        description="Those in force, with the revision.",
        answers={"200": json_response("Those in force", schema)},
        refusals=READS,
        security=TOKEN,
    )


def _put(part: Part) -> Document:
    summary, row = ABOUT[part]
    content = {"application/json": {"schema": list_of(part), "examples": {"one": {"value": [row]}}}}
    return _change(
        f"put{part.title()}",
        f"{summary}: another list of them",
        description="Replaces all of them, in all workers at once, as a new revision.",
        body={"required": True, "content": content},
        answer=json_response("The new revision", a_reference("RevisionReport"), changed=CHANGED),
    )


def _change(name: str, summary: str, *, description: str, answer: Document, body: Document | None = None) -> Document:
    """What makes a new revision; ``unknown`` says whether names that the shop lacks are taken."""
    changing = operation(
        name,
        summary,
        tag=TAG,
        description=description,
        body=body,
        answers={"200": answer},
        refusals=CHANGES,
        security=TOKEN,
    )
    return {**changing, "parameters": [UNKNOWN]}
