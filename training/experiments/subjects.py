"""Subjects of an experiment, from the tables that ``training.measure`` joins: who is in which arm, and their sums.

One row a subject comes out, so all that follows works on arrays. A subject that was answered by two arms is left out
and counted: nobody can say whose effect it carries. Times are UTC milliseconds.

Shapes: S subjects, A arms, T days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from tillside.experiments.assignment import JOIN
from tillside.experiments.terms import HOLDOUT
from tillside.policy.file.values import DAY_MS
from training.data.engine import QueryEngine
from training.experiments.metrics import BEFORE, SUMS
from training.experiments.statistics import Floats

ANSWERS: Final = "answers"
OUTCOMES: Final = "outcomes"
ORDERS: Final = "orders"
LINES: Final = "lines"
SHOWN: Final = "shown"
"""The holdout's counterpart: everybody else."""


@dataclass(frozen=True)
class Subjects:
    """Subjects and what they did.

    Attributes:
        arms: names, the control first.
        arm_S: row of each subject's arm in ``arms``.
        anonymous_S: whether the subject is a session without a shopper's key.
        first_S: time of its first answer in the experiment.
        sums: columns of :data:`training.experiments.metrics.SUMS`, and those of the time before.
        moved: subjects of two arms, left out.
        strangers: subjects of an arm that the file does not name, left out.
    """

    arms: tuple[str, ...]
    arm_S: npt.NDArray[np.int64]
    anonymous_S: npt.NDArray[np.bool_]
    first_S: npt.NDArray[np.int64]
    sums: Mapping[str, Floats]
    moved: int = 0
    strangers: int = 0

    def __len__(self) -> int:
        return len(self.arm_S)

    def only(self, rows_S: npt.NDArray[np.bool_]) -> "Subjects":
        """Some of them."""
        sums = {name: column[rows_S] for name, column in self.sums.items()}
        return Subjects(self.arms, self.arm_S[rows_S], self.anonymous_S[rows_S], self.first_S[rows_S], sums)

    def counts_A(self) -> npt.NDArray[np.int64]:  # noqa: N802
        """Subjects by arm [A]."""
        return np.bincount(self.arm_S, minlength=len(self.arms)).astype(np.int64)

    def counts_TA(self, since_ms: int) -> npt.NDArray[np.int64]:  # noqa: N802
        """Subjects by arm after each day since ``since_ms``, cumulative [T, A]; no day without any subject."""
        if not len(self):
            return np.zeros((0, len(self.arms)), np.int64)
        day_S = (self.first_S - since_ms) // DAY_MS
        counts_TA = np.zeros((int(day_S.max()) + 1, len(self.arms)), np.int64)
        np.add.at(counts_TA, (day_S, self.arm_S), 1)
        found: npt.NDArray[np.int64] = counts_TA.cumsum(0)
        return found


def measured(engine: QueryEngine, folder: Path, name: str) -> ir.Table:
    """A table that ``training.measure`` wrote into a folder; None if there are no rows of it."""
    paths = sorted((folder / name).rglob("*.parquet"))
    return engine.parquet(paths) if paths else None


