"""Hyperparameter sweep: child runs under one parent run, each a trial of an Optuna study, compared on validation alone.

    python -m training.train -m dataset=DIR seed=0,1,2                          a grid, every combination
    python -m training.train -m dataset=DIR sweep=quick [sweep.trials=12 ...]   configs/sweep/quick.yaml
    python -m training.train -m resume=SWEEP_ID                                 resume after a kill

Hydra's own sweepers support neither pruning nor a parent run, and its Optuna plugin is stuck at Optuna 2, so ``-m``
composes and runs the trials here; ``hydra/launcher=...`` or ``hydra/sweeper=...`` selects Hydra's way instead.
Surprising: Optuna's sampler is reseeded for each trial from its number, so a sweep resumed after a kill draws the same
trials as an uninterrupted one.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import optuna
from mlflow.entities import Run
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial, TrialState

from tillside.dataset import load_dataset
from training.cli.arguments import check
from training.cli.command import compose_typed, what_is_known
from training.cli.command_lines import command_line, module_line
from training.cli.console import say
from training.learning.callbacks import RESUME_FILE
from training.learning.processes import refuse_several
from training.review.markdown import NOTE
from training.settings.sweep import SweepConfig
from training.settings.tracking import TrackingConfig
from training.sweeps.config import (
    SWEEP_FILE,
    make_pruner,
    only_one,
    read_config,
    refuse,
    resumed_order,
    sweep_settings,
    write_order,
)
from training.sweeps.page import CURVE, compare_link, describe_sweep, settings, sweep_figures, sweep_table
from training.sweeps.space import Space, read_space
from training.sweeps.study_file import storage_of
from training.sweeps.trial import Pruned, Pruning, Trial
from training.tracking.ending import ending
from training.tracking.run_names import part_name, run_name
from training.tracking.store import StoreAwayError, mlflow_errors, request_limits
from training.tracking.tracker import RUN_NAME, Tracker, flatten
from training.tracking.views import PARENT, child_of

TRIAL: Final = "sweep.trial"
"""Child run's tag: its trial number."""
PAUSE_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 3600.0
"""How long a sweep waits for an unreachable store between two trials."""
pause, now = time.sleep, time.monotonic
Train = Callable[..., float]
Answer = TypeVar("Answer")


def sweep(overrides: list[str], *, train: Train) -> float:
    """Run or resume a sweep; returns the best trial's val/mrr@20.

    Args:
        overrides: as typed; those with ``sweep=`` or ``sweep.`` configure the sweep, the others its runs.
        train: runs one config, called as ``train(config, trial)``; returns val/mrr@20.

    Raises:
        ValueError: a setting is wrong, no trial completed, or there is nothing to resume.
    """
    given = [each for each in overrides if not each.startswith(("sweep=", "sweep."))]
    resume = [each.partition("=")[2] for each in given if each.startswith("resume=")]
    own = [each for each in overrides if each.startswith(("sweep=", "sweep."))]
    config, given = resumed_order(resume[-1], given, own) if resume else (read_config(own), given)
    quiet = ["export=false", "tracking.register=false"]
    asked = [*(f"{key}={values}" for key, values in config.space.items()), *config.fixed, *given]
    check(what_is_known("train", asked), asked, several=True)
    space = read_space([*quiet, *asked])
    checked = [compose_typed("train", example) for example in space.examples()]
    refuse(config, space, checked[0])
    refuse_several(checked[0].trainer, "a sweep")
    if checked[0].dataset is None:
        raise ValueError("dataset must be given, as dataset=DIR, a folder that python -m training.prepare wrote")
    dataset = load_dataset(Path(checked[0].dataset))
    tracking: TrackingConfig = checked[0].tracking
    tags = {"sweep": ", ".join(space.searched), "sweep.seed": str(config.seed)}
    runs, run_id = Path(tracking.runs), resume[-1] if resume else None
    with contextlib.ExitStack() as alone:
        if run_id is not None:
            alone.enter_context(only_one(runs / run_id))
            if Tracker.open(tracking, run_id).run.info.status == "FINISHED":
                raise ValueError(f"resume={run_id}: the sweep is finished; its settings without resume= start another")
        tracker = Tracker.start(
            tracking, run_id=run_id, digest=dataset.digest, tags=tags, name=run_name(dataset.name, "sweep")
        )
        try:
            with ending(tracker):
                if run_id is None:
                    (runs / tracker.run_id).mkdir(parents=True, exist_ok=True)
                    alone.enter_context(only_one(runs / tracker.run_id))
                    write_order(runs / tracker.run_id / SWEEP_FILE, config, given)
                    tracker.dataset(dataset)
                    tracker.parameters(shared_settings(checked[0], space) | sweep_settings(config))
                with storage_of(Path(checked[0].tracking.runs) / tracker.run_id) as storage:
                    best = Sweep(config, space, checked[0], tracker, train, dataset.name, storage).run()
        except BaseException as error:
            if isinstance(error, StoreAwayError) or not isinstance(error, Exception):
                line = module_line("training.train", "-m", f"resume={tracker.run_id}")
                say(f"go on with the sweep:  {line}{tracking.typed('runs')}")
            raise
    return best


