"""Sealing and opening: what is in the bundle, and what its version stands for. tests/serving has what is refused."""

import json
import re
import shutil

import numpy as np
import pytest

from tests.bundles import BEHAVIOURS, COUNTS_NA, ITEM_IDS, ITEMS_ND, SPEC, about_tiny, tiny_bundle
from tillside.bundle import GOLDENS, ITEMS, MANIFEST, REQUIRED_FILES, open_bundle, seal


@pytest.fixture
def path(tmp_path):
    return tiny_bundle(tmp_path / "bundle")


def test_an_opened_bundle_holds_what_was_put_in(path):
    bundle = open_bundle(path)
    assert bundle.encoding == SPEC
    assert bundle.behaviours.names == BEHAVIOURS
    assert bundle.has_intent is True
    assert bundle.catalogue.item_ids == ITEM_IDS
    np.testing.assert_array_equal(bundle.catalogue.counts_NB, COUNTS_NA)
    np.testing.assert_array_equal(bundle.items_ND, ITEMS_ND)
    assert isinstance(bundle.items_ND, np.memmap)
    assert bundle.goldens[0]["items"] == ["apple", "plum", "fig"]


def test_the_manifest_lists_every_file_but_itself(path):
    manifest = json.loads((path / MANIFEST).read_text())
    written = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert set(manifest["files"]) == written - {MANIFEST}
    assert set(REQUIRED_FILES) <= set(manifest["files"])
    assert manifest["format_version"] == 2
    assert {name: manifest[name] for name in about_tiny()} == about_tiny()


def test_the_version_is_12_hex_digits_and_the_same_for_the_same_files_anywhere(path, tmp_path):
    version = open_bundle(path).version
    assert re.fullmatch(r"[0-9a-f]{12}", version)
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(path, copy)
    assert open_bundle(copy).version == version
    seal(copy, about_tiny())  # sealing again changes nothing
    assert open_bundle(copy).version == version


def test_another_file_or_another_word_about_it_is_another_version(path):
    versions = {open_bundle(path).version}
    seal(path, about_tiny() | {"run": "another"})
    versions.add(open_bundle(path).version)
    (path / "NOTES").write_text("one file more")
    seal(path, about_tiny())
    versions.add(open_bundle(path).version)
    np.save(path / ITEMS, ITEMS_ND * 2)
    seal(path, about_tiny())
    versions.add(open_bundle(path).version)
    assert len(versions) == 4


def test_opening_does_not_write(path):
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    open_bundle(path).catalogue.index_of  # noqa: B018
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before


@pytest.mark.parametrize(
    "vectors", [ITEMS_ND.astype(np.float64), ITEMS_ND[0], ITEMS_ND[:0], np.ones((7, 2), np.float32)]
)
def test_vectors_of_another_type_or_size_are_refused(path, vectors):
    np.save(path / ITEMS, vectors)
    seal(path, about_tiny())
    with pytest.raises(ValueError, match=r"items\.npy must be float32 \[items, dim\] with 1 to 6 items, got"):
        open_bundle(path)


def test_a_required_file_that_was_never_sealed_is_refused(path):
    (path / GOLDENS).unlink()
    seal(path, about_tiny())
    with pytest.raises(ValueError, match=r"the manifest does not list goldens\.json"):
        open_bundle(path)
