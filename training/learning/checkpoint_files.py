"""Checkpoints that survive what comes while they are written: a kill, a full disk, temporary files on another disk.

Lightning writes into the folder for temporary files and moves the result; from another file system that is a copy over
the good file. Here a checkpoint is written beside its destination, brought to the disk, and renamed into place.
"""

import errno
import os
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from tillside.atomic import atomic_file, full_disk


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
        with atomic_file(path) as file:
            try:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())  # here, since some disks tell only now that they are full
            except (OSError, RuntimeError) as error:
                if full_disk(error, path.parent) is None:
                    raise
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
