"""Ledgers filled by hand."""

import numpy as np

from serving.bench.ledger import Ledger


def filled(rows):
    """A ledger of requests due at 0: (ms, status, tier, reason), or (ms, error)."""
    ledger = Ledger(np.zeros(len(rows)))
    ledger.taken_R[:] = ledger.sent_R[:] = 0.0
    for number, (ms, *rest) in enumerate(rows):
        if len(rest) == 1:
            ledger.failed(number, at=ms / 1000, error=rest[0])
        else:
            ledger.answered(number, at=ms / 1000, status=rest[0], tier=rest[1], reason=rest[2])
    return ledger
