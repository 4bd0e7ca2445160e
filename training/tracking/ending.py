"""How an MLflow run ends: FINISHED, FAILED or KILLED."""

import contextlib
from collections.abc import Iterator

from training.tracking.tracker import Tracker
from training.tracking.unrecorded import Unrecorded


@contextlib.contextmanager
def ending(tracker: Tracker | Unrecorded) -> Iterator[None]:
    """End the run with the status of what came of the block: FAILED by an error, KILLED by any other exception."""
    try:
        yield
        tracker.end()
    except BaseException as error:
        with contextlib.suppress(ValueError):  # an unreachable store must not mask why the run ended
            tracker.end("FAILED" if isinstance(error, Exception) else "KILLED")
        raise
