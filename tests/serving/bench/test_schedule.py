"""When requests are due, which connection they take, and what a stall costs, all with a clock that is a number."""

import numpy as np
import pytest

from serving.bench.ledger import Ledger
from serving.bench.load import Dispatcher
from serving.bench.schedule import due_times
from serving.bench.summary import Summary


def rng():
    return np.random.default_rng(0)


def test_constant_arrivals_are_evenly_spaced_and_end_before_the_time_does():
    assert due_times(4, seconds=1.0, arrivals="constant", rng=rng()).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert due_times(4, seconds=0.6, arrivals="constant", rng=rng()).tolist() == [0.0, 0.25, 0.5]


def test_poisson_arrivals_have_the_rate_and_gaps_as_wide_as_their_mean():
    times = due_times(100, seconds=100, arrivals="poisson", rng=rng())
    # 10,000 are expected, with a standard deviation of 100; gaps of a Poisson process deviate by their own mean
    assert abs(len(times) - 10_000) < 400
    assert (np.diff(times) >= 0).all()
    assert times[-1] < 100
    assert np.std(np.diff(times)) == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(("rate", "seconds", "named"), [(0, 1, "rate"), (1, 0, "seconds"), (float("nan"), 1, "rate")])
def test_a_rate_or_time_that_is_not_above_zero_is_refused(rate, seconds, named):
    with pytest.raises(ValueError, match=f"^{named} must be above 0"):
        due_times(rate, seconds=seconds, arrivals="poisson", rng=rng())


def stall(ledger, connections):
    """A server that answers in 0 s, but hangs from 0.1 s to 1.1 s; requests are due every 0.1 s."""
    sent = []
    dispatcher = Dispatcher(
        ledger, list(range(connections)), lambda connection, request: sent.append((connection, request))
    )
    for tick in range(11):
        now = round(tick * 0.1, 1)
        dispatcher.wake(now)
        if now < 0.1:  # the first one is answered at once
            answer(ledger, dispatcher, sent, now)
    while sent:
        answer(ledger, dispatcher, sent, 1.1)
    return dispatcher


def answer(ledger, dispatcher, sent, now):
    connection, request = sent.pop(0)
    ledger.answered(request, at=now, status=200, tier="model")
    dispatcher.release(connection, now)


@pytest.mark.parametrize("connections", [1, 3, 20])
def test_a_stall_costs_every_request_that_was_due_in_it(connections):
    """Coordinated omission: a generator that counts from sending would report one slow request of eleven."""
    ledger = Ledger(np.arange(11) / 10)
    dispatcher = stall(ledger, connections)
    # due at 0.0: 0 ms. Due at 0.1, 0.2, ... 1.0, all answered at 1.1: 1000, 900, ... 100 ms, however many connections
    assert np.round(ledger.latency_ms()).tolist() == [0, 1000, 900, 800, 700, 600, 500, 400, 300, 200, 100]
    summary = Summary.of(ledger, rate=10, seconds=1.1)
    assert round(summary.latency_ms["p50_ms"]) == 500  # the 6th smallest of 11: 0, 100, ... 500
    assert round(summary.latency_ms["p99_ms"]) == 1000
    assert summary.waited == max(0, 10 - connections)  # the stalled ones that found no connection free
    assert not dispatcher.busy


def test_the_generators_own_lateness_is_told_from_the_servers():
    ledger = Ledger(np.array([0.0, 0.1, 0.2, 0.3]))
    sent = []
    dispatcher = Dispatcher(ledger, [0, 1, 2, 3], lambda connection, request: sent.append((connection, request)))
    assert dispatcher.wake(0.0) == 0.1
    assert dispatcher.wake(0.29) == 0.3  # it overslept: 190 and 90 ms
    assert dispatcher.wake(0.3) is None
    while sent:
        answer(ledger, dispatcher, sent, 0.3)
    summary = Summary.of(ledger, rate=10, seconds=0.4)
    assert round(summary.late_ms["max_ms"]) == 190
    assert not summary.kept_schedule()
    assert summary.waited == 0


def test_the_connection_that_was_free_for_longest_is_taken_first():
    ledger = Ledger(np.zeros(4))
    taken = []
    dispatcher = Dispatcher(ledger, ["a", "b"], lambda connection, request: taken.append((connection, request)))
    dispatcher.wake(0.0)
    dispatcher.release("b", 0.1)
    dispatcher.release("a", 0.2)
    assert taken == [("a", 0), ("b", 1), ("b", 2), ("a", 3)]
    assert ledger.sent_R.tolist() == [0.0, 0.0, 0.1, 0.2]


def test_waiting_requests_are_given_up_and_a_stopped_load_takes_up_no_more():
    ledger = Ledger(np.array([0.0, 0.1, 0.2, 5.0]))
    dispatcher = Dispatcher(ledger, ["a"], lambda connection, request: None)
    dispatcher.wake(0.2)
    dispatcher.give_up(1.15, due_before=0.15)
    assert ledger.count(ledger.error_R, ledger.taken()) == {"timeout": 1}
    dispatcher.stop()
    dispatcher.release("a", 1.2)  # request 2 goes out, request 3 never does
    assert not dispatcher.busy
    assert dispatcher.wake(9.0) is None
    assert ledger.taken().tolist() == [True, True, True, False]
    assert Summary.of(ledger, rate=1, seconds=1).requests == 3
