"""Sealing and opening: what is in the bundle, and what its version stands for. tests/serving has what is refused."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.bundles import BEHAVIOURS, COUNTS_NA, ITEM_IDS, ITEMS_ND, SPEC, about_tiny, tiny_bundle, with_trends
from tests.datasets import make_sessions
from tillside.bundle import (
    COUNTED_INTENT,
    GOLDENS,
    ITEMS,
    MANIFEST,
    NEIGHBOURS,
    REGISTERED,
    REQUIRED_FILES,
    open_bundle,
    seal,
)
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory
from tillside.recommenders.counted_intent import CountedIntent
from tillside.recommenders.session_knn import FILES
from tillside.relations import Relations, RelationTable

MEMORY = SessionMemory(
    SessionNeighbours.fit(make_sessions([[0, 1], [1, 2]]), items=len(ITEMS_ND), settings=Neighbourhood()),
    Blend((1.0, 0.0, 0.5), 0.1, ((-2.0, 0.5),) * 3),
)


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
    np.testing.assert_array_equal(bundle.items_ND, with_trends(ITEMS_ND))
    assert isinstance(bundle.items_ND, np.memmap)
    assert bundle.goldens[0]["items"] == ["apple", "plum", "fig"]


def test_intent_without_items_is_read_where_the_manifest_has_it(path, tmp_path):
    assert open_bundle(path).counted_intent is None
    weights = [0.5, *[0.0] * 13]
    told = tiny_bundle(tmp_path / "told", about={COUNTED_INTENT: {"weights": weights}})
    assert open_bundle(told).counted_intent == CountedIntent(tuple(weights))


@pytest.mark.parametrize("document", [{}, {"weights": [0.5]}, {"weights": None}, 3])
def test_intent_without_items_that_is_damaged_is_refused(tmp_path, document):
    path = tiny_bundle(tmp_path / "bundle", about={COUNTED_INTENT: document})
    with pytest.raises(ValueError, match=f"^bundle {path}: intent_without_items is damaged"):
        open_bundle(path)


def test_the_manifest_lists_every_file_but_itself(path):
    manifest = json.loads((path / MANIFEST).read_text())
    written = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert set(manifest["files"]) == written - {MANIFEST}
    assert set(REQUIRED_FILES) <= set(manifest["files"])
    assert manifest["format_version"] == 3
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


@pytest.fixture
def remembering(tmp_path):
    """A bundle with past sessions."""
    return tiny_bundle(tmp_path / "remembering", memory=MEMORY)


def test_past_sessions_are_read_as_they_were_sealed(path, remembering):
    assert open_bundle(path).memory is None
    memory = open_bundle(remembering).memory
    assert memory is not None
    assert memory.document() == MEMORY.document()
    for found, expected in zip(memory.bonus(np.array([0, 1]), 0), MEMORY.bonus(np.array([0, 1]), 0), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda memory: memory["blend"].pop("repeats"), "blend must give 3 weights"),
        (lambda memory: memory["blend"].update(repeats=[[0.5]]), "blend must give 3 weights"),
        (lambda memory: memory["blend"].update(repeats=[[0.5], [0.5], []]), "blend must give 3 weights"),
        (lambda memory: memory["blend"].update(weights=[1, 1]), "blend must give 3 weights"),
        (lambda memory: memory["blend"].update(weights=[1, 1, -1]), "blend must give 3 weights"),
        (lambda memory: memory["blend"].update(weights="heavy"), "blend must give 3 weights"),
        (lambda memory: memory["blend"].update(floor=0), "blend must give 3 weights"),
        (lambda memory: memory.update(blend=None), "blend must give 3 weights"),
        (lambda memory: memory.pop("blend"), "KeyError: 'blend'"),
        (lambda memory: memory.pop("neighbourhood"), "KeyError: 'neighbourhood'"),
        (lambda memory: memory.update(neighbourhood=None), "must be a mapping"),
        (lambda memory: memory["neighbourhood"].update(colour=1), "unexpected keyword argument 'colour'"),
        (lambda memory: memory["neighbourhood"].update(item_decay="slow"), "not supported between"),
        (
            lambda memory: memory["neighbourhood"].update(item_decay=0),
            "neighbourhood.item_decay must be above 0, got 0",
        ),
        (lambda memory: memory["neighbourhood"].update(reach=float("nan")), "neighbourhood.reach must be above 0"),
        (lambda memory: memory["neighbourhood"].update(age_decay=-1), "neighbourhood.age_decay must be finite and not"),
        (lambda memory: memory["neighbourhood"].update(before=float("inf")), "neighbourhood.before must be finite"),
        (lambda memory: memory["neighbourhood"].update(neighbours=0), "neighbourhood.neighbours must be a whole"),
        (lambda memory: memory["neighbourhood"].update(newest=2.5), "neighbourhood.newest must be a whole number"),
    ],
)
def test_a_manifest_whose_memory_is_damaged_is_refused(remembering, change, sentence):
    about = json.loads(json.dumps(about_tiny(memory=MEMORY)))
    change(about["memory"])
    seal(remembering, about)
    assert sentence in refusal_of_memory(remembering)


@pytest.mark.parametrize("memory", [[], "much", 1, True, {}])
def test_a_memory_that_is_none_is_refused(remembering, memory):
    seal(remembering, about_tiny() | {"memory": memory})
    refusal_of_memory(remembering)


@pytest.mark.parametrize("name", FILES)
def test_a_memory_that_lacks_a_file_is_refused(remembering, name):
    (remembering / NEIGHBOURS / f"{name}.npy").unlink()
    with pytest.raises(ValueError, match=rf"^bundle {remembering}: neighbours/{name}\.npy is missing$"):
        open_bundle(remembering)
    seal(remembering, about_tiny(memory=MEMORY))  # and where it was never sealed
    assert f"{name}.npy" in refusal_of_memory(remembering)


def test_past_sessions_of_another_catalogue_are_refused(remembering):
    other = SessionNeighbours.fit(make_sessions([[0, 5]]), items=len(ITEMS_ND) + 1, settings=Neighbourhood())
    other.save(remembering / NEIGHBOURS)
    seal(remembering, about_tiny(memory=MEMORY))
    assert f"do not fit together or to {len(ITEMS_ND)} items" in refusal_of_memory(remembering)


def refusal_of_memory(path):
    with pytest.raises(ValueError, match=f"^bundle {path}: the memory of past sessions is damaged") as caught:
        open_bundle(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


def test_relations_span_the_whole_catalogue_and_are_empty_where_there_are_none(path, tmp_path):
    assert len(open_bundle(path).relations.partners("complement", 0, now_ms=0)) == 0
    newcomer = len(ITEM_IDS) - 1  # stands in the catalogue, but has no vector
    given = Relations.empty(items=len(ITEM_IDS))
    table = RelationTable.of(np.array([newcomer]), np.array([2]), np.array([0.5]), items=len(ITEM_IDS), most=1)
    given = replace(given, tables={**given.tables, "scene": table})
    opened = open_bundle(tiny_bundle(tmp_path / "related", relations=given))
    assert opened.relations.partners("scene", newcomer, now_ms=0).items.tolist() == [2]


def test_relations_of_another_catalogue_are_refused(tmp_path):
    with pytest.raises(ValueError, match="another catalogue, not of 6 items"):
        open_bundle(tiny_bundle(tmp_path / "related", relations=Relations.empty(items=9)))


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("models:/my shop@champion", ("my shop", "champion", None)),
        ("models:/shop/7", ("shop", None, "7")),
        ("models:/shop/0", None),
        ("models:/shop", None),
        ("models:/../x@y", None),
        ("models:/shop@champion/7", None),
        ("models:/sh\u00f6p@y", None),  # ASCII only: the name becomes a folder's
    ],
)
def test_a_registered_bundle_is_named_by_alias_or_by_version(uri, parts):
    found = REGISTERED.fullmatch(uri)
    assert (found and (found["name"], found["alias"], found["version"])) == parts
