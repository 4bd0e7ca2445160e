"""The record of a load: what was due, taken up and answered, and how late, counted from when it was due."""

import numpy as np

from serving.bench.ledger import Ledger


def test_latency_counts_from_when_a_request_was_due_whatever_its_status():
    ledger = Ledger(np.array([0.0, 0.1, 0.2]))
    ledger.answered(0, at=0.005, status=200, tier="model")
    ledger.answered(1, at=0.3, status=503)
    ledger.failed(2, at=9.0, error="reset")
    # 5 - 0 = 5 ms and 300 - 100 = 200 ms; a reset has no latency
    assert np.round(ledger.latency_ms(), 6).tolist() == [5.0, 200.0]


def test_what_was_never_taken_up_counts_nowhere():
    ledger = Ledger(np.zeros(3))
    ledger.taken_R[0] = 0.0
    assert ledger.taken().tolist() == [True, False, False]
    assert ledger.count(ledger.error_R, ledger.taken()) == {}


def test_names_are_counted_the_most_frequent_first_without_the_empty_one():
    ledger = Ledger(np.zeros(4))
    for number, tier in enumerate(["static", "model", "model", ""]):
        ledger.answered(number, at=0.0, status=200, tier=tier)
    assert list(ledger.count(ledger.tier_R, np.ones(4, bool)).items()) == [("model", 2), ("static", 1)]


def test_undegraded_is_a_200_without_a_reason():
    ledger = Ledger(np.zeros(4))
    ledger.answered(0, at=0.0, status=200, tier="model")
    ledger.answered(1, at=0.0, status=200, tier="popularity", reason="queue")
    ledger.answered(2, at=0.0, status=422)
    ledger.failed(3, at=0.0, error="invalid-answer", status=200)
    assert ledger.undegraded().tolist() == [True, False, False, False]
