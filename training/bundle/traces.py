"""Encoder graphs traced before: kept in the process, and in the user's cache folder for the next one.

Tracing takes some five CPU-seconds whatever the size of the model, and depends on the architecture, the code and torch
alone. A kept graph holds no weights, and no path of the code that it was traced from. The folder may be deleted at any
time, and where it cannot be written or read, every process traces for itself.
"""

import hashlib
from collections.abc import Callable, Set
from importlib.metadata import version
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import ModelProto

import training.model
from training.cli.cache import cache_folder, keep

MADE_BY = ("torch", "onnx", "onnxscript")
"""Packages whose versions a graph depends on."""
FOLDER = "graphs"
"""Of the cache folder."""

_TRACED: dict[str, bytes] = {}
"""The graphs that this process has met, by the name of their file."""


def traced_once(architecture: str, weights: Set[str], trace: Callable[[], ModelProto]) -> ModelProto:
    """The graph of an architecture, its weights (initializers of the names ``weights``) empty.

    Args:
        architecture: everything in the settings that the graph depends on.
    """
    name = _file_name(architecture)
    path = cache_folder() / FOLDER / name
    if name not in _TRACED:
        _TRACED[name] = _read(path) or _keep(trace(), weights, path)
    return ModelProto.FromString(_TRACED[name])


def _file_name(architecture: str) -> str:
    """Of the architecture, the versions of MADE_BY, and every line of the code that is traced or traces."""
    digest = hashlib.sha256(repr((architecture, [version(each) for each in MADE_BY])).encode())
    for module in (*sorted(Path(training.model.__path__[0]).glob("*.py")), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(module.read_bytes())
    return f"{digest.hexdigest()[:32]}.onnx"


def _read(path: Path) -> bytes | None:
    try:
        graph = path.read_bytes()
        ModelProto.FromString(graph)
    except (OSError, DecodeError):
        return None
    return graph


def _keep(model: ModelProto, weights: Set[str], path: Path) -> bytes:
    for constant in model.graph.initializer:
        if constant.name in weights:
            constant.ClearField("raw_data")
    for value in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")  # where each line of code lies on the machine that traced it
    graph: bytes = model.SerializeToString()
    keep(path, graph)
    return graph
