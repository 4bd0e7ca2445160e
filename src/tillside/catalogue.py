"""The catalogue: item ids, counts, prices and attributes, in one fixed order.

An item's index in it is its identity inside tillside. Trained items come first (most frequent first, then by id), then
cold items, too rare in the training part but sharing an attribute with a trained item, then the rest. Trained and cold
items can be ranked; nothing is known of the rest. Attributes are tokens such as ``brand=apple`` or
``category=electronics.audio``; each level of a category path is a token, so items share what their parent categories
have in common. The display name is separate: shown, never a feature.

Shapes: N items, B behaviours, T attribute tokens.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.events import BRAND, CATEGORY

PRICE_BAND = "price_band"
PRICE_BANDS = 10


@dataclass(frozen=True)
class Catalogue:
    """Items in catalogue order.

    Attributes:
        item_ids: N distinct ids.
        trained: how many items, the first ones, are frequent enough in the training part to have a learned vector.
        counts_NB: events per item and behaviour in the training part, int64; in a bundle in all that the model learned.
        recent_NB: the same with older events discounted, float32; None for a log without timestamps.
        prices_N: typical price, float32, in the log's own unit; NaN if unknown.
        names: display names; empty if the log has none.
        vocabulary: the T attribute tokens.
        token_ids: indices into ``vocabulary``, concatenated over items, int32.
        token_offsets: start of each item's slice of ``token_ids``, int64 [N + 1].

    Raises:
        ValueError: the columns do not have N rows each, or ``trained`` is not between 0 and N.
    """

    item_ids: list[str]
    trained: int
    counts_NB: npt.NDArray[np.int64]
    prices_N: npt.NDArray[np.float32]
    names: list[str] = field(default_factory=list)
    vocabulary: list[str] = field(default_factory=list)
    token_ids: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    token_offsets: npt.NDArray[np.int64] | None = None
    recent_NB: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        size = len(self.item_ids)
        if self.token_offsets is None:
            object.__setattr__(self, "token_offsets", np.zeros(size + 1, np.int64))
        assert self.token_offsets is not None
        if not 0 <= self.trained <= size:
            raise ValueError(f"trained must be between 0 and {size}, got {self.trained}")
        if len(self.counts_NB) != size or len(self.prices_N) != size or len(self.token_offsets) != size + 1:
            raise ValueError(f"every column of the catalogue must have {size} rows")
        if self.recent_NB is not None and self.recent_NB.shape != self.counts_NB.shape:
            raise ValueError(f"recent_NB must be of the shape of counts_NB {list(self.counts_NB.shape)}")
        if self.names and len(self.names) != size:
            raise ValueError(f"names must be empty or hold {size} names, got {len(self.names)}")

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Catalogue index by item id."""
        return {item_id: index for index, item_id in enumerate(self.item_ids)}

    @cached_property
    def token_index(self) -> dict[str, int]:
        """Vocabulary index by attribute token."""
        return {token: number for number, token in enumerate(self.vocabulary)}

    @property
    def popular_NB(self) -> npt.NDArray[np.number[Any]]:  # noqa: N802
        """Counts that popularity is computed from: ``recent_NB`` if the log has timestamps, else ``counts_NB``."""
        return self.counts_NB if self.recent_NB is None else self.recent_NB

    @cached_property
    def rankable(self) -> int:
        """Number of rankable items, the first ones: trained, then cold."""
        described = described_items(self.vocabulary, self.token_ids, self.token_offsets, trained=self.trained)
        return len(self) if described.all() else int(described.argmin())

    def tokens_of(self, index: int) -> list[str]:
        """The attribute tokens of one item."""
        assert self.token_offsets is not None
        start, end = self.token_offsets[index], self.token_offsets[index + 1]
        return [self.vocabulary[token] for token in self.token_ids[start:end]]

    def price_band(self, price: float) -> str | None:
        """Price band token of ``price``; None if it is not finite or the catalogue has no prices."""
        if not np.isfinite(price) or not len(self._edges):
            return None
        return f"{PRICE_BAND}={int(np.searchsorted(self._edges, price, side='right'))}"

    @cached_property
    def _edges(self) -> npt.NDArray[np.float64]:
        return price_edges(self.prices_N)

    def label(self, index: int) -> str:
        """The item's label for shop staff: its name, else brand and finest category with the id, else the id."""
        if self.names and self.names[index]:
            return self.names[index]
        tokens = self.tokens_of(index)
        categories = [token.split("=", 1)[1] for token in tokens if token.startswith(f"{CATEGORY}=")]
        brands = [token.split("=", 1)[1] for token in tokens if token.startswith(f"{BRAND}=")]
        finest = max(categories, key=len, default="").split(".")[-1]
        words = brands[:1] if not finest or finest.isdigit() else [*brands[:1], finest]  # a bare number is no label
        return f"{' '.join(words)} ({self.item_ids[index]})" if words else self.item_ids[index]

    def save(self, directory: Path) -> None:
        """Create ``directory`` and write the catalogue into it."""
        directory.mkdir(parents=True)
        document = {"trained": self.trained, "item_ids": self.item_ids, "names": self.names}
        document["vocabulary"] = self.vocabulary
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        (directory / "catalogue.json").write_text(text, encoding="utf-8")
        np.save(directory / "counts.npy", self.counts_NB)
        np.save(directory / "prices.npy", self.prices_N)
        if self.recent_NB is not None:
            np.save(directory / "recent.npy", self.recent_NB)
        np.save(directory / "token_ids.npy", self.token_ids)
        assert self.token_offsets is not None
        np.save(directory / "token_offsets.npy", self.token_offsets)

    @classmethod
    def load(cls, directory: Path) -> "Catalogue":
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: a file is missing or damaged; the message names it.
        """
        document = _read(directory / "catalogue.json")
        expected = {"item_ids", "trained", "names", "vocabulary"}
        if not isinstance(document, dict) or not expected <= document.keys():
            raise ValueError(f"{directory / 'catalogue.json'} must hold {', '.join(sorted(expected))}")
        return cls(
            item_ids=document["item_ids"],
            trained=document["trained"],
            names=document["names"],
            vocabulary=document["vocabulary"],
            counts_NB=_read(directory / "counts.npy"),
            prices_N=_read(directory / "prices.npy"),
            token_ids=_read(directory / "token_ids.npy"),
            token_offsets=_read(directory / "token_offsets.npy"),
            recent_NB=_read(directory / "recent.npy") if (directory / "recent.npy").exists() else None,
        )


def _read(path: Path) -> Any:
    try:
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8"))
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def attribute_tokens(attributes: Mapping[str, object]) -> list[str]:
    """Distinct tokens of one item's attributes, in the order of the mapping.

    A category path yields a token per level, a list or tuple a token per element; None, NaN and blank strings yield
    none.
    """
    tokens: list[str] = []
    for attribute, value in attributes.items():
        for part in value if isinstance(value, list | tuple) else [value]:
            text = "" if part is None or part != part else str(part).strip()
            if not text:
                continue
            if attribute == CATEGORY:
                levels = [level for level in text.split(".") if level]
                tokens += [f"{CATEGORY}={'.'.join(levels[: depth + 1])}" for depth in range(len(levels))]
            else:
                tokens.append(f"{attribute}={text}")
    return list(dict.fromkeys(tokens))


def pack_tokens(
    tokens_per_item: Iterable[Sequence[str]],
) -> tuple[list[str], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Sorted vocabulary, token ids and offsets for :class:`Catalogue`, from each item's tokens."""
    rows = [list(tokens) for tokens in tokens_per_item]
    vocabulary = sorted({token for tokens in rows for token in tokens})
    index = {token: number for number, token in enumerate(vocabulary)}
    ids = np.fromiter((index[token] for tokens in rows for token in tokens), np.int32)
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(tokens) for tokens in rows], out=offsets[1:])
    return vocabulary, ids, offsets


