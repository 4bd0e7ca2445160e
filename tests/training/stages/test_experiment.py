"""The command for experiments: mistakes by line, a plan by weeks, and a reading that ends in one sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.feedback_logs import MINUTE, NOON, event, exposure, order, settings, write
from tests.measured import write_measured
from tillside.experiments.assignment import assign
from tillside.experiments.reader import parse_experiments
from tillside.policy.file.values import DAY_MS
from training.data.engine import open_engine
from training.experiments.reading import starts_ms
from training.experiments.subjects import MeasuredTables
from training.feedback.joining import join
from training.settings.experiment import Action, ExperimentConfig
from training.stages.experiment import all_of, run

FILE = """\
holdout: {share: 0.1, from: 2026-11-02}
experiments:
  slots:
    from: 2026-11-02
    until: 2026-11-16
    placements: [cart]
    arms:
      eight: {share: 0.5}
      four: {share: 0.5, policy: {placements: {cart: {slots: 4}}}}
    read: {goal: revenue, also: [orders], guardrails: {}, cuped: false, smallest_effect: 0.2}
"""
POLICY = "placements: {cart: {sources: {complement: 1}, slots: 8}}\n"
SHOPPERS = 1200


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weeks in which arm four spends half as much again, and the holdout half of the others."""
    folder = tmp_path_factory.mktemp("shop")
    file, rng = parse_experiments(FILE), np.random.default_rng(11)
    since = starts_ms(file.experiments["slots"].since, 0)  # type: ignore[arg-type]
    answers, orders = [], []
    for number in range(SHOPPERS):
        key, day = f"shopper-{number}", int(rng.integers(0, 14))
        time = since + day * DAY_MS + 3_600_000
        found = assign(file, shopper=key, session=None, placement="cart", now_ms=time)
        more = {"subject": key, "time": time, "experiment": found.experiment, "arm": found.arm}
        answers.append({"recommendation_id": f"r{number}", **more})
        value = rng.gamma(4, 10) * (0.5 if found.held_out else 1.5 if found.arm == "four" else 1)
        orders.append({"order_id": f"o{number}", "subject": key, "time": time + 1000, "value": float(value)})
    answers.append({"recommendation_id": "last", "subject": "last", "time": since + 14 * DAY_MS - 1})
    write_measured(folder / "measured", answers=answers, orders=orders)
    (folder / "trial.yaml").write_text(FILE, encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return folder


def config(shop: Path, do: Action, **more: object) -> ExperimentConfig:
    given = {"measured": str(shop / "measured")} if do is not Action.check else {}
    return ExperimentConfig(do=do, experiments=str(shop / "trial.yaml"), **(given | more))  # type: ignore[arg-type]


def test_a_reading_ends_with_a_verdict(shop: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(config(shop, Action.read, out=str(tmp_path / "found.json")))
    told = capsys.readouterr().out
    assert "four is better than eight: revenue +" in told
    assert "shown is better than holdout: revenue +" in told
    slots, holdout = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert (slots["name"], slots["verdict"]["word"], slots["verdict"]["arm"]) == ("slots", "better", "four")
    effect = slots["findings"][0]["effect"]
    assert effect["relative_low"] < 0.5 < effect["relative_high"]
    assert sum(slots["counts"].values()) + holdout["counts"]["holdout"] == SHOPPERS
    assert holdout["findings"][0]["adjusted"] is None  # it has no end, so it is read as one that runs


def test_a_plan_says_how_many_weeks(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(config(shop, Action.plan, name="slots"))
    told = capsys.readouterr().out
    assert "slots: revenue, power 80%, alpha 0.05" in told
    assert "slots: 1 week will find 20.0%" in told


def test_a_check_lays_arms_over_the_policy(shop: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(config(shop, Action.check, policy=str(shop / "policy.yaml")))
    assert "no mistakes; 1 experiments: slots, 10.0% held out" in capsys.readouterr().out
    (tmp_path / "other.yaml").write_text(POLICY.replace("cart", "page"), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        run(config(shop, Action.check, policy=str(tmp_path / "other.yaml")))
    assert ended.value.code == 1
    assert "trial.yaml:9: placements.cart.sources: is missing" in capsys.readouterr().out


def test_the_holdout_is_read_by_what_it_has_too(shop: Path) -> None:
    holdout = all_of(parse_experiments(FILE))["holdout"]
    assert (holdout.control, holdout.arms["shown"].share) == ("holdout", 0.9)
    assert "click_rate" not in holdout.read.also


def test_what_is_not_there_is_refused(shop: Path) -> None:
    with pytest.raises(ValueError, match="name must be one of slots, holdout, got 'slotz'"):
        run(config(shop, Action.read, name="slotz"))
    (shop / "sessions.yaml").write_text(f"unit: session\n{FILE}", encoding="utf-8")
    with pytest.raises(ValueError, match="unit: session is answered by, but not planned or read"):
        run(ExperimentConfig(experiments=str(shop / "sessions.yaml"), measured=str(shop / "measured")))
    with pytest.raises(ValueError, match="measured must be given, as measured=DIR"):
        ExperimentConfig(experiments="trial.yaml")


def test_what_measure_joins_is_read(tmp_path: Path) -> None:
    """From the server's and the collector's segments to sums: ann was shown a case for the phone, clicked it and bought
    both; held-out bob was shown nothing and bought one thing. The names of tables and columns are the same."""
    held = {"shopper": "bob", "session": "v2"}
    shown = exposure("r1", ["case"], experiment="slots", arm="eight")
    acts = [event("e1", "click", "case", NOON + MINUTE, recommendation_id="r1")]
    orders = [
        order("o1", [("case", 1, 20.0), ("phone", 1, 300.0)], NOON + 2 * MINUTE),
        order("o2", [("phone", 1, 100.0)], NOON + MINUTE, **held),
    ]
    answers = [shown, exposure("r2", [], experiment="holdout", arm="holdout", **held)]
    write(tmp_path / "feedback", answers, [*acts, *orders])
    join(settings(tmp_path))
    with open_engine(tmp_path) as engine:
        tables = MeasuredTables(engine, tmp_path / "out")
        given = {"since_ms": NOON, "until_ms": tables.last_ms() + DAY_MS, "before_days": 7}
        found = tables.subjects("slots", arms=("eight", "four"), **given)
        against = tables.subjects("holdout", arms=("holdout", "shown"), **given)
    sums = {name: column.tolist() for name, column in found.sums.items()}
    for name in ("orders", "converted", "answers", "seen", "clicks", "bought", "anchored", "anchor_bought"):
        assert sums[name] == [1], name
    assert (sums["revenue"], sums["lines"], sums["degraded"]) == ([320], [2], [0])
    assert against.sums["revenue"].tolist() == [320, 100]
    assert [against.arms[arm] for arm in against.arm_S] == ["shown", "holdout"]
