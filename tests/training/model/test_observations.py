"""What was said of questions survives a model's file and the file beside relations."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.model.observations import (
    COLUMNS,
    CONTEXT,
    Context,
    Observed,
    as_tensors,
    load_observations,
    of_tensors,
    save_observations,
)

ROWS = Observed.of(
    ("model", "series"),
    {"events_R": [7, 7], "items_R": [1, 2], "sources_R": [0, 1], "strengths_R": [0.5, 0.25], "hits_R": [True, False]},
)


def same(one: Observed, other: Observed) -> None:
    assert one.sources == other.sources
    for name, kind in COLUMNS.items():
        assert getattr(other, name).dtype == kind
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_observations_survive_a_model_s_file_of_plain_types() -> None:
    file = io.BytesIO()
    torch.save(as_tensors({"attach": ROWS}), file)
    file.seek(0)
    found = of_tensors(torch.load(file, weights_only=True))
    same(ROWS, found["attach"])
    assert len(found["attach"]) == 2


def test_observations_survive_a_file_of_their_own(tmp_path) -> None:
    save_observations(tmp_path / "observed.npz", {"attach": ROWS, "next": ROWS})
    found = load_observations(tmp_path / "observed.npz")
    assert list(found) == ["attach", "next"]
    same(ROWS, found["next"])


def test_relations_made_before_have_none_and_a_damaged_file_is_refused(tmp_path) -> None:
    assert load_observations(tmp_path / "observed.npz") == {}
    (tmp_path / "observed.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ValueError, match=r"observed\.npz cannot be read: .*; relate again"):
        load_observations(tmp_path / "observed.npz")


AROUND = Context.of(
    {
        "events_Q": [7, 9],
        "lifts_QG": [[0.0, 2.0], [0.0, -1.0]],
        "codes_N": [0, 1, 1],
        "offsets_Q": [0, 1, 3],
        "viewed_V": [2, 1, 2],
    }
)


def test_the_context_tells_of_an_item_at_its_question() -> None:
    """Items 1 and 2 are of set 1; item 2 was looked at before question 7, both before question 9."""
    lifts, viewed = AROUND.told(np.array([7, 7, 7, 9, 9]), np.array([0, 1, 2, 1, 2]))
    assert lifts.tolist() == [0, 2, 2, -1, -1]
    assert viewed.tolist() == [0, 0, 1, 1, 1]


def test_the_context_survives_a_file_beside_rows_without_one(tmp_path) -> None:
    save_observations(tmp_path / "observed.npz", {"attach": replace(ROWS, context=AROUND), "next": ROWS})
    found = load_observations(tmp_path / "observed.npz")
    assert found["next"].context is None
    context = found["attach"].context
    assert context is not None
    for name, kind in CONTEXT.items():
        assert getattr(context, name).dtype == kind
        np.testing.assert_array_equal(getattr(context, name), getattr(AROUND, name))
