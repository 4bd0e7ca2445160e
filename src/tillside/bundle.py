"""The bundle (exported model): everything a server needs to answer, immutable, with a SHA-256 for every file.

``training.export`` writes it, ``serving`` verifies it before use. Layout of the directory::

    manifest.json     format version, hashes, encoding, behaviours, provenance, measurements
    encoder.onnx      item_vectors [B, L, D], behaviours, gaps [B, L], lengths, ask [B], and of the whole session counts
                      [B, C], latest [B] (not in bundles of 0.1) -> query [B, D], intent [B]
    scorer.onnx       query [B, D], k [1] -> scores, items [B, k]; its matrix is items.npy
    int8/             int8-quantised items and a scorer over them (training.bundle.graphs); tiers from ``int8`` up
    items.faiss       approximate index; for the search tier ``approximate``
    items.npy         float32 [N, D], vectors of the first N items of the catalogue; the last column is the trend (log
                      of recent over overall frequency), no part of the embedding
    tokens.npy        float32 [T, D - 1], attribute token embeddings, see tillside.recommenders.cold_vectors; optional
    catalogue/        see tillside.catalogue
    neighbours/       past sessions (tillside.recommenders.session_knn); only if the manifest's ``memory`` gives weight
    covisitation/     co-occurrences (tillside.recommenders.item_pairs); optional, the fallback tier below the model
    relations/        related items, see tillside.relations; optional
    policy.yaml       placement policy, see tillside.policy; optional, the server's settings may name another
    goldens.json      golden requests with their expected answers

The encoder takes item *vectors*, looked up in items.npy by the caller, so that items can be added and removed without a
new encoder.

Shapes: B sessions in a batch, L events, N items, T attribute tokens, D columns of an item row, C behaviours.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.encoding.spec import EncodingSpec
from tillside.events import Behaviours
from tillside.recommenders import ItemPairs
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.cold_vectors import TokenVectors
from tillside.recommenders.counted_intent import CountedIntent
from tillside.relations import Relations
from tillside.search import SearchPlan

FORMAT_VERSION: Final = 3
VERSION_TAG: Final = "bundle.version"
SHA256_TAG: Final = "bundle.sha256"
"""Tags of a model version in MLflow's registry; the value of the second is :func:`manifest_sha256`."""
REGISTERED: Final = re.compile(
    r"models:/(?P<name>\w[\w. -]*)(?:@(?P<alias>\w[\w.-]*)|/(?P<version>[1-9]\d{0,8}))", re.ASCII
)
REGISTERED_FORMS: Final = "models:/NAME@ALIAS or models:/NAME/VERSION"
"""URI of a bundle in MLflow's registry: the pattern for ``fullmatch``, and the forms in words."""
MANIFEST: Final = "manifest.json"
ENCODER: Final = "encoder.onnx"
SCORER: Final = "scorer.onnx"
ITEMS: Final = "items.npy"
TOKENS: Final = "tokens.npy"
INT8: Final = "int8"
INT8_SCORER: Final = f"{INT8}/scorer.onnx"
INT8_ROWS: Final = f"{INT8}/rows.npy"
INDEX: Final = "items.faiss"
CATALOGUE: Final = "catalogue"
NEIGHBOURS: Final = "neighbours"
COVISITATION: Final = "covisitation"
RELATIONS: Final = "relations"
POLICY: Final = "policy.yaml"
GOLDENS: Final = "goldens.json"
COUNTED_INTENT: Final = "intent_without_items"
"""Key of the manifest, where the intent of sessions without a known item is told."""
HOW_TO: Final = "python -m training.train writes one to runs/latest/bundle, python -m training.export to any folder"
REQUIRED_KEYS: Final = ("version", "behaviours", "encoding", "intent", "memory", "search", "files")
REQUIRED_FILES: Final = (ENCODER, SCORER, ITEMS, GOLDENS, f"{CATALOGUE}/catalogue.json")
FILES_OF_TIER: Final[Mapping[str, tuple[str, ...]]] = {
    "exact": (),
    "int8": (INT8_SCORER, INT8_ROWS),
    "approximate": (INT8_SCORER, INT8_ROWS, INDEX),
}


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        path: the directory.
        manifest: manifest.json as it stands.
    """

    path: Path
    manifest: Mapping[str, Any]

    @property
    def version(self) -> str:
        """First 12 hex digits of a SHA-256 over the manifest and all files: equal versions mean equal bundles."""
        return str(self.manifest["version"])

    @property
    def has_intent(self) -> bool:
        """Whether the encoder's intent output was trained; a log without the goal behaviour has no labels for it."""
        return bool(self.manifest["intent"])

    @cached_property
    def counted_intent(self) -> CountedIntent | None:
        """Purchase intent of sessions without a known item; None where the bundle cannot tell it, as in older ones."""
        document = self.manifest.get(COUNTED_INTENT)
        if document is None or not self.has_intent:
            return None
        return CountedIntent.from_document(document, behaviours=len(self.behaviours.names))

    @cached_property
    def encoding(self) -> EncodingSpec:
        """Session encoding that the encoder was trained with."""
        return EncodingSpec.from_document(self.manifest["encoding"])

    @cached_property
    def behaviours(self) -> Behaviours:
        """Behaviours that events may have and that recommendations may target."""
        return Behaviours(tuple(self.manifest["behaviours"]))

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue; its first ``len(items_ND)`` items can be recommended."""
        return Catalogue.load(self.path / CATALOGUE)

    @cached_property
    def items_ND(self) -> npt.NDArray[np.float32]:  # noqa: N802
        """The item vectors, memory-mapped."""
        return load_items(self.path)

    @cached_property
    def search(self) -> SearchPlan:
        """Search tier and its settings, as chosen and measured at export."""
        return SearchPlan.from_document(self.manifest["search"])

    @cached_property
    def memory(self) -> SessionMemory | None:
        """Blend of past sessions (session kNN) with the model's scores; None if they have no weight."""
        document = self.manifest["memory"]
        if document is None:
            return None
        behaviours, items = len(self.behaviours.names), len(self.items_ND)
        return SessionMemory.load(
            self.path / NEIGHBOURS, document, items=items, behaviours=behaviours, catalogue=self.catalogue
        )

    @cached_property
    def covisitation(self) -> ItemPairs | None:
        """Co-occurrence of items in sessions, the most frequent partners of each; None if the bundle has no table."""
        if not any(name.startswith(f"{COVISITATION}/") for name in self.manifest["files"]):
            return None
        return ItemPairs.load(self.path / COVISITATION, items=len(self.items_ND))

    @cached_property
    def relations(self) -> Relations:
        """Relations over the whole catalogue; empty if the bundle has none."""
        items = len(self.catalogue)
        if not any(name.startswith(f"{RELATIONS}/") for name in self.manifest["files"]):
            return Relations.empty(items=items)
        return Relations.load(self.path / RELATIONS, items=items)

    @cached_property
    def tokens(self) -> TokenVectors | None:
        """Attribute token embeddings, for items added after training; None if the bundle has no attributes."""
        if TOKENS not in self.manifest["files"]:
            return None
        vectors_TD = np.load(self.path / TOKENS, mmap_mode="r", allow_pickle=False)
        return TokenVectors(np.asarray(vectors_TD), self.catalogue)

    @property
    def policy(self) -> Path | None:
        """Path of the bundle's policy file; None if it has none."""
        return self.path / POLICY if POLICY in self.manifest["files"] else None

    @cached_property
    def goldens(self) -> list[dict[str, Any]]:
        """Golden requests (``request``) and expected answers (``items``, ``scores``, ``purchase_intent``)."""
        document = json.loads((self.path / GOLDENS).read_text(encoding="utf-8"))
        return list(document["goldens"])


