"""Entry point of every ``python -m training.NAME``: a Hydra config becomes a typed dataclass, an error one sentence.

Surprising: the config is composed once before Hydra runs, only so that a mistyped key or value can be answered with
the allowed ones; Hydra's own message names the key and no more. Set ``HYDRA_FULL_ERROR=1`` for tracebacks. SIGTERM ends
a command as Ctrl-C does, by an exception, so that unfinished work is cleaned up. ``policy=FILE`` bypasses Hydra, which
would take the folder configs/policy for a config group, and so does ``rules=FILE``: either may be the name of a shipped
file. A key that is a Python keyword, such as ``from``, maps to the field ``from_``.
"""

import contextlib
import dataclasses
import functools
import keyword
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from tillside.cli.shipped import file_or_shipped, shipped_directory

T = TypeVar("T")
BY_PATH: Final = {"policy": "policy", "rules": "compatibility"}
"""Keys whose value is a file or the name of a shipped one, and the folder of configs that holds those."""


class Stopped(BaseException):
    """Raised on SIGINT or SIGTERM. Not a KeyboardInterrupt, which Lightning and DuckDB turn into something else."""


def config_directory() -> Path:
    """Folder of the YAML configs: inside the installed wheel, or at the top of the checkout."""
    return shipped_directory()


def command(
    name: str, schema: type[T], *, multirun: Callable[[list[str]], Any] | None = None
) -> Callable[[Callable[[T], Any]], Callable[[], None]]:
    """Make ``main(config)`` a command whose config is ``configs/NAME.yaml``, checked against the dataclass ``schema``.

    Bad input (a mistyped key, a wrong type, a ``ValueError`` or ``OSError`` from the body) ends the process with one
    sentence on stderr and exit code 2; SIGINT and SIGTERM end it with one sentence and 128 + the signal's number.

    Args:
        multirun: called with the overrides of ``-m`` instead of Hydra's multirun, unless another sweeper or launcher is
            requested.
    """
    ConfigStore.instance().store(name=f"{name}_schema", node=schema)

    def decorate(main: Callable[[T], Any]) -> Callable[[], None]:
        files: dict[str, str | None] = {}

        @functools.wraps(main)
        def task(config: DictConfig) -> Any:
            for key, path in files.items():
                config[key] = path
            return main(_typed(config))

        def run() -> None:
            full = os.environ.get("HYDRA_FULL_ERROR") == "1"
            files.clear()
            sys.argv[1:], given = without_files(sys.argv[1:])
            sys.argv[1:] = sorted(sys.argv[1:], key=_is_override)  # argparse needs overrides contiguous: a=1 -m b=2,3
            try:
                keys = {field.name for field in dataclasses.fields(schema)}  # type: ignore[arg-type]
                if unknown := given.keys() - keys:
                    raise ValueError(f"Key '{min(unknown)}' is not known; allowed here: {', '.join(sorted(keys))}")
                files.update({key: _located(key, path) for key, path in given.items()})
                if multirun is not None and (overrides := sweep_overrides(sys.argv[1:])) is not None:
                    with stopped_by_signals():
                        multirun(overrides)
                    return
                check_overrides(name, sys.argv[1:])
                start = hydra.main(version_base="1.3", config_path=str(config_directory()), config_name=name)
                with _errors_of_hydra():
                    start(_quiet(task, full))()
            except KeyboardInterrupt:
                sys.exit("interrupted")
            except (ValueError, OSError, OmegaConfBaseException, HydraException) as error:
                if full:
                    raise
                print(f"error: {_sentence(error)}", file=sys.stderr)
                sys.exit(2)

        return run

    return decorate


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


def _quiet(task: Callable[[DictConfig], Any], full: bool) -> Callable[[DictConfig], Any]:
    # Hydra prints a traceback and calls sys.exit(1) for any error of the body; bad input deserves one sentence.
    @functools.wraps(task)
    def body(config: DictConfig) -> Any:
        try:
            with stopped_by_signals():
                return task(config)
        except (ValueError, OSError) as error:
            if full:
                raise
            print(f"error: {_sentence(error)}", file=sys.stderr)
            sys.exit(2)

    return body


