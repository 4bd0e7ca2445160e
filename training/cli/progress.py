"""Progress of long steps on stderr: a live bar on a terminal, else plain lines, so that no log falls silent.

Work opens steps, which may nest, by :func:`step` and :func:`progress`; the inner step refines the share done of the
outer one, and a line or the bar is about the outermost. Surprising: a step never prints when it advances. A thread
looks at what is open, so that a step speaks even while it waits in a library, and advancing costs an addition. Silent
in every process but rank 0 of torchrun or a cluster, and within :func:`silenced`.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TextIO, TypeVar

T = TypeVar("T")
LONG_SECONDS: Final = 5.0
"""A step from this length on has a line at its end."""
SILENCE_SECONDS: Final = 10.0
"""Nothing printed for so long: a line says what is being done."""
BAR_SECONDS: Final = 0.5
"""The bar of a shorter step would only flicker."""
LEAST_SHARE: Final = 0.02
"""Below this share done, an estimate of the rest would be a guess."""
RANKS: Final = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Environment variables that tell a process's rank; the first that is set counts, as in Lightning."""


@dataclass(eq=False)
class Step:
    """Work that may take long.

    Attributes:
        total: number of units it consists of; None where that is not known.
        unit: plural noun of what is counted, shown with its rate; None: only the share done is shown.
        part: label of what it does at the moment.
        ask: tells the share of the current part that is done, or None; called from another thread.
        weight: units that the current part consists of.
    """

    what: str
    total: float | None = None
    unit: str | None = None
    part: str | None = None
    done: float = 0.0
    began: float = 0.0
    before: float = 0.0
    ask: Callable[[], float | None] | None = None
    weight: float = 1.0
    within: float = field(default=0.0, repr=False)
    """Share of the current part that is done, unless an inner step knows better."""

    def advance(self, units: float = 1, part: str | None = None) -> None:
        """Count units as done; ``part`` labels what comes next."""
        self.done += units
        self.within, self.weight = 0.0, 1.0
        if part is not None:
            self.part = part

    def begin(self, part: str) -> None:
        """Begin the next part; the one before, if any, is one unit done."""
        self.advance(self.part is not None, part)


