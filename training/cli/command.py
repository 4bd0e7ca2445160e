"""Entry point of every ``python -m training.NAME``: a Hydra config becomes a typed dataclass, an error one sentence.

Surprising: a plain run composes its config here and never enters ``hydra.main``, which is left to Hydra's own flags and
sweepers; starting is twice as fast so, and a mistake is answered with what was meant. Set ``HYDRA_FULL_ERROR=1`` for
tracebacks. SIGTERM ends a command as Ctrl-C does, by an exception, so that unfinished work is cleaned up.
"""

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from training.cli.arguments import Known, check, datasets_here, groups_only, take_action, written
from training.cli.compose import (
    composed,
    config_directory,
    groups,
    keys,
    located,
    must_be_given,
    sentence,
    typed,
    without_files,
)
from training.cli.foreign_text import shown
from training.cli.help import help_text, terminal_width
from training.cli.keys import Key
from training.cli.pipe import quiet_pipe

__all__ = ["command", "compose_typed", "config_directory"]


T = TypeVar("T")
GRID: Final = "grid"
"""The sweep where none is named: every combination of what is typed."""


class Stopped(BaseException):
    """Raised on SIGINT or SIGTERM. Not a KeyboardInterrupt, which Lightning and DuckDB turn into something else."""


def command(
    name: str, schema: type[T], *, multirun: Callable[[list[str]], Any] | None = None, with_keys: bool = False
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """Make ``main(config)`` a command whose config is ``configs/NAME.yaml``, checked against the dataclass ``schema``.

    Bad input (a mistyped key, a wrong type, a ``ValueError`` or ``OSError`` from the body) ends the process with one
    sentence on stderr and exit code 2; SIGINT and SIGTERM end it with one sentence and 128 + the signal's number, a
    closed pipe quietly with 141.

    Args:
        multirun: called with the overrides of ``-m`` instead of Hydra's multirun, unless another sweeper or launcher is
            requested.
        with_keys: whether ``main`` is called with the keys that were typed too, since a value may be the default.
    """
    ConfigStore.instance().store(name=f"{name}_schema", node=schema)

    def decorate(main: Callable[..., Any]) -> Callable[[], None]:
        def run() -> None:
            called = functools.wraps(main)(lambda config: main(config, typed_keys(sys.argv[1:]))) if with_keys else main
            try:
                with quiet_pipe():
                    _run(name, called, multirun)
            except KeyboardInterrupt:
                sys.exit("interrupted")
            except (ValueError, OSError, OmegaConfBaseException, HydraException) as error:
                if os.environ.get("HYDRA_FULL_ERROR") == "1":
                    raise
                _fail(error)

        return functools.wraps(main)(run)

    return decorate


def _run(name: str, main: Callable[[Any], Any], multirun: Callable[[list[str]], Any] | None) -> None:
    arguments = sys.argv[1:]
    known = what_is_known(name, arguments, sweeps=multirun is not None)
    flags = [argument for argument in arguments if argument.startswith("-")]
    check(known, arguments, several=bool({"-m", "--multirun"} & set(flags)))
    if {"-h", "--help"} & set(flags):
        doc = str(sys.modules[main.__module__].__doc__)
        plain = [argument for argument in without_files(arguments)[0] if _is_override(argument)]
        sweeps = [argument for argument in plain if argument.startswith(("sweep=", "sweep."))]
        listed = keys(composed(name, [argument for argument in plain if argument not in sweeps]))
        listed += sweep_keys(sweeps) if multirun is not None else []
        print(help_text(doc, known.groups, listed, width=terminal_width()), flush=True)
        return
    if multirun is not None and (overrides := sweep_overrides(arguments)) is not None:
        with stopped_by_signals():
            multirun(overrides)
        return
    overrides, given = without_files(arguments)
    files = located(given)
    if flags or any(argument.lstrip("+~").startswith("hydra") for argument in overrides):
        _run_by_hydra(name, main, sorted(overrides, key=_is_override), files)  # argparse: overrides in one place
        return
    config = composed(name, overrides)
    for key, path in files.items():
        config[key] = path
    with stopped_by_signals():
        main(typed(config))


def _run_by_hydra(name: str, main: Callable[[Any], Any], arguments: list[str], files: dict[str, str | None]) -> None:
    import hydra

    def task(config: DictConfig) -> Any:
        for key, path in files.items():
            config[key] = path
        return main(typed(config))

    sys.argv[1:] = arguments
    full = os.environ.get("HYDRA_FULL_ERROR") == "1"
    start = hydra.main(version_base="1.3", config_path=str(config_directory()), config_name=name)
    with _errors_of_hydra():
        start(_quiet(functools.wraps(main)(task), full))()


def typed_keys(arguments: list[str]) -> frozenset[str]:
    """Names of the keys that a command line gives, groups among them."""
    return frozenset(each.lstrip("+~").partition("=")[0] for each in arguments if _is_override(each))


def what_is_known(name: str, arguments: list[str], *, sweeps: bool = False) -> Known:
    """Keys and groups of a command, those of the groups that the arguments choose.

    Args:
        sweeps: whether the command has sweeps of its own, chosen by ``sweep=NAME``.
    """
    found = groups(name)
    listed = keys(composed(name, groups_only(Known(name, (), found), arguments)))
    if sweeps:
        doc = "With -m: what to search, and how long."
        found.append(Key("sweep", "name of a group", GRID, doc, choices_of("sweep")))
        listed += sweep_keys(arguments)
    return Known(name, listed, found)


def choices_of(group: str) -> tuple[str, ...]:
    """Names of the YAML files of a group."""
    return tuple(sorted(path.stem for path in (config_directory() / group).glob("*.yaml")))


def sweep_keys(arguments: list[str]) -> list[Key]:
    """Keys of a sweep, with the values of the one that the arguments choose as defaults."""
    named = [argument.partition("=")[2] for argument in arguments if argument.startswith("sweep=")]
    chosen = named[-1] if named and named[-1] in choices_of("sweep") else GRID
    return keys(composed(f"sweep/{chosen}", []), "sweep.")


def run_action(run: Callable[[], None], actions: type[Enum], *, of: str) -> None:
    """Run a command whose first word may be an action's name, short for ``do=NAME``.

    Args:
        of: what the actions are done to, in words.
    """
    arguments = sys.argv[1:]
    try:
        take_action(arguments, list(actions.__members__), of=of)
    except ValueError as error:
        _fail(error)
    sys.argv[1:] = arguments
    run()


def begin(text: str) -> None:
    """Print the first line of a command, before what it needs is imported; of several processes only the first does."""
    if os.environ.get("RANK", "0") == "0":
        print(shown(text), flush=True)


def missing_dataset() -> ValueError:
    """The error of a command without a data set; it names those that lie in the working folder."""
    return ValueError(f"{must_be_given('dataset')}, a folder that python -m training.prepare wrote{_likely()}")


def refuse_no_dataset(dataset: str | None) -> None:
    """Check that a data set lies where it is said to, before libraries are loaded that take seconds.

    Raises:
        ValueError: none does.
    """
    if dataset is not None and not (Path(dataset) / "dataset.json").is_file():
        raise ValueError(
            f"{dataset} is not a prepared data set (it has no dataset.json); "
            f"make one with python -m training.prepare{_likely()}"
        )


def refuse_no_feedback(folder: str) -> None:
    """Check that a feedback folder lies where it is said to.

    Raises:
        ValueError: none does; of a topic of Kafka the sentence names the command that brings it into a folder.
    """
    if "://" in folder:
        raise ValueError(
            f"feedback must be a folder, got {folder}; python -m serving.feedback.fetch kafka://HOST:PORT/TOPIC "
            "FOLDER/events (and FOLDER/exposures) brings what is new in a topic into one"
        )
    if not Path(folder).is_dir():
        raise ValueError(f"feedback: there is no folder {folder}")


def _likely() -> str:
    found = datasets_here(Path.cwd())[:3]
    return "; here lie: " + ", ".join(written("dataset", str(each)) for each in found) if found else ""


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGINT and SIGTERM raise :class:`Stopped` within the block, once; a signal ignored before stays ignored.

    Raises:
        SystemExit: a signal arrived; one sentence was printed, and the exit code is 128 + its number.
    """
    received: list[signal.Signals] = []

    def stop(number: int, _: Any) -> None:
        if not received:  # a second one must not interrupt the cleanup
            received.append(signal.Signals(number))
            raise Stopped

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    except BaseException:
        if not received:
            raise
        print(f"error: stopped by {received[0].name}", file=sys.stderr)  # even if a library wrapped the exception
        sys.exit(128 + received[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _errors_of_hydra() -> Iterator[None]:
    """Make Hydra raise errors instead of printing them over many lines."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def _fail(error: Exception) -> NoReturn:
    print(f"error: {shown(sentence(error))}", file=sys.stderr)
    sys.exit(2)


def _quiet(task: Callable[[DictConfig], Any], full: bool) -> Callable[[DictConfig], Any]:
    # Hydra prints a traceback and calls sys.exit(1) for any error of the body; bad input deserves one sentence.
    @functools.wraps(task)
    def body(config: DictConfig) -> Any:
        try:
            with stopped_by_signals():
                return task(config)
        except (ValueError, OSError) as error:
            if full or isinstance(error, BrokenPipeError):
                raise
            _fail(error)

    return body


def _is_override(argument: str) -> bool:
    return argument.startswith("~") or ("=" in argument and not argument.startswith("-"))


def check_overrides(name: str, arguments: list[str]) -> None:
    """Find mistakes in the overrides of a single run; sweeps and Hydra's own flags are left alone.

    Raises:
        ValueError: a wrong key or value; the message says what is allowed, or was meant.
    """
    if any(argument.startswith("-") for argument in arguments):
        return
    check(what_is_known(name, arguments), arguments, several=False)
    composed(name, without_files(arguments)[0])


def sweep_overrides(arguments: list[str]) -> list[str] | None:
    """Overrides of a sweep (``-m`` or ``sweep`` keys); None for a single run, or with Hydra's own flags or keys."""
    flags = {argument for argument in arguments if argument.startswith("-")}
    overrides = [argument for argument in arguments if argument not in flags]
    asked = bool(flags) or any(argument.startswith(("sweep=", "sweep.")) for argument in overrides)
    hydras = bool(flags - {"-m", "--multirun"}) or any(
        argument.lstrip("+").startswith("hydra") for argument in overrides
    )
    return overrides if asked and not hydras else None


def compose_typed(name: str, arguments: list[str]) -> Any:
    """Typed config composed of ``configs/NAME.yaml`` and the overrides.

    Raises:
        ValueError: a wrong key or value; the message names the allowed ones.
    """
    return typed(composed(name, arguments))
