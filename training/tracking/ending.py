"""How an MLflow run ends: FINISHED, FAILED or KILLED."""

import contextlib
from collections.abc import Iterator

from training.tracking.tracker import Tracker


@contextlib.contextmanager
def ending(tracker: Tracker | None) -> Iterator[None]:
    """End the run with the status of what came of the block: FAILED by an error, KILLED by any other exception.

    Args:
        tracker: None in every process but rank 0, where nothing is recorded.
    """
    try:
        yield
        if tracker is not None:
            tracker.end()
    except BaseException as error:
        if tracker is not None:
            with contextlib.suppress(ValueError):  # an unreachable store must not mask why the run ended
                tracker.end("FAILED" if isinstance(error, Exception) else "KILLED")
        raise
