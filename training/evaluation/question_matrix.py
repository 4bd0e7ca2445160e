"""Sensitivity to the behaviour asked for: the same cases ranked once for each behaviour.

A model that conditions on the behaviour finds purchases best when asked for purchases and clicks best when asked for
clicks. Each wrong behaviour is compared with the right one case by case, so the interval of its loss is paired.

Shapes: C cases.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tillside.ranking import mrr_at, recall_at
from training.cli.progress import progress
from training.evaluation.metrics import intervals
from training.evaluation.ranking import rank
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases

CASES: Final = 20_000
"""Maximum cases per target behaviour, evenly spaced: each is ranked once for every behaviour."""


def asked_matrix(scorer: Scorer, cases: Cases, *, items: int, behaviours: Sequence[str], seed: int) -> dict[str, Any]:
    """Metrics as ``matrix[target's behaviour][behaviour asked for]``.

    ``lost`` is the paired loss of a wrong behaviour against the right one; above 0, the right one is better.
    """
    matrix: dict[str, Any] = {}
    for right, name in enumerate(progress(behaviours, "asking for other behaviours")):
        chosen = np.flatnonzero(cases.asked_C == right)
        if not len(chosen):
            continue
        some = cases.only(chosen[:: -(-len(chosen) // CASES)])
        found = []
        for asked in range(len(behaviours)):
            ranks_C = rank(scorer, some.asking(asked), items=items, coverage=False).ranks_C
            found.append({"mrr@20": mrr_at(ranks_C, 20), "recall@20": recall_at(ranks_C, 20)})
        matrix[name] = {"cases": len(some)}
        for asked, values in enumerate(found):
            entry = intervals(values, some.sessions_C, seed=seed)
            if asked != right:
                lost = {metric: found[right][metric] - value_C for metric, value_C in values.items()}
                entry["lost"] = intervals(lost, some.sessions_C, seed=seed)
            matrix[name][behaviours[asked]] = entry
    return matrix
