"""The words and rules that training and serving share. Needs numpy and nothing else."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tillside")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