def _typed(config: DictConfig) -> Any:
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ValueError(f"{missing[0]} must be given, as {missing[0]}=VALUE")
    _refuse_added_keys(config, "")
    return OmegaConf.to_object(config)


def _refuse_added_keys(node: DictConfig, prefix: str) -> None:
    """Raise ValueError for ``+key=value`` with a key that nothing reads: Hydra lets it bypass the schema."""
    schema = OmegaConf.get_type(node)
    if schema is not None and dataclasses.is_dataclass(schema):
        allowed = sorted(field.name for field in dataclasses.fields(schema))
        for key in node:
            if key not in allowed:
                raise ValueError(f"{prefix}{key} is not a setting; allowed here: {', '.join(allowed)}")
    for key in node:
        if not OmegaConf.is_missing(node, key) and isinstance(node[key], DictConfig):
            _refuse_added_keys(node[key], f"{prefix}{key}.")


def without_files(arguments: list[str]) -> tuple[list[str], dict[str, str | None]]:
    """Arguments except those of BY_PATH, keys spelled as fields, and the values of BY_PATH; the last of a key wins."""
    pairs = [(argument, *argument.partition("=")) for argument in arguments]
    others = [_as_field(argument) for argument, key, _, _ in pairs if key not in BY_PATH]
    return others, {key: None if path == "null" else path for _, key, _, path in pairs if key in BY_PATH}


def _located(key: str, given: str | None) -> str | None:
    """Path of a file that is given by its path or by a shipped name."""
    return None if given is None else str(file_or_shipped(BY_PATH[key], given))


def _as_field(argument: str) -> str:
    key, equals, value = argument.partition("=")
    return f"{key}_={value}" if equals and keyword.iskeyword(key) else argument


def _is_override(argument: str) -> bool:
    return argument.startswith("~") or ("=" in argument and not argument.startswith("-"))


def check_overrides(name: str, arguments: list[str]) -> None:
    """Compose the config of a single run to find mistakes early; sweeps and Hydra's own flags are left to Hydra."""
    if any(argument.startswith("-") for argument in arguments):
        return
    arguments, _ = without_files(arguments)
    _composed(name, arguments)


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
    return _typed(_composed(name, arguments))


def _composed(name: str, arguments: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    with initialize_config_dir(version_base="1.3", config_dir=str(config_directory())):
        try:
            return compose(name, overrides=arguments)
        except (HydraException, OmegaConfBaseException) as error:
            raise ValueError(f"{_sentence(error)}{_allowed(name, arguments, error)}") from None


def _allowed(name: str, arguments: list[str], error: BaseException) -> str:
    """Keys allowed where ``error`` found an unknown one, as the end of a message."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ConfigKeyError | ConfigAttributeError):
        cause = cause.__cause__
    full_key = str(getattr(cause, "full_key", "") or "")
    if cause is None or not full_key:
        return ""
    groups = [argument for argument in arguments if "." not in argument.partition("=")[0]]
    try:
        config = compose(
            name, overrides=[group for group in groups if (config_directory() / group.partition("=")[0]).is_dir()]
        )
    except (HydraException, OmegaConfBaseException):
        return ""
    parent = full_key.rpartition(".")[0]
    node = OmegaConf.select(config, parent) if parent else config
    return f"; allowed here: {', '.join(sorted(str(key) for key in node))}" if node is not None else ""


def _sentence(error: BaseException) -> str:
    texts = [str(error)]
    if isinstance(error, HydraException) and isinstance(error.__cause__, OmegaConfBaseException):
        texts.append(str(error.__cause__))
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    noise = (
        "full_key:",
        "object_type=",
        "reference_type=",
        "To append to your config",
        "Config search path",
        "provider=",
    )
    kept = [line for line in lines if not line.startswith(noise)]
    return " ".join(dict.fromkeys(kept)) or type(error).__name__
