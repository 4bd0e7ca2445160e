"""Checkpoints that survive what comes while they are written: a kill, a full disk, temporary files on another disk.

Lightning writes into the folder for temporary files and moves the result; from another file system that is a copy over
the good file. Here a checkpoint is written beside its destination, brought to the disk, and renamed into place.
"""

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from tillside.atomic import full_disk


class AtomicCheckpoints(TorchCheckpointIO):
    """Lightning's input and output of checkpoints, with atomic writes."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Write a checkpoint whole or not at all.

        Raises:
            OSError: it cannot be written; what was there before is.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.partial-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException as error:
            place = full_disk(error, path.parent) if isinstance(error, OSError | RuntimeError) else None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            if place is not None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
            raise