def load_items(folder: Path) -> npt.NDArray[np.float32]:
    """Item vectors [N, D] of a bundle's directory, sealed or not; memory-mapped."""
    items_ND: npt.NDArray[np.float32] = np.load(folder / ITEMS, mmap_mode="r", allow_pickle=False)
    return items_ND


def seal(directory: Path, about: Mapping[str, Any]) -> None:
    """Write manifest.json over the files in ``directory``.

    Args:
        about: encoding, behaviours, intent, dataset, git, run and measurements, as JSON types.
    """
    files = {
        path.relative_to(directory).as_posix(): {"sha256": _sha256(path), "bytes": path.stat().st_size}
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / MANIFEST
    }
    document = {"format_version": FORMAT_VERSION, "version": _version(about, files), **about, "files": files}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (directory / MANIFEST).write_text(text, encoding="utf-8")


def _version(about: Mapping[str, Any], files: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([about, files], sort_keys=True).encode()).hexdigest()[:12]


def manifest_sha256(path: Path) -> str:
    """SHA-256 of a bundle's manifest, which lists the hashes of all its files."""
    return _sha256(path / MANIFEST)


def open_bundle(path: Path) -> Bundle:
    """Open a bundle after verifying every hash, size and shape.

    Raises:
        ValueError: verification failed; the message names the file and the reason.
    """
    manifest = _read_manifest(path)
    for name, expected in manifest["files"].items():
        file = _inside(path, name)
        if not file.is_file():
            raise ValueError(f"bundle {path}: {name} is missing")
        if file.stat().st_size != expected["bytes"]:
            raise ValueError(f"bundle {path}: {name} has {file.stat().st_size} bytes, expected {expected['bytes']}")
        if _sha256(file) != expected["sha256"]:
            raise ValueError(f"bundle {path}: {name} does not have the SHA-256 that the manifest states")
    bundle = Bundle(path, manifest)
    try:
        tier = bundle.search.tier
    except ValueError as error:
        raise ValueError(f"bundle {path}: {error}") from None
    for name in (*REQUIRED_FILES, *FILES_OF_TIER[tier]):
        if name not in manifest["files"]:
            raise ValueError(f"bundle {path}: the manifest does not list {name}")
    try:
        vectors, catalogue, _, _ = bundle.items_ND, bundle.catalogue, bundle.encoding, bundle.goldens
        bundle.behaviours.index(bundle.behaviours.goal)
    except (KeyError, TypeError, AttributeError, OSError, EOFError) as error:
        raise ValueError(f"bundle {path}: {type(error).__name__}: {error}") from None
    if vectors.ndim != 2 or vectors.dtype != np.float32 or not 0 < len(vectors) <= len(catalogue):
        raise ValueError(
            f"bundle {path}: {ITEMS} must be float32 [items, dim] with 1 to {len(catalogue)} items, "
            f"got {vectors.dtype} {list(vectors.shape)}"
        )
    if tier != "exact" and len(np.load(path / INT8_ROWS, mmap_mode="r", allow_pickle=False)) != len(vectors):
        raise ValueError(f"bundle {path}: {INT8_ROWS} and {ITEMS} must hold as many items")
    if not np.isfinite(vectors).all():
        raise ValueError(f"bundle {path}: {ITEMS} holds values that are not finite")
    try:
        _ = bundle.memory
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ValueError(
            f"bundle {path}: the memory of past sessions is damaged ({type(error).__name__}: {error})"
        ) from None
    try:
        _ = bundle.counted_intent
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"bundle {path}: {COUNTED_INTENT} is damaged ({type(error).__name__}: {error})") from None
    _, _, tokens = bundle.covisitation, bundle.relations, bundle.tokens
    fault = tokens and tokens.fault(dim=vectors.shape[1] - 1)
    if fault:
        raise ValueError(f"bundle {path}: {TOKENS} is damaged: {fault}")
    about = {key: value for key, value in manifest.items() if key not in ("format_version", "version", "files")}
    if manifest.get("version") != _version(about, manifest["files"]):
        raise ValueError(f"bundle {path}: {MANIFEST} was changed after it was sealed, its version does not fit it")
    return bundle


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{path} is not a bundle: {_what_it_is(path)}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a bundle ({error}); make one with python -m training.export") from None
    if not isinstance(manifest, dict) or manifest.get("format_version") != FORMAT_VERSION:
        found = manifest.get("format_version") if isinstance(manifest, dict) else None
        raise ValueError(f"bundle {path}: format_version {found} cannot be read, only {FORMAT_VERSION}")
    for key in REQUIRED_KEYS:
        if key not in manifest:
            raise ValueError(f"bundle {path}: the manifest lacks {key!r}")
    files = manifest["files"]
    if not isinstance(files, dict) or not all(
        isinstance(f, dict) and {"sha256", "bytes"} <= f.keys() for f in files.values()
    ):
        raise ValueError(f"bundle {path}: the manifest must list its files with sha256 and bytes")
    return manifest


