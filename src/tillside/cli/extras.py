"""Extras of the distribution, and the sentence for a room whose extra is not installed.

What is looked for are modules, not distributions: a machine may well have onnxruntime-gpu or a torch of conda's. A test
holds the table to pyproject.toml.
"""

import importlib.util
import sys
from typing import Final

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "train": (
        "torch", "pytorch_lightning", "hydra", "mlflow", "optuna", "onnx", "onnxscript", "onnxruntime", "faiss", "ibis",
        "duckdb", "pyarrow", "pandas", "matplotlib", "sklearn", "scipy", "mlxtend", "tea_tasting", "yaml", "rich",
    ),
    "serve": ("onnxruntime", "faiss", "starlette", "uvicorn", "uvloop", "httptools", "prometheus_client"),
}  # fmt: skip
"""By extra the modules that it brings and that its room cannot start without."""


def missing(extra: str) -> list[str]:
    """Modules of an extra that are not installed; none of them is imported."""
    return [name for name in MODULES[extra] if importlib.util.find_spec(name) is None]


def require(extra: str, *, asked: str) -> None:
    """End the process unless an extra is installed.

    Args:
        asked: what needs it, as typed.

    Raises:
        SystemExit: a module is missing; one sentence on stderr names the extra and the command that installs it, exit
            code 2.
    """
    absent = missing(extra)
    if absent:
        print(
            f"error: {asked} needs the extra '{extra}' ({_listed(absent)} not installed here): "
            f"{sys.executable} -m pip install 'tillside[{extra}]'",
            file=sys.stderr,
        )
        sys.exit(2)


def _listed(names: list[str]) -> str:
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more are"
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