class Sweep:
    """An Optuna study and the MLflow runs of its trials.

    Args:
        storage: of its trials; see ``training.sweeps.study_file``.
    """

    def __init__(
        self,
        config: SweepConfig,
        space: Space,
        base: Any,
        tracker: Tracker,
        train: Train,
        dataset: str,
        storage: optuna.storages.RDBStorage,
    ) -> None:
        self.config, self.space, self.base, self.tracker, self.train = config, space, base, tracker, train
        self.dataset, self.folder = dataset, Path(base.tracking.runs) / tracker.run_id
        self.grid = (space.combinations or []) if config.trials is None else []
        self.total = config.trials or len(self.grid)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            storage=storage,
            study_name=tracker.run_id,
            direction="maximize",
            pruner=make_pruner(config),
            load_if_exists=True,
        )

    def run(self) -> float:
        """Run the remaining trials, then complete the best one; returns its val/mrr@20."""
        for values in self.grid:
            self.study.enqueue_trial(values, skip_if_exists=True)
        while (trial := self.next_trial()) is not None:
            self.asking(partial(self.attempt, trial))
            self.asking(self.report)
        best = self.best()
        if best is None:
            reasons = {trial.user_attrs.get("error") for trial in self.study.trials} - {None}
            raise ValueError(
                f"no trial of the sweep came to its end: {'; '.join(sorted(reasons)) or 'all were pruned'}"
            )
        child = self.asking(self.children)[best.user_attrs["trial"]]
        if not self.config.whole:
            say(f"\ntrial {best.number} is the best; it goes on to the end:")
            self.train(self.resumed(child))
        self.asking(partial(self.report, last=True))
        self.tracker.parameters(best.params)
        sweep_table(self.study.trials, list(self.space.searched), best.number)
        say(f"the best, trial {best.number}: {settings(best)}; run {child.info.run_id}")
        if not self.base.export:
            more = self.base.tracking.typed("runs", "uri", "model")
            line = command_line("export", {"run": child.info.run_id, "out": "bundle"}, more=more)
            say(f"export and register it:  {line}")
        say(f"look at the sweep:  {self.tracker.look}")
        runs = [run.info.run_id for run in self.children().values()]
        say(f"compare its runs:  {compare_link(self.tracker.server, self.tracker.run.info.experiment_id, runs)}")
        say(f"all runs:  {self.tracker.list_link()}")
        return float(best.value or 0.0)

    def asking(self, call: Callable[[], Answer]) -> Answer:
        """Call what needs the store; while it is unreachable retry every PAUSE_SECONDS, up to PATIENCE_SECONDS."""
        until = None
        while True:
            try:
                return call()
            except StoreAwayError as error:
                if until is None:
                    until = now() + PATIENCE_SECONDS
                    say(f"{error}; the sweep waits for it")
                elif now() >= until:
                    raise
            pause(PAUSE_SECONDS)

    def resumed(self, child: Run) -> Any:
        """The config that resumes a child run."""
        tracking = TrackingConfig(runs=self.base.tracking.runs, uri=self.base.tracking.uri)
        return type(self.base)(resume=child.info.run_id, dataset=self.base.dataset, tracking=tracking)

    def next_trial(self) -> optuna.Trial | None:
        """A trial interrupted by a kill, else a new one, else None when all have begun."""
        trials = self.study.get_trials(deepcopy=False)
        for left in trials:
            if left.state == TrialState.RUNNING:
                return optuna.Trial(self.study, left._trial_id)
        begun = [trial for trial in trials if trial.state != TrialState.WAITING]
        if len(begun) >= self.total:
            return None
        self.study.sampler = optuna.samplers.TPESampler(
            seed=self.config.seed + len(begun), n_startup_trials=self.config.startup_trials
        )
        return self.study.ask(dict(self.space.searched))

    def attempt(self, trial: optuna.Trial) -> None:
        """Run one trial and tell the study the outcome: value, pruned or failed.

        Raises:
            StoreAwayError: the store is unreachable; the trial stays to be done.
        """
        number = str(trial.number)
        twin = self.twin(trial)
        if twin is not None:
            trial.set_user_attr("trial", twin.user_attrs["trial"])
            self.study.tell(trial.number, twin.value)
            return
        trial.set_user_attr("trial", number)
        config = compose_typed("train", self.space.overrides(trial.params))
        config.tracking.run_name = None  # names the parent; a differing name would be logged as a differing parameter
        child = self.children().get(number)
        say(f"\ntrial {int(number) + 1} of {self.total}: {settings(trial)}")
        if child is not None and (self.folder.parent / child.info.run_id / RESUME_FILE).is_file():
            config = self.resumed(child)
        elif child is not None:
            with mlflow_errors(self.tracker.uri):
                self.tracker.client.delete_run(child.info.run_id)  # killed before its first resume point
        name = part_name(f"trial {number}", str(self.tracker.run.info.run_name))
        tags = {RUN_NAME: name, TRIAL: number} | child_of(self.tracker.run_id)
        try:
            value = self.train(config, Trial(tags=tags, callbacks=[Pruning(trial)], whole=self.config.whole))
        except Pruned as pruned:
            self.asking(partial(self.tag, number, {"sweep.pruned": "true"}))
            say(f"pruned: {pruned}")
            self.study.tell(trial.number, state=TrialState.PRUNED)
        except StoreAwayError:
            raise
        except ValueError as error:
            sentence = " ".join(str(error).split())
            self.asking(partial(self.tag, number, {"sweep.error": sentence}))
            say(f"failed: {sentence}")
            trial.set_user_attr("error", sentence)
            self.study.tell(trial.number, state=TrialState.FAIL)
        else:
            self.study.tell(trial.number, value)

    def twin(self, trial: optuna.Trial) -> FrozenTrial | None:
        """A completed trial with the same settings, if any; the same seed would only reproduce its value."""
        done = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return next((other for other in done if other.params == trial.params), None)

    def best(self) -> FrozenTrial | None:
        """The completed trial with the best validation value; None if none has completed."""
        done = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return max(done, key=lambda trial: trial.value or 0.0) if done else None

    def children(self) -> dict[str, Run]:
        """Child runs by trial number."""
        query = f"tags.`{PARENT}` = '{self.tracker.run_id}'"
        with mlflow_errors(self.tracker.uri), request_limits():
            found = self.tracker.client.search_runs(
                [self.tracker.run.info.experiment_id], query, max_results=1000, order_by=["attributes.start_time ASC"]
            )
        return {run.data.tags[TRIAL]: run for run in found if TRIAL in run.data.tags}

    def tag(self, number: str, tags: Mapping[str, str]) -> None:
        """Tag a trial's run, if it got as far as having one."""
        child = self.children().get(number)
        with mlflow_errors(self.tracker.uri):
            for key, value in tags.items():
                if child is not None:
                    self.tracker.client.set_tag(child.info.run_id, key, value[:1000])

    def report(self, *, last: bool = False) -> None:
        """Update the parent run: the table of trials and the best child's metrics; if ``last``, the figures too."""
        trials, best, children = self.study.trials, self.best(), self.children()
        links = {number: run.info.run_id for number, run in children.items()}
        searched = list(self.space.searched)
        note = describe_sweep(
            trials,
            searched,
            best,
            dataset=self.dataset,
            total=self.total,
            runs=links,
            experiment=str(self.tracker.run.info.experiment_id),
        )
        tags = {NOTE: note}
        if best is not None:
            child = children[best.user_attrs["trial"]]
            tags |= {"sweep.best_run": child.info.run_id, "sweep.best_trial": best.user_attrs["trial"]}
            self.tracker.metrics(child.data.metrics)
        curve = {trial.number: trial.value for trial in trials if trial.state == TrialState.COMPLETE}
        self.tracker.publish(tags=tags, curves={CURVE: curve})
        if last:
            sweep_figures(trials, searched, self.folder / "figures")
            self.tracker.artifact(self.folder / "figures", "figures")


def shared_settings(base: Any, space: Space) -> dict[str, Any]:
    """Flat settings of the config that are the same in all trials."""
    flat = flatten(OmegaConf.to_container(OmegaConf.structured(base), enum_to_str=True))  # type: ignore[arg-type]
    searched = tuple(space.searched)
    groups = tuple(f"{key}." for key in searched)
    return {key: value for key, value in flat.items() if key not in searched and not key.startswith(groups)}
