"""Cases over four items, and a scorer of them, so small that ranks and metrics can be worked out on paper."""

from dataclasses import dataclass

import numpy as np

from tests.datasets import make_sessions
from tillside.encoding.spec import EncodingSpec
from training.inputs.cases import make_cases

ITEMS = 4
DEFAULT_SPEC = EncodingSpec()
ROWS = [[0, (1, "cart"), (0, "purchase"), 2], [3], [2, 7], [], [7, (1, "purchase")], []]
"""Item 7 is unseen in training."""


def cases_of(rows=ROWS, *, rule="every", items=ITEMS, limit=None, spec=DEFAULT_SPEC):
    return make_cases(make_sessions(rows), rule=rule, spec=spec, items=items, goal=2, limit=limit)


@dataclass
class LastItemPlusOne:
    """Puts the item after the last one first; an empty row gets item 0."""

    calls: int = 0

    def score(self, batch, ask_B):
        self.calls += 1
        scores_BV = np.tile(-np.arange(ITEMS, dtype=np.float32), (len(ask_B), 1))
        for row, length in enumerate(batch.lengths_B):
            if length:
                scores_BV[row, (batch.items_BL[row, length - 1] + 1) % ITEMS] = 1
        return scores_BV
