"""Ten kinds of broken bundle, each made from a good one beside it.

Shapes: N items, D columns.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from tillside.bundle import ENCODER, GOLDENS, ITEMS, MANIFEST, SCORER, seal


def break_bundle(good: Path, kind: str) -> Path:
    """Copy ``good`` to a folder beside it and break the copy in one way of KINDS; untouched files are hard links."""
    out = good.with_name(f"broken-{kind}")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(good, out, copy_function=os.link)
    KINDS[kind](out)
    return out


def _write(path: Path, content: bytes) -> None:
    path.unlink()  # breaks the hard link, or the good bundle's file would change too
    path.write_bytes(content)


def _manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((folder / MANIFEST).read_bytes())
    change(document)
    _write(folder / MANIFEST, json.dumps(document).encode())


def _resealed(folder: Path) -> None:
    document = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).unlink()
    seal(folder, {key: value for key, value in document.items() if key not in ("format_version", "version", "files")})


def _wrong_hash(folder: Path) -> None:
    content = bytearray((folder / ENCODER).read_bytes())
    content[len(content) // 2] ^= 1
    _write(folder / ENCODER, bytes(content))


def _truncated(folder: Path) -> None:
    _write(folder / ITEMS, (folder / ITEMS).read_bytes()[:-1000])


def _missing(folder: Path) -> None:
    (folder / SCORER).unlink()


def _traversal(folder: Path) -> None:
    _manifest(folder, lambda document: document["files"].update({"../stolen": document["files"][ITEMS]}))


def _link_outside(folder: Path) -> None:
    outside = folder.parent / f"{folder.name}-outside.json"
    shutil.copy(folder / GOLDENS, outside)
    (folder / GOLDENS).unlink()
    (folder / GOLDENS).symlink_to(outside.absolute())


def _format_version(folder: Path) -> None:
    _manifest(folder, lambda document: document.update(format_version=999))


def _manifest_cut(folder: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    _write(folder / MANIFEST, content[: len(content) // 2])


def _nan_items(folder: Path) -> None:
    vectors_ND = np.load(folder / ITEMS)
    vectors_ND[len(vectors_ND) // 2, 0] = np.nan
    (folder / ITEMS).unlink()
    np.save(folder / ITEMS, vectors_ND)
    _resealed(folder)


def _golden_mismatch(folder: Path) -> None:
    document = json.loads((folder / GOLDENS).read_bytes())
    document["goldens"][0]["scores"][0] += 1.0
    _write(folder / GOLDENS, json.dumps(document).encode())
    _resealed(folder)


def _graph_garbage(folder: Path) -> None:
    _write(folder / ENCODER, b"\x08\x08 this is no graph")
    _resealed(folder)


KINDS: Final[dict[str, Callable[[Path], None]]] = {
    "wrong-hash": _wrong_hash,
    "truncated": _truncated,
    "missing-file": _missing,
    "path-traversal": _traversal,
    "link-outside": _link_outside,
    "format-version": _format_version,
    "manifest-cut": _manifest_cut,
    "nan-items": _nan_items,
    "golden-mismatch": _golden_mismatch,
    "graph-garbage": _graph_garbage,
}
"""The last three have valid hashes."""


def again(good: Path, number: int) -> Path:
    """Copy ``good`` to a folder beside it as an equally valid bundle of another version."""
    out = good.with_name(f"again-{number}")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(good, out, copy_function=os.link)
    _manifest(out, lambda document: document.update(run=f"again {number}"))
    _resealed(out)
    return out