def described_items(
    vocabulary: Sequence[str],
    token_ids: npt.NDArray[np.int32],
    token_offsets: npt.NDArray[np.int64] | None,
    *,
    trained: int,
) -> npt.NDArray[np.bool_]:
    """Mask [N] of items that are trained or share a token with a trained item.

    The price band alone does not count: all items known by it alone would tie.
    """
    described_N = sharing_items(vocabulary, token_ids, token_offsets, trained=trained, holders=1)
    described_N[:trained] = True
    return described_N


def sharing_items(
    vocabulary: Sequence[str],
    token_ids: npt.NDArray[np.int32],
    token_offsets: npt.NDArray[np.int64] | None,
    *,
    trained: int,
    holders: int,
) -> npt.NDArray[np.bool_]:
    """Mask [N] of items with a token, other than the price band, that at least so many trained items hold."""
    assert token_offsets is not None
    known_T = np.bincount(token_ids[: int(token_offsets[trained])], minlength=len(vocabulary)) >= holders
    known_T &= ~np.array([token.startswith(f"{PRICE_BAND}=") for token in vocabulary], bool)
    known_before = np.concatenate([[0], np.cumsum(known_T[token_ids])])
    sharing_N: npt.NDArray[np.bool_] = known_before[token_offsets[1:]] > known_before[token_offsets[:-1]]
    return sharing_N


def price_bands(prices_N: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Price decile of each item within the catalogue, int64 [N], 0 to 9; -1 if the price is unknown."""
    bands = np.full(len(prices_N), -1, np.int64)
    known = np.isfinite(prices_N)
    if known.any():
        bands[known] = np.searchsorted(price_edges(prices_N), prices_N[known], side="right")
    return bands


def price_edges(prices_N: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Inner edges of the price bands, ascending; empty if no price is known."""
    known = prices_N[np.isfinite(prices_N)]
    if not len(known):
        return np.zeros(0)
    return np.asarray(np.quantile(known, np.arange(1, PRICE_BANDS) / PRICE_BANDS), np.float64)
