"""The queue in front of the model: greedy, bounded, on time, and never stuck. A clock that the fake model moves."""

import asyncio
import socket
from dataclasses import dataclass, field

import pytest

from serving.answering.batch_queue import LARGEST_BATCH, BatchQueue, Estimate
from serving.answering.outcome import Outcome
from serving.protocol.messages import Answer


@dataclass
class FakeModel:
    """Takes so long for every batch and answers with the question itself."""

    seconds: float = 0.001
    now: float = 100.0
    batches: list[list[str]] = field(default_factory=list)
    fails: bool = False

    def clock(self) -> float:
        return self.now

    def answer_questions(self, questions):
        self.now += self.seconds
        self.batches.append(list(questions))
        if self.fails:
            raise KeyError
        return [outcome("model", None, question) for question in questions]

    def degraded(self, question, reason, *, failure=None):
        return outcome("popularity", reason, question)


def outcome(tier, reason, question) -> Outcome:
    return Outcome(Answer("", [], tier, reason, question, None, [], None, None))


def told(outcomes) -> list[tuple[str, str | None]]:
    return [(each.answer.behaviour, each.answer.degraded_reason) for each in outcomes]


def ask(model: FakeModel, rounds, *, most: int = 1000, deadline: float = 1.0, bugs: list | None = None, expect=0.0):
    """All outcomes of rounds of questions; each round is asked at once, when the one before is answered."""

    async def run():
        queue = BatchQueue(most=most, on_bug=(bugs if bugs is not None else []).append, clock=model.clock)
        queue.expect(expect)
        task = asyncio.create_task(queue.run())
        outcomes = []
        for questions in rounds:
            answers = [queue.answer(model, question, deadline_seconds=deadline) for question in questions]
            outcomes += await asyncio.wait_for(asyncio.gather(*answers), 30)
        task.cancel()
        return outcomes

    return asyncio.run(run())


def test_whoever_is_alone_waits_for_nobody():
    model = FakeModel()
    (answer,) = ask(model, [["a"]])
    assert model.batches == [["a"]]
    assert answer.queue_seconds == 0


def test_what_has_queued_is_taken_in_batches_that_grow_while_they_are_quick():
    model = FakeModel()
    outcomes = ask(model, [[f"q{number}" for number in range(200)]])
    assert [len(batch) for batch in model.batches] == [1, 2, 4, 8, 16, 32, LARGEST_BATCH, LARGEST_BATCH, 9]
    assert told(outcomes) == [(f"q{number}", None) for number in range(200)]  # each its own answer
    assert outcomes[1].queue_seconds == pytest.approx(0.001)  # one batch
    assert outcomes[126].queue_seconds == pytest.approx(0.006)


def test_batches_shrink_while_they_are_slow():
    model = FakeModel()
    ask(model, [["x"] * 15])
    assert [len(batch) for batch in model.batches] == [1, 2, 4, 8]

    class Slow(FakeModel):
        def answer_questions(self, questions):
            self.seconds = 0.008 * len(questions)  # 2 take 16 ms, 4 take 32 ms: too long for probes that wait
            return super().answer_questions(questions)

    slow = Slow()
    ask(slow, [["x"] * 20], deadline=10)
    assert max(len(batch) for batch in slow.batches) == 2


def test_a_full_queue_answers_at_once_from_the_ladder():
    model = FakeModel()
    outcomes = ask(model, [["a", "b", "c", "d"]], most=2)
    assert told(outcomes) == [("a", None), ("b", None), ("c", "queue_full"), ("d", "queue_full")]
    assert model.batches == [["a"], ["b"]]


def test_who_would_be_late_is_not_queued():
    # an answer takes 20 ms: the second waits 20 and has it after 40, the third would after 60, more than half of 100
    model = FakeModel(seconds=0.02)
    outcomes = ask(model, [["warm"], ["a", "b", "c", "d"]], deadline=0.1)
    assert told(outcomes[1:]) == [("a", None), ("b", None), ("c", "deadline"), ("d", "deadline")]


def test_who_has_become_late_in_the_queue_is_answered_by_the_ladder():
    # nothing is known yet, so all three are queued; the first takes 60 ms, and so would the second, too late for 100
    model = FakeModel(seconds=0.06)
    outcomes = ask(model, [["a", "b", "c"]], deadline=0.1)
    assert told(outcomes) == [("a", None), ("b", "deadline"), ("c", "deadline")]
    assert model.batches == [["a"]]


