"""Item ids without the blanks around them, as ``training.prepare`` reads them: databases pad ``CHAR(n)`` with spaces.

An id of nothing but spaces stays as it is.
"""

from typing import Any, Final, TypeVar

from msgspec import UNSET, Struct, structs

from serving.protocol.messages import RecommendRequest

LISTS: Final = ("exclude", "candidates", "scene")
OF_ITEMS: Final = ("session", "history", "cart", "impressions", "dismissed")
SEAM: Final = "\n"
Some = TypeVar("Some", bound=Struct)


def with_trimmed_ids(request: RecommendRequest) -> RecommendRequest:
    """The request with its item ids trimmed; the same one, after microseconds, if none begins or ends with a space."""
    joined = SEAM.join(["", *_ids(request), ""])
    if f"{SEAM} " not in joined and f" {SEAM}" not in joined:
        return request
    changed: dict[str, Any] = {field: _texts(getattr(request, field)) for field in LISTS}
    for field in OF_ITEMS:
        rows = getattr(request, field)
        changed[field] = [_row(row) for row in rows] if rows else rows
    if request.host is not UNSET:
        changed["host"] = _text(request.host)
    if request.placements is not UNSET:
        changed["placements"] = [structs.replace(own, candidates=_texts(own.candidates)) for own in request.placements]
    return structs.replace(request, **changed)


def _ids(request: RecommendRequest) -> list[str]:
    """All item ids that a request names."""
    ids: list[str] = []
    for field in LISTS:
        ids += getattr(request, field) or ()
    for field in OF_ITEMS:
        ids += [row.item_id for row in getattr(request, field) or () if row.item_id]
    if request.host:
        ids.append(request.host)
    for placement in request.placements or ():
        ids += placement.candidates or ()
    return ids


def _row(row: Some) -> Some:
    item_id = row.item_id  # type: ignore[attr-defined]
    return row if item_id is UNSET else structs.replace(row, item_id=_text(item_id))


def _texts(texts: Any) -> Any:
    return texts if texts is UNSET else [_text(text) for text in texts]


def _text(text: str) -> str:
    return text.strip(" ") or text
