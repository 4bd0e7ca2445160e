"""What long steps tell a log and a terminal, over a clock that the test turns."""

import io
import threading

import pytest

from training.cli.console import say
from training.cli.progress import REPORTER, Reporter, duration, progress, silenced, step


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def told(clock: Clock, stream: io.StringIO) -> Reporter:
    return Reporter(clock=clock, stream=lambda: stream, ticking=False)


def passing(reporter: Reporter, clock: Clock, seconds: int) -> None:
    """So many seconds, with a look at the open steps after each."""
    for _ in range(seconds):
        clock.now += 1
        reporter.tick()


def test_a_step_shorter_than_five_seconds_says_nothing(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("counting"):
        passing(reporter, clock, 4)
    assert stream.getvalue() == ""


def test_a_long_step_has_one_line_at_its_end(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("counting"):
        passing(reporter, clock, 7)
    assert stream.getvalue() == "counting: took 7 s\n"


def test_every_ten_seconds_a_line_says_how_far_it_is_and_how_long_it_still_takes(clock):
    """At 10 s 2 of 8 units are done, so 6 more take 30 s; at 20 s 4 of 8, so 20 s are left."""
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("counting", 8) as counting:
        for _ in range(4):
            passing(reporter, clock, 4)
            counting.advance()
            passing(reporter, clock, 1)
        passing(reporter, clock, 1)
    assert stream.getvalue().splitlines() == [
        "counting: 25%, 10 s so far, about 30 s left",
        "counting: 50%, 20 s so far, about 20 s left",
        "counting: took 21 s",
    ]


def test_many_short_steps_do_not_add_up_to_silence(clock):
    """12 steps of 4 s: lines at 10, 20, 30 and 40 s."""
    stream = io.StringIO()
    reporter = told(clock, stream)
    for number in range(12):
        with reporter.step(f"step {number}"):
            passing(reporter, clock, 4)
    assert [line.partition(":")[0] for line in stream.getvalue().splitlines()] == [
        "step 2",
        "step 4",
        "step 7",
        "step 9",
    ]


def test_an_inner_step_refines_the_outer_one(clock):
    """1 of 2 units and half of the next, in 12 s: three quarters, so 4 s are left."""
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("judging", 2) as judging:
        clock.now += 8
        judging.advance(part="rival")
        with reporter.step("ranking", 10) as ranking:
            ranking.advance(5)
            clock.now += 4
            reporter.tick()
    assert stream.getvalue().splitlines()[0] == "judging (rival): 75%, 12 s so far, about 4 s left"


def test_parts_weigh_as_much_as_they_are(clock):
    """30 of 100 units are done, and half of a part of 60."""
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("judging", 100) as judging:
        judging.advance(30)
        judging.weight = 60
        with reporter.step("ranking", 4) as ranking:
            ranking.advance(2)
            clock.now += 12
            reporter.tick()
    assert stream.getvalue().startswith("judging (ranking): 60%, 12 s so far, about 8 s left")


def test_what_was_done_before_makes_nothing_faster(clock):
    """A resumed run: from 6 to 8 of 10 in 10 s, so the last 2 take 10 s more."""
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("training", 10, done=6) as training:
        training.advance(2)
        passing(reporter, clock, 10)
    assert stream.getvalue().startswith("training: 80%, 10 s so far, about 10 s left")


def test_rows_of_an_unknown_number_are_told_with_their_rate(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("reading rows", unit="rows") as reading:
        reading.advance(50_000)
        passing(reporter, clock, 10)
    assert stream.getvalue().splitlines() == [
        "reading rows: 50,000 rows, 5,000 a second, 10 s so far",
        "reading rows: 50,000 rows in 10 s",
    ]


def test_a_library_that_knows_how_far_it_is_gets_asked(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("a query", 1, ask=lambda: 0.5):
        passing(reporter, clock, 10)
    assert stream.getvalue().startswith("a query: 50%, 10 s so far, about 10 s left")


def test_what_else_is_printed_breaks_the_silence(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)
    with reporter.step("training"):
        passing(reporter, clock, 9)
        with reporter.aside():
            stream.write("epoch 1\n")
        passing(reporter, clock, 9)
        assert stream.getvalue() == "epoch 1\n"


def test_a_step_that_fails_has_no_line_at_its_end(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)

    def failing() -> None:
        with reporter.step("counting"):
            passing(reporter, clock, 7)
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        failing()
    passing(reporter, clock, 20)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK"])
def test_only_rank_0_speaks(clock, monkeypatch, name):
    for rank, lines in (("1", 0), ("0", 2)):
        monkeypatch.setenv(name, rank)
        stream = io.StringIO()
        reporter = told(clock, stream)
        with reporter.step("training"):
            passing(reporter, clock, 10)
        assert len(stream.getvalue().splitlines()) == lines


def test_another_threads_steps_do_not_mix_with_ours(clock):
    stream = io.StringIO()
    reporter = told(clock, stream)

    def other() -> None:
        with reporter.step("of a worker", 2) as worker:
            worker.advance()

    with reporter.step("ours"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        passing(reporter, clock, 10)
    assert stream.getvalue().startswith("ours: 10 s so far\n")


def test_a_stream_that_nobody_reads_any_more_does_not_end_the_work(clock):
    stream = io.StringIO()
    stream.close()
    reporter = Reporter(clock=clock, stream=lambda: stream, ticking=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Reporter, "live", False)
        with reporter.step("counting"):
            passing(reporter, clock, 12)


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(clock):
    stream = Terminal()
    reporter = told(clock, stream)
    with reporter.step("counting [b]", 4) as counting:
        counting.advance()
        passing(reporter, clock, 6)
        shown = stream.getvalue()
        assert "counting [b]" in shown
        assert "about 18 s left" in shown
        with reporter.aside():
            assert stream.getvalue().endswith("\x1b[2K")  # the line of the bar is erased
    assert stream.getvalue().endswith("\x1b[2K")
    assert "took" not in stream.getvalue()


def test_silence_can_be_asked_for(monkeypatch, clock):
    stream = io.StringIO()
    monkeypatch.setattr(REPORTER, "clock", clock)
    monkeypatch.setattr(REPORTER, "stream", lambda: stream)
    with silenced(), step("training"):
        passing(REPORTER, clock, 30)
    with silenced(False), step("training"):
        clock.now += 7
    assert stream.getvalue() == "training: took 7 s\n"


def test_what_is_gone_through_is_handed_on(monkeypatch, clock, capsys):
    stream = io.StringIO()
    monkeypatch.setattr(REPORTER, "clock", clock)
    monkeypatch.setattr(REPORTER, "stream", lambda: stream)
    say("begun")
    seen = []
    for item in progress("abcd", "spelling"):
        seen.append(item)
        passing(REPORTER, clock, 4)
    assert seen == list("abcd")
    assert stream.getvalue().splitlines() == [  # after 12 s three are begun and two done
        "spelling: 50%, 10 s so far, about 10 s left",
        "spelling: took 16 s",
    ]


def test_left_early_a_step_is_over(monkeypatch, clock):
    monkeypatch.setattr(REPORTER, "clock", clock)
    for item in progress("abcd", "spelling"):
        if item == "b":
            break
    assert REPORTER._open == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (5340, "89 min"), (7260, "2 h 1 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
    assert duration(100, exact=True) == "1 min 40 s"