def _what_it_is(path: Path) -> str:
    """What lies at a path without a manifest, and which path to give, or how to make a bundle of it."""
    if any(part.startswith("models:") for part in path.parts):
        return f"a model of the registry is served with --model {REGISTERED_FORMS}"
    near = [folder for folder in (path / "bundle", path / "latest" / "bundle") if (folder / MANIFEST).is_file()]
    if path.is_file():
        near = [folder for folder in path.parents[:2] if (folder / MANIFEST).is_file()]
        return f"it is a file of one; give its folder, {near[0]}" if near else f"it is a file; {HOW_TO}"
    if near:
        return f"it is a folder of training; give its bundle, {near[0]}"
    if (path / "dataset.json").is_file():
        return f"it is a data set; python -m training.train dataset={path} makes runs, and each has its bundle"
    if path.is_dir():
        return f"the folder has no {MANIFEST}; {HOW_TO}"
    return f"there is nothing at this path; {HOW_TO}"


def _inside(path: Path, name: str) -> Path:
    """Path of the bundle's file ``name``.

    Raises:
        ValueError: ``name`` leads outside the bundle, by itself or as a link.
    """
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name:
        raise ValueError(f"bundle {path}: the file name {name!r} leads outside the bundle")
    file = path / pure
    if not file.resolve().is_relative_to(path.resolve()):
        raise ValueError(f"bundle {path}: the file {name!r} is a link that leads outside the bundle")
    return file


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