def test_turning_everybody_away_ends_by_itself():
    model = FakeModel(seconds=0.5)
    assert told(ask(model, [["a"], ["b"]], deadline=0.1)) == [("a", None), ("b", "deadline")]

    class Recovering(FakeModel):
        def degraded(self, question, reason, *, failure=None):
            self.now += 0.4  # time passes while nobody is let in
            self.seconds = 0.001
            return super().degraded(question, reason)

    recovering = Recovering(seconds=0.5)
    answers = told(ask(recovering, [["a"], ["b"], ["c"], ["d"], ["e"]], deadline=0.1))
    assert answers == [("a", None), ("b", "deadline"), ("c", "deadline"), ("d", "deadline"), ("e", None)]


def test_one_stall_does_not_turn_shoppers_away():
    estimate = Estimate(0.002)
    estimate.observe(5.0)
    assert estimate.seconds == pytest.approx(0.0024)  # 2 + 0.2 * (2 * 2 - 2) ms
    estimate.observe(0.0)
    assert estimate.seconds == pytest.approx(0.00192)


def test_a_bug_in_the_model_is_told_and_answered_by_the_ladder_and_the_queue_goes_on():
    model, bugs = FakeModel(fails=True), []
    assert told(ask(model, [["a"], ["b"]], bugs=bugs)) == [("a", "model_failed"), ("b", "model_failed")]
    assert [type(bug) for bug in bugs] == [KeyError, KeyError]


def test_a_bug_in_the_ladder_reaches_its_question_alone():
    class Broken(FakeModel):
        def degraded(self, question, reason, *, failure=None):
            raise ZeroDivisionError

    model = Broken(fails=True)
    with pytest.raises(ZeroDivisionError):
        ask(model, [["a"]])
    model.fails = False
    assert told(ask(model, [["b"]])) == [("b", None)]


def test_a_batch_holds_questions_of_one_bundle():
    old, new = FakeModel(), FakeModel()

    async def run():
        queue = BatchQueue(most=10, on_bug=pytest.fail, clock=old.clock)
        task = asyncio.create_task(queue.run())
        asked = [(old, "a"), (old, "b"), (old, "c"), (new, "d"), (old, "e")]
        await asyncio.gather(*(queue.answer(model, name, deadline_seconds=1) for model, name in asked))
        task.cancel()

    asyncio.run(run())
    assert [old.batches, new.batches] == [[["a"], ["b", "c"], ["e"]], [["d"]]]


def test_the_loop_turns_between_two_batches():
    """However many questions wait, a probe's turn comes after one batch."""
    model = FakeModel(seconds=0.04)  # too slow to grow: a hundred batches

    async def run():
        queue = BatchQueue(most=1000, on_bug=pytest.fail, clock=model.clock)
        task = asyncio.create_task(queue.run())
        answers = [asyncio.create_task(queue.answer(model, str(n), deadline_seconds=1000)) for n in range(100)]
        await asyncio.sleep(0)  # they queue
        for _ in range(20):  # as many turns of the loop as a probe might take
            await asyncio.sleep(0)
        done = len(model.batches)
        await asyncio.gather(*answers)
        task.cancel()
        return done

    assert 0 < asyncio.run(run()) <= 20
    assert len(model.batches) == 100


def test_what_came_while_the_loop_was_in_a_batch_has_waited_since():
    """A real socket, as the loop tells of it only after the batch; the clock stands still but for the model."""
    here, there = socket.socketpair()

    class Sending(FakeModel):
        def answer_questions(self, questions):
            here.send(b"x")
            return super().answer_questions(questions)

    model = Sending(seconds=0.03)

    async def run():
        queue = BatchQueue(most=10, on_bug=pytest.fail, clock=model.clock)
        task, read = asyncio.create_task(queue.run()), asyncio.Event()
        found = [queue.unread()]

        def readable():
            there.recv(1)
            found.extend([queue.unread(), queue.refusal(0.1), queue.refusal(0.2)])
            read.set()

        asyncio.get_running_loop().add_reader(there, readable)
        await queue.answer(model, "a", deadline_seconds=1)
        await read.wait()
        task.cancel()
        return found

    # 30 ms unread and an answer that takes 30 more are too much for 100, of which half may be used, but not for 200
    assert asyncio.run(run()) == [0.0, pytest.approx(0.03), "deadline", None]
    here.close()
    there.close()
