"""A data set on disk: what is written is what is read, equal data have equal digests, and damage is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_dataset, make_sessions
from tillside.dataset import COLLAPSE, Sessions, Whole, load_dataset, write_dataset
from tillside.events import Behaviours
from training.settings.prepare import Repeats

TRAIN, VALIDATION, TEST = [[0, 1], [1, (2, "cart"), 0]], [[2, 0]], [[0, (1, "purchase")], [3, 0, 1]]


def write(directory, **changes):
    given = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "trained": 3, "newcomers": 1} | changes
    return make_dataset(directory, **given)


def test_parts_are_the_sessions_that_were_given(tmp_path):
    dataset = write(tmp_path / "d", test_cases="last")
    assert dataset.part("train").items.tolist() == [0, 1, 1, 2, 0]
    assert dataset.part("train").offsets.tolist() == [0, 2, 5]
    assert dataset.part("validation").items.tolist() == [2, 0]
    assert dataset.part("test").items.tolist() == [0, 1, 3, 0, 1]
    assert dataset.part("test").behaviours.tolist() == [0, 2, 0, 0, 0]
    assert dataset.part("test").offsets.tolist() == [0, 2, 5]
    assert dataset.behaviours == Behaviours()
    assert (dataset.validation_cases, dataset.test_cases) == ("every", "last")
    assert dataset.catalogue.item_ids == ["i0", "i1", "i2", "i3"]
    assert dataset.about["name"] == "d"


def test_the_rule_for_validation_cases_travels_and_must_be_known(tmp_path):
    dataset = write(tmp_path / "d", validation_cases="last")
    assert (dataset.validation_cases, dataset.test_cases) == ("last", "every")
    path = dataset.path / "dataset.json"
    path.write_text(path.read_text().replace('"validation_cases": "last"', '"validation_cases": "first"'))
    with pytest.raises(ValueError, match="do not fit together"):
        load_dataset(dataset.path)


def test_event_arrays_are_memory_mapped(tmp_path):
    assert isinstance(write(tmp_path / "d").sessions.items, np.memmap)


def test_equal_data_have_equal_digests_and_any_change_shows(tmp_path):
    digests = [
        write(tmp_path / str(number), **changes).digest
        for number, changes in enumerate(
            [
                {},
                {},
                {"test": [*TEST, [0, 1]]},
                {"train": [[0, 1], [1, (2, "purchase"), 0]]},
                {"validation": [], "test": [*VALIDATION, *TEST]},  # the same sessions, parted otherwise
                {"test_cases": "last"},
                {"validation_cases": "last"},
                {"tokens": [["brand=acme"]]},
            ]
        )
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 7
    assert all(len(digest) == 64 for digest in digests)


def test_slices_keep_optional_arrays_by_event_and_by_session():
    base = make_sessions([[0, 1], [2], [3, 4, 5]])
    optional = {"prices": np.arange(6, dtype=np.float32), "users": np.array([7, 8, 9], np.int32)}
    sessions = Sessions(base.items, base.behaviours, base.times, base.offsets, optional)
    middle = sessions.slice(1, 3)
    assert middle.items.tolist() == [2, 3, 4, 5]
    assert middle.offsets.tolist() == [0, 1, 4]
    assert middle.optional["prices"].tolist() == [2, 3, 4, 5]
    assert middle.optional["users"].tolist() == [8, 9]
    assert np.shares_memory(middle.items, base.items)
    assert len(sessions.slice(3, 3)) == 0


def test_optional_arrays_travel(tmp_path):
    base = make_sessions([[0, 1]])
    sessions = Sessions(base.items, base.behaviours, base.times, base.offsets, {"users": np.array([4])})
    parts = {"train": (0, 1), "validation": (1, 1), "test": (1, 1)}
    write_dataset(
        tmp_path,
        sessions=sessions,
        catalogue=make_catalogue(base, trained=2),
        behaviours=Behaviours(),
        parts=parts,
        test_cases="every",
        about={"name": "tiny", "config": {}},
    )
    users = load_dataset(tmp_path).part("train").optional["users"]
    assert (users.tolist(), users.dtype) == ([4], np.int32)


def with_whole(folder, rows):
    """A data set of one kept session, and all sessions as they happened beside it."""
    folder.mkdir()
    base = make_sessions([[0, 1]])
    write_dataset(
        folder,
        sessions=base,
        catalogue=make_catalogue(base, trained=3),
        behaviours=Behaviours(),
        parts={"train": (0, 1), "validation": (1, 1), "test": (1, 1)},
        test_cases="every",
        about={"name": "tiny", "config": {}},
        whole=Whole(make_sessions(rows), {"train": (0, 2), "validation": (2, 2), "test": (2, 3)}),
    )
    return load_dataset(folder)


def test_the_sessions_as_they_happened_travel_beside_the_kept_ones(tmp_path):
    dataset = with_whole(tmp_path / "d", [[0, 2, 1], [1], [2, 0]])
    assert dataset.part("train").items.tolist() == [0, 1]
    assert dataset.whole("train").items.tolist() == [0, 2, 1, 1]
    assert dataset.whole("train").offsets.tolist() == [0, 3, 4]
    assert dataset.whole("train", "test").items.tolist() == [0, 2, 1, 1, 2, 0]
    assert dataset.whole("test").offsets.tolist() == [0, 2]
    assert dataset.digest != with_whole(tmp_path / "e", [[0, 2, 1], [1], [2, 2]]).digest


def test_without_them_the_kept_sessions_are_all_that_is_known(tmp_path):
    dataset = write(tmp_path / "d")
    assert dataset.whole("train").items.tolist() == dataset.part("train").items.tolist()
    assert dataset.whole("validation", "test").items.tolist() == [
        *dataset.part("validation").items.tolist(),
        *dataset.part("test").items.tolist(),
    ]


def test_damage_to_them_is_found(tmp_path):
    path = with_whole(tmp_path / "d", [[0, 2, 1], [1], [2, 0]]).path / "whole" / "items.npy"
    np.save(path, np.array([0, 2, 1, 1, 2, 9], np.int32))
    with pytest.raises(ValueError, match="items that the catalogue does not have"):
        load_dataset(tmp_path / "d")
    path.unlink()
    with pytest.raises(ValueError, match=r"items\.npy cannot be read"):
        load_dataset(tmp_path / "d")


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", "{}", '{"format_version": 1}'])
def test_a_folder_that_is_no_data_set_is_refused(tmp_path, content):
    write(tmp_path / "d")
    path = tmp_path / "d" / "dataset.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(ValueError, match=str(tmp_path / "d")):
        load_dataset(tmp_path / "d")


def test_another_format_version_is_refused(tmp_path):
    path = write(tmp_path / "d").path / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 9}))
    with pytest.raises(ValueError, match="format_version 9 cannot be read, only 1 and 2; prepare it again"):
        load_dataset(tmp_path / "d")


@pytest.mark.parametrize("name", ["items", "offsets"])
def test_a_truncated_or_missing_array_is_named(tmp_path, name):
    path = write(tmp_path / "d").path / "sessions" / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=f"{name}.npy cannot be read"):
        load_dataset(tmp_path / "d")
    path.unlink()
    with pytest.raises(ValueError, match=f"{name}.npy cannot be read"):
        load_dataset(tmp_path / "d")


@pytest.mark.parametrize(("name", "array"), [("times", np.zeros(3)), ("offsets", np.array([0, 2, 4]))])
def test_arrays_that_do_not_fit_together_are_refused(tmp_path, name, array):
    np.save(write(tmp_path / "d").path / "sessions" / f"{name}.npy", array)
    with pytest.raises(ValueError, match="do not fit together"):
        load_dataset(tmp_path / "d")


def test_a_data_set_answers_for_its_name_its_goal_and_its_repeats(tmp_path):
    """Of the behaviours click, cart and purchase the goal is the third; of one behaviour alone it is that one."""
    dataset = write(tmp_path / "shop", config={"repeats": "collapse"})
    assert (dataset.name, dataset.goal, dataset.collapse_repeats) == ("shop", 2, True)
    assert replace(dataset, behaviours=Behaviours(("listen",))).goal == 0
    assert not write(tmp_path / "kept", config={"repeats": "keep"}).collapse_repeats


def test_the_word_for_collapsed_repeats_is_the_one_that_preparation_writes():
    assert Repeats.collapse.name == COLLAPSE


def test_sessions_are_taken_in_any_order_with_what_belongs_to_them():
    base = make_sessions([[0, 1], [2], [3, 4, 5]])
    optional = {"prices": np.arange(6, dtype=np.float32), "users": np.array([7, 8, 9], np.int32)}
    taken = Sessions(base.items, base.behaviours, base.times, base.offsets, optional).take(np.array([2, 0]))
    assert taken.items.tolist() == [3, 4, 5, 0, 1]
    assert taken.offsets.tolist() == [0, 3, 5]
    assert taken.optional["prices"].tolist() == [3, 4, 5, 0, 1]
    assert taken.optional["users"].tolist() == [9, 7]
    assert taken.times.tolist() == base.times[[3, 4, 5, 0, 1]].tolist()
    assert base.ends().tolist() == base.times[[1, 2, 5]].tolist()
    assert base.take(np.zeros(0, np.int64)).offsets.tolist() == [0]


def test_what_is_learned_from_is_the_training_part_or_all_before_the_test(tmp_path):
    """Of one refit everything learns the training and the validation part; without it the training part alone."""
    dataset = write(tmp_path / "d")
    assert dataset.learned(refit=False).items.tolist() == [0, 1, 1, 2, 0]
    assert dataset.learned(refit=True).items.tolist() == [0, 1, 1, 2, 0, 2, 0]


def test_a_data_set_of_version_1_is_read_without_short_sessions(tmp_path):
    path = write(tmp_path / "d").path / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 1}))
    dataset = load_dataset(tmp_path / "d")
    assert [len(dataset.short(part)) for part in ("train", "validation", "test")] == [0, 0, 0]
    assert len(dataset.before_test()) == 3
    assert not dataset.forgets
    assert replace(dataset, validation_cases="last").forgets
    assert not write(tmp_path / "new", validation_cases="last").forgets