class MeasuredTables:
    """The tables of one folder that ``training.measure`` wrote.

    Raises:
        ValueError: the folder lacks the answers or the orders.
    """

    def __init__(self, engine: QueryEngine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._answers = measured(self._engine, self._folder, ANSWERS)
        for name in (ANSWERS, ORDERS):
            if not list((folder / name).rglob("*.parquet")):
                raise ValueError(
                    f"{folder} has no {name}/*.parquet; python -m training.measure feedback=DIR out={folder} makes them"
                )

    def last_ms(self) -> int:
        """Time of the last answer."""
        [row] = self._engine.rows(self._answers.agg(last=self._answers.time.max()))
        return int(row["last"])

    def first_ms(self) -> int:
        """Time of the first answer."""
        [row] = self._engine.rows(self._answers.agg(first=self._answers.time.min()))
        return int(row["first"])

    def subjects(
        self,
        name: str | None,
        *,
        arms: Sequence[str] = (SHOWN,),
        placements: Sequence[str] = (),
        since_ms: int,
        until_ms: int,
        before_days: int,
    ) -> Subjects:
        """Subjects that were answered from ``since_ms`` to before ``until_ms``.

        Args:
            name: of the experiment; ``holdout`` for the holdout against all others, None for all in one arm.
            placements: whose answers count; all if empty.
        """
        found = self._answers.filter((self._answers.time >= since_ms) & (self._answers.time < until_ms))
        if placements:
            found = found.filter(found.placement.isin(list(placements)))
        found = found.mutate(own_arm=arm_in(found, name))
        found = found.filter(found.own_arm.notnull())
        by_subject = self._engine.keep(
            found.group_by("subject").agg(
                arms=found.own_arm.nunique(),
                arm=found.own_arm.min(),
                anonymous=found.anonymous.min(),
                first=found.time.min(),
                answers=found.count(),
                degraded=(found.tier != "model").sum(),
            )
        )
        [told] = self._engine.rows(by_subject.agg(moved=(by_subject.arms > 1).sum()))
        kept = by_subject.filter((by_subject.arms == 1) & by_subject.arm.isin(list(arms)))
        [all_kept] = self._engine.rows(by_subject.filter(by_subject.arms == 1).count().name("n").as_table())
        table = kept
        for other in (
            self._seen(found),
            self._anchored(found, until_ms),
            self._bought(kept, since_ms, until_ms, before_days),
        ):
            if other is not None:
                table = table.left_join(other, "subject", rname="{name}_again").drop("subject_again")
        columns = self._engine.backend.to_pyarrow(table.order_by("subject"))
        place = {arm: row for row, arm in enumerate(arms)}
        rows = columns.num_rows
        sums = {}
        for each in (*SUMS, *(one + BEFORE for one in ("revenue", "orders", "lines"))):
            column = columns[each].fill_null(0).to_numpy() if each in columns.column_names else np.zeros(rows)
            sums[each] = np.asarray(column, np.float64)
        sums["converted"] = (sums["orders"] > 0).astype(float)
        sums["converted" + BEFORE] = (sums["orders" + BEFORE] > 0).astype(float)
        return Subjects(
            tuple(arms),
            np.array([place[arm] for arm in columns["arm"].to_pylist()], np.int64),
            np.asarray(columns["anonymous"].to_numpy(zero_copy_only=False), bool),
            np.asarray(columns["first"].to_numpy(), np.int64),
            sums,
            moved=int(told["moved"] or 0),
            strangers=int(all_kept["n"]) - rows,
        )

    def _seen(self, answers: ir.Table) -> ir.Table | None:
        """What came of the slots of these answers, by subject."""
        slots = measured(self._engine, self._folder, OUTCOMES)
        if slots is None:
            return None
        slots = slots.semi_join(answers, "recommendation_id")
        return slots.group_by("subject").agg(
            seen=(slots.seen | slots.clicked).sum(),
            clicks=slots.clicked.sum(),
            carts=slots.carted.sum(),
            bought=slots.bought.sum(),
            dismissed=slots.dismissed.notnull().sum(),
        )

    def _anchored(self, answers: ir.Table, until_ms: int) -> ir.Table | None:
        """Anchors shown something with, by subject, and how many of them the subject then bought."""
        slots, lines = measured(self._engine, self._folder, OUTCOMES), measured(self._engine, self._folder, LINES)
        if slots is None or lines is None:
            return None
        slots = slots.semi_join(answers, "recommendation_id")
        return anchored(slots, lines.filter(lines.time < until_ms))

    def _bought(self, subjects: ir.Table, since_ms: int, until_ms: int, before_days: int) -> ir.Table:
        """Orders by subject: from its first answer on, and in the days before ``since_ms``."""
        orders = measured(self._engine, self._folder, ORDERS)
        orders = orders.join(subjects.select("subject", "first"), "subject")
        orders = orders.mutate(net=orders.value - orders.returned_value)
        within = (orders.time >= orders.first) & (orders.time < until_ms)
        before = (orders.time >= since_ms - before_days * DAY_MS) & (orders.time < since_ms)
        sums: dict[str, Any] = {}
        for suffix, when in (("", within), (BEFORE, before)):
            sums["revenue" + suffix] = orders.net.sum(where=when)
            sums["orders" + suffix] = orders.count(where=when)
            sums["lines" + suffix] = orders.lines.sum(where=when)
        return orders.group_by("subject").agg(**sums)


def anchored(slots: ir.Table, lines: ir.Table, *, by: Sequence[str] = ("subject",)) -> ir.Table:
    """Main items that something was shown with (``anchored``), and how many of them the subject bought afterwards
    (``anchor_bought``): what recommendations must not take away.

    Args:
        slots: outcomes.
        lines: of orders, one row an order's item.
        by: columns of the slots, the subject among them.
    """
    known = slots.filter(slots.anchor.notnull())
    shown = known.group_by(*by, item=known.anchor).agg(shown=known.time.min())
    sold = lines.group_by("subject", "item").agg(sold=lines.time.max())
    both = shown.left_join(sold, ["subject", "item"], rname="{name}_again")
    bought = (both.sold >= both.shown).fill_null(False)
    return both.group_by(list(by)).agg(anchored=both.count(), anchor_bought=bought.cast("int64").sum())


def arm_in(answers: ir.Table, name: str | None) -> ir.Value:
    """The arm of each answer in an experiment; null where it is in none."""
    if name is None:
        return ibis.literal(SHOWN)
    if name == HOLDOUT:
        return ibis.ifelse((answers.experiment == HOLDOUT).fill_null(False), HOLDOUT, SHOWN)
    names, arms = answers.experiment.split(JOIN), answers.arm.split(JOIN)
    place = names.index(name)
    return ibis.ifelse(place >= 0, arms[place], ibis.null("string"))
