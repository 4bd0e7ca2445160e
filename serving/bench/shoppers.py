"""Synthetic requests: sessions over a shop's items as request bodies, drawn before the load begins.

Items follow a power law over popularity rank, one event in five repeats an item of its session, and lengths are
log-normal as in shop logs: half of the sessions have at most three events, one in a hundred has more than 24.

Shapes: L events of a session, N items, B behaviours.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from tillside.bundle import CATALOGUE, ITEMS, MANIFEST
from tillside.catalogue import Catalogue

Lengths = Literal["realistic", "every"]
LENGTHS: Final[tuple[Lengths, ...]] = ("realistic", "every")
EXPONENT: Final = 0.9
"""Exponent of the power law: the n-th most popular item is drawn with probability proportional to n ** -EXPONENT."""
MEDIAN_LENGTH, LENGTH_SIGMA, LONGEST = 3.0, 0.9, 200
RETURN_SHARE: Final = 0.2
START_MS: Final = 1_767_261_600_000
MEDIAN_GAP_MS, GAP_SIGMA = 30_000, 1.5


@dataclass(frozen=True)
class LoadShop:
    """Items and behaviours to draw requests from.

    Attributes:
        item_ids: most popular first.
        behaviours: weakest first; empty to leave the behaviour to the server's default.
    """

    item_ids: list[str]
    behaviours: tuple[str, ...] = ()

    @classmethod
    def of_bundle(cls, bundle: Path) -> "LoadShop":
        """Recommendable items and behaviours of a bundle.

        Raises:
            ValueError: the directory is not a bundle.
        """
        catalogue = Catalogue.load(bundle / CATALOGUE)
        try:
            items = len(np.load(bundle / ITEMS, mmap_mode="r", allow_pickle=False))
            behaviours = tuple(json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))["behaviours"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{bundle} is not a bundle: {type(error).__name__}: {error}") from None
        order = np.argsort(-catalogue.popular_NB[:items].sum(axis=1), kind="stable")
        return cls([catalogue.item_ids[item] for item in order.tolist()], behaviours)

    @classmethod
    def of_file(cls, path: Path) -> "LoadShop":
        """Items of a text file, one item id per line, most popular first.

        Raises:
            ValueError: the file cannot be read or holds no id.
        """
        try:
            item_ids = list(dict.fromkeys(path.read_text(encoding="utf-8").split()))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from None
        if not item_ids:
            raise ValueError(f"{path} must hold one item id a line, it holds none")
        return cls(item_ids)


def draw_lengths(lengths: Lengths, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Session lengths in events [count]: ``realistic`` is log-normal, ``every`` uniform from 1 to LONGEST."""
    if lengths == "every":
        return rng.integers(1, LONGEST + 1, count)
    drawn = np.exp(rng.normal(np.log(MEDIAN_LENGTH), LENGTH_SIGMA, count))
    return np.clip(np.rint(drawn), 1, LONGEST).astype(np.int64)


def draw_requests(
    shop: LoadShop,
    *,
    count: int,
    k: int,
    rng: np.random.Generator,
    deadline_ms: int | None = None,
    lengths: Lengths = "realistic",
) -> list[dict[str, Any]]:
    """``count`` request bodies of ``POST /v1/recommend``; sessions are non-empty, and all items are the shop's."""
    cumulative = np.cumsum(np.arange(1, len(shop.item_ids) + 1) ** -EXPONENT)
    names = shop.behaviours
    shares = 0.1 ** np.arange(max(len(names), 1))
    fixed: dict[str, Any] = {"k": k} if deadline_ms is None else {"k": k, "deadline_ms": deadline_ms}
    requests = []
    for length in draw_lengths(lengths, count, rng).tolist():
        items_L = np.searchsorted(cumulative, rng.random(length) * cumulative[-1]).clip(max=len(cumulative) - 1)
        for place in np.flatnonzero(rng.random(length) < RETURN_SHARE)[1:].tolist():
            items_L[place] = items_L[rng.integers(place)] if place else items_L[place]
        gaps_L = np.exp(rng.normal(np.log(MEDIAN_GAP_MS), GAP_SIGMA, length)).astype(np.int64)
        times_L = START_MS + np.cumsum(gaps_L)
        behaviours_L = rng.choice(len(shares), length, p=shares / shares.sum())
        session: list[dict[str, Any]] = []
        for item, behaviour, time in zip(items_L.tolist(), behaviours_L.tolist(), times_L.tolist(), strict=True):
            event = {"item_id": shop.item_ids[item], "timestamp": time}
            session.append({**event, "behaviour": names[behaviour]} if names else event)
        asked = {"behaviour": names[0] if rng.random() < 0.8 else names[-1]} if names else {}
        requests.append({"session": session, **asked, **fixed})
    return requests


def as_http(path: str, *, host: str, document: object, token: str | None = None) -> bytes:
    """HTTP/1.1 keep-alive POST of a JSON document, head and body, as bytes."""
    body = json.dumps(document, separators=(",", ":")).encode()
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", "content-type: application/json"]
    lines += [f"content-length: {len(body)}", *([f"authorization: Bearer {token}"] if token else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body
