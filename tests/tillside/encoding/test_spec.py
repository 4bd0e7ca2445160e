"""Buckets of time, and settings that a bundle stores."""

from dataclasses import replace

import numpy as np
import pytest

from tillside.encoding.spec import EncodingSpec, gap_bucket, gap_buckets
from tillside.events import TIME_UNKNOWN


def test_gap_buckets_by_hand():
    spec = EncodingSpec(gap_edges_ms=(1000, 2000))
    times = np.array([0, 999, 1999, 2500, 4500, 4000, TIME_UNKNOWN, 9000, 9000])
    # first; 999; 1000; 501; 2000; a step back counts as 0; no clock; no clock before it; 0
    assert gap_buckets(times, spec=spec).tolist() == [0, 1, 2, 1, 3, 1, 0, 0, 1]
    pairs = zip(times.tolist(), times.tolist()[1:], strict=False)
    assert [gap_bucket(before, time, spec) for before, time in pairs] == [1, 2, 1, 3, 1, 0, 0, 1]
    assert spec.gap_buckets == 4


def test_every_bucket_can_occur_and_no_other():
    spec = EncodingSpec()
    assert spec.gap_buckets == 23  # 21 edges, one bucket more than edges, and the unknown one
    times = np.cumsum([0, 0, *spec.gap_edges_ms, 10**12])
    assert set(gap_buckets(times, spec=spec).tolist()) == set(range(spec.gap_buckets))
    assert spec.gap_edges_ms[0] == 1000
    assert spec.gap_edges_ms[-1] == pytest.approx(12 * 86_400_000, rel=0.02)


def test_a_spec_goes_through_its_document():
    spec = EncodingSpec(7, (5, 10), True, 3)
    assert EncodingSpec.from_document(spec.document()) == spec
    before_history = {name: value for name, value in spec.document().items() if name != "history"}
    assert EncodingSpec.from_document(before_history).history == 0
    before_counts = {name: value for name, value in spec.document().items() if name != "count_all"}
    assert EncodingSpec.from_document(before_counts) == replace(spec, count_all=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((0,), "max_length must be at least 1, got 0"), ((5, (2, 1)), "must ascend"), ((5, (1, 1)), "must ascend")],
)
def test_a_spec_that_makes_no_sense_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        EncodingSpec(*arguments)
