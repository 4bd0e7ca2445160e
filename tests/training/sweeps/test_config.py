"""A sweep's config: pruners, the order kept for a resume, and one process at a time."""

from pathlib import Path

import optuna
import pytest
from optuna.pruners import NopPruner, SuccessiveHalvingPruner

import training.train  # noqa: F401 (registers the schema)
from training.settings.sweep import Pruner, SweepConfig
from training.sweeps.config import (
    SWEEP_FILE,
    make_pruner,
    only_one,
    read_config,
    resumed_order,
    sweep_settings,
    write_order,
)


def test_pruners_by_hand():
    """Median: .1 is below the median .2 of the two before at epoch 2 (counted from 0, one epoch of grace)."""
    study = optuna.create_study(
        direction="maximize", pruner=make_pruner(SweepConfig(pruner=Pruner.median, startup_trials=2, warmup_epochs=1))
    )
    for value in (0.2, 0.3):
        before = study.ask()
        for epoch in range(3):
            before.report(value, epoch)
        study.tell(before, value)
    for value, hopeless in ((0.1, True), (0.26, False)):  # the median of .2 and .3 is .25
        trial = study.ask()
        trial.report(value, 0)
        assert not trial.should_prune()
        trial.report(value, 1)
        assert bool(trial.should_prune()) is hopeless
        study.tell(trial, value)


@pytest.mark.parametrize(
    ("pruner", "kind"), [(Pruner.none, NopPruner), (Pruner.halving, SuccessiveHalvingPruner)], ids=["none", "halving"]
)
def test_a_pruner_is_the_one_that_was_named(pruner: Pruner, kind: type):
    assert isinstance(make_pruner(SweepConfig(pruner=pruner)), kind)


def test_typed_settings_change_the_named_sweep():
    config = read_config(["sweep=quick", "sweep.trials=3", "sweep.pruner=halving"])
    assert (config.trials, config.pruner) == (3, Pruner.halving)
    assert config.space == read_config(["sweep=quick"]).space
    assert read_config([]) == read_config(["sweep=grid"])


def test_a_sweep_is_gone_on_with_by_its_id_alone(tmp_path: Path):
    """Only where it lies may be typed again; what was typed before stands first, so the later one wins."""
    config = SweepConfig(trials=7, space={"model.dim": "8,16"}, pruner=Pruner.median)
    (tmp_path / "abc").mkdir()
    write_order(tmp_path / "abc" / SWEEP_FILE, config, ["seed=1", "dataset=there"])
    runs = f"tracking.runs={tmp_path}"
    assert resumed_order("abc", ["resume=abc", runs, "dataset=here"], []) == (
        config,
        ["seed=1", "dataset=there", runs, "dataset=here"],
    )
    with pytest.raises(ValueError, match="seed=2 cannot be given with -m resume=abc: the sweep goes on with its own"):
        resumed_order("abc", ["resume=abc", runs, "seed=2"], [])
    with pytest.raises(ValueError, match=r"sweep\.trials=9 cannot be given"):
        resumed_order("abc", [runs], ["sweep.trials=9"])


@pytest.mark.parametrize("text", ["sweep: [", "given: []", "sweep: {trails: 3}\ngiven: []"])
def test_a_damaged_order_is_one_sentence(tmp_path: Path, text: str):
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc" / SWEEP_FILE).write_text(text)
    with pytest.raises(ValueError, match=r"^resume=abc: .*sweep\.yaml is damaged: "):
        resumed_order("abc", [f"tracking.runs={tmp_path}"], [])


def test_a_folder_is_locked_for_one_and_free_again_after(tmp_path: Path):
    with (
        only_one(tmp_path),
        pytest.raises(ValueError, match=f"another process runs the sweep {tmp_path.name}"),
        only_one(tmp_path),
    ):
        pytest.fail("two at once")
    with only_one(tmp_path):
        pass


def test_the_parents_parameters_say_how_it_was_searched():
    told = {"sweep.pruner": "none", "sweep.whole": "True", "sweep.seed": "0"}
    assert sweep_settings(SweepConfig()) == told | {"sweep.trials": "all"}
    assert sweep_settings(SweepConfig(trials=5))["sweep.trials"] == "5"
