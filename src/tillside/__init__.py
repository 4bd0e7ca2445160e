"""The domain code that training and serving share: events, encoding, ranking, retrieval and placement policy.

Needs numpy and, for policy files and items feeds, msgspec and PyYAML; besides, ``tillside.engine`` needs onnxruntime,
and faiss for an approximate index, and ``tillside.client`` needs httpx.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tillside")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