class Reporter:
    """What is open, and what was printed when.

    Args:
        clock: returns seconds.
        stream: what is printed to, asked for each line; default: stderr of that moment.
        ticking: whether a thread looks at the open steps; without, only calls of :meth:`tick` do.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        stream: Callable[[], TextIO] = lambda: sys.stderr,
        ticking: bool = True,
    ) -> None:
        self.clock, self.stream, self.ticking = clock, stream, ticking
        self.muted = 0
        self._open: list[Step] = []
        self._spoke = clock()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._owner, self._bar = 0, None

    @contextlib.contextmanager
    def step(
        self,
        what: str,
        total: float | None = None,
        *,
        unit: str | None = None,
        done: float = 0.0,
        ask: Callable[[], float | None] | None = None,
    ) -> Iterator[Step]:
        """A step that lasts as long as the block; ``done`` of its units were done before."""
        opened = Step(what, total, unit, done=done, began=self.clock(), before=done, ask=ask)
        with self._lock:
            ours = not self._open or threading.get_ident() == self._owner  # another thread's steps would mix with ours
            if ours:
                self._owner = threading.get_ident()
                self._open.append(opened)
                if len(self._open) == 1:
                    self._watch()
        try:
            yield opened
        except BaseException:
            self._close(opened, failed=True)
            raise
        self._close(opened)

    def tick(self) -> None:
        """Look at the open steps: redraw the bar, or print a line if nothing was printed for SILENCE_SECONDS."""
        with self._lock:
            now = self.clock()
            if not self._open or self.silent:
                return
            if self.live:
                if self._bar is not None or now - self._open[0].began >= BAR_SECONDS:
                    self._draw(now)
            elif now - self._spoke >= SILENCE_SECONDS:
                self._print(self.sentence(now))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Print something else within the block: the bar is gone, and the silence is broken."""
        with self._lock:
            self._erase()
            try:
                yield
            finally:
                self._spoke = self.clock()

    @property
    def silent(self) -> bool:
        """Whether nothing may be printed."""
        rank = next((os.environ[name] for name in RANKS if name in os.environ), "0")
        return self.muted > 0 or rank != "0"

    @property
    def live(self) -> bool:
        """Whether a bar can be drawn."""
        return self.stream().isatty() and os.environ.get("TERM") != "dumb"

    def sentence(self, now: float) -> str:
        """What is being done, how far it is, and how long it may still take."""
        label, told, share, _ = self._state(now)
        percent = [] if share is None else [f"{share:.0%}"]
        return f"{label}: {', '.join([*percent, *told])}"

    def _state(self, now: float) -> tuple[str, list[str], float | None, float]:
        """Label, figures in words, share done and seconds so far of the outermost step whose share is known, else of
        the outermost."""
        shares: list[float | None] = []
        inner: float | None = None
        for each in reversed(self._open):
            if each.ask is not None:
                inner = each.ask()
            if each.total:
                each.within = max(each.within, min(inner or 0.0, 1.0))
                inner = min((each.done + each.within * each.weight) / each.total, 1.0)
            else:
                inner = None
            shares.insert(0, inner)
        place = next((place for place, share in enumerate(shares) if share is not None), 0)
        chosen, share = self._open[place], shares[place]
        parts = [step.part or step.what for step in self._open[1:]]
        detail = self._open[0].part or (parts[0] if parts else None)
        label = self._open[0].what + (f" ({detail})" if detail else "")
        seconds, told = now - chosen.began, []
        if chosen.unit is not None and chosen.done:
            rate = (chosen.done - chosen.before) / max(seconds, 1e-9)
            told.append(f"{chosen.done:,.0f} {chosen.unit}, {rate:,.0f} a second")
        told.append(f"{duration(seconds, exact=True)} so far")
        if share is not None and chosen.total:
            begun = chosen.before / chosen.total
            if share - begun >= LEAST_SHARE:
                told.append(f"about {duration(seconds * (1 - share) / (share - begun))} left")
        return label, told, share, seconds

    def _close(self, closed: Step, *, failed: bool = False) -> None:
        thread = None
        with self._lock:
            if closed not in self._open:
                return
            outermost = closed is self._open[0]
            del self._open[self._open.index(closed) :]
            if outermost:
                self._over.set()
                thread, self._thread = self._thread, None
                self._erase()
                seconds = self.clock() - closed.began
                if not failed and seconds >= LONG_SECONDS and not self.silent and not self.live:
                    counted = f"{closed.done:,.0f} {closed.unit} in " if closed.unit and closed.done else "took "
                    self._print(f"{closed.what}: {counted}{duration(seconds, exact=True)}")
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        if not self.ticking or self.silent:
            return
        over = self._over = threading.Event()
        pause = 0.2 if self.live else 1.0

        def watch() -> None:
            while not over.wait(pause):
                self.tick()

        self._thread = threading.Thread(target=watch, name="progress", daemon=True)
        self._thread.start()

    def _print(self, sentence: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads stderr any more: no reason to end the work
            print(sentence, file=self.stream(), flush=True)
        self._spoke = self.clock()

    def _draw(self, now: float) -> None:
        from rich.console import Console  # lazy: a terminal only
        from rich.progress import BarColumn, Progress, TextColumn

        label, told, share, _ = self._state(now)
        if self._bar is None:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(24), TextColumn("{task.fields[told]}"))
            console = Console(file=self.stream(), highlight=False)
            bar: Any = Progress(
                *columns,
                console=console,
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            bar.add_task(label, total=1.0, told="")
            bar.start()
            self._bar = bar
        task = self._bar.task_ids[0]
        self._bar.update(task, description=label, total=None if share is None else 1.0, completed=share or 0.0)
        self._bar.update(task, told=", ".join(told), refresh=True)

    def _erase(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


REPORTER: Final = Reporter()
"""The process's own."""


def step(
    what: str,
    total: float | None = None,
    *,
    unit: str | None = None,
    done: float = 0.0,
    ask: Callable[[], float | None] | None = None,
) -> contextlib.AbstractContextManager[Step]:
    """A step of the process that lasts as long as the block; see :class:`Step`."""
    return REPORTER.step(what, total, unit=unit, done=done, ask=ask)


def progress(iterable: Iterable[T], what: str, total: float | None = None, *, unit: str | None = None) -> Iterator[T]:
    """The items of ``iterable``, one unit of a step each; ``total`` defaults to its length, if it has one."""
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)
    with step(what, total, unit=unit) as opened:
        for item in iterable:
            yield item
            opened.advance()


@contextlib.contextmanager
def silenced(silent: bool = True) -> Iterator[None]:
    """Nothing about progress is printed within the block, if ``silent``."""
    REPORTER.muted += silent
    try:
        yield
    finally:
        REPORTER.muted -= silent


def duration(seconds: float, *, exact: bool = False) -> str:
    """Seconds in words: as coarse as an estimate deserves, or ``exact`` to the second."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if exact and seconds < 5400:
        return f"{int(seconds) // 60} min {int(seconds) % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
