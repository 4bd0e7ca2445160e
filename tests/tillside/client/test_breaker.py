"""The circuit breaker, step by step against a clock moved by hand."""

import threading

import pytest

from tillside.client import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker) -> None:
    ticket = breaker.admit()
    assert ticket is not None
    breaker.report(ticket, answered=False)


def test_it_opens_after_so_many_failures_in_a_row_and_not_before():
    breaker = Breaker(failures=3, open_seconds=5, clock=Clock())
    fail(breaker)
    fail(breaker)
    breaker.report(breaker.admit(), answered=True)  # the row is broken: counting starts anew
    fail(breaker)
    fail(breaker)
    assert breaker.admit() is not None
    fail(breaker)
    assert breaker.admit() is None


def test_after_its_time_one_request_tries_and_an_answer_closes_it():
    clock = Clock()
    breaker = Breaker(failures=1, open_seconds=5, clock=clock)
    fail(breaker)
    clock.now = 104.9
    assert breaker.admit() is None
    clock.now = 105.0
    trial = breaker.admit()
    assert trial is not None
    assert breaker.admit() is None  # one at a time
    breaker.report(trial, answered=True)
    assert breaker.admit() is not None
    assert breaker.admit() is not None


def test_a_trial_that_fails_opens_it_for_the_whole_time_again_however_many_failures_it_takes():
    clock = Clock()
    breaker = Breaker(failures=2, open_seconds=5, clock=clock)
    fail(breaker)
    fail(breaker)
    clock.now = 106.0
    fail(breaker)
    clock.now = 110.9
    assert breaker.admit() is None
    clock.now = 111.0
    assert breaker.admit() is not None


def test_a_trial_without_a_verdict_leaves_the_turn_to_the_next():
    clock = Clock()
    breaker = Breaker(failures=1, open_seconds=5, clock=clock)
    fail(breaker)
    clock.now = 105.0
    breaker.report(breaker.admit(), answered=None)
    assert breaker.admit() is not None


def test_what_was_sent_before_it_opened_has_no_say_in_it():
    clock = Clock()
    breaker = Breaker(failures=1, open_seconds=5, clock=clock)
    early, other = breaker.admit(), breaker.admit()
    fail(breaker)
    breaker.report(early, answered=True)
    assert breaker.admit() is None
    clock.now = 105.0
    trial = breaker.admit()
    breaker.report(other, answered=False)  # nor does it end the trial
    breaker.report(trial, answered=True)
    assert breaker.admit() is not None


def test_of_many_threads_one_tries():
    clock = Clock()
    breaker = Breaker(failures=1, open_seconds=5, clock=clock)
    fail(breaker)
    clock.now = 105.0
    barrier, tickets = threading.Barrier(8), []

    def admit() -> None:
        barrier.wait(30)
        tickets.append(breaker.admit())

    threads = [threading.Thread(target=admit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(ticket is not None for ticket in tickets) == 1
    assert len(tickets) == 8


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"failures": 0}, "failures must be at least 1, got 0"),
        ({"open_seconds": 0}, "open_seconds must be positive, got 0"),
        ({"open_seconds": float("nan")}, "open_seconds must be positive, got nan"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError) as caught:
        Breaker(**arguments)
    assert str(caught.value) == sentence
