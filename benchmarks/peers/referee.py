"""Our side of the comparison: turns a data set into a peer's task, and the peer's lists into our metrics.

The cases are those that ``training.evaluate`` judges and the report is the same, so a peer's figures compare with a
run's in one table. Where a prefix holds no known item, popularity answers for a peer as it does for our model.

Shapes: C cases, K items of a list, B rows of a chunk, L items of a row, V items, E events.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.exchange import LIST_LENGTH, NO_ITEM, Rows, Task, ranks_in_lists
from tillside.dataset import CaseRule, Dataset, Part, Sessions
from tillside.encoding.sessions import encode_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.ranking import ranks_of_targets, top_k
from tillside.recommenders import Popularity
from training.evaluation.case_ranks import cases_digest, keep_ranks
from training.evaluation.metrics import report
from training.evaluation.ranking import Ranked
from training.evaluation.scorers import popularity_of
from training.inputs.cases import Cases, make_cases

CHUNK = 4096
LONGEST = 50
"""Most items of a session that any model here sees."""


def spec_of(dataset: Dataset, length: int) -> EncodingSpec:
    """Encoding of prefixes: the last ``length`` items, repeats as preparation treated them."""
    return EncodingSpec(max_length=length, collapse_repeats=dataset.collapse_repeats)


def cases_of(dataset: Dataset, part: Part, length: int) -> Cases:
    """Validation or test cases as the data set defines them; a prefix holds trained items only."""
    rule: CaseRule = dataset.validation_cases if part == "validation" else dataset.test_cases
    items, spec = dataset.catalogue.trained, spec_of(dataset, length)
    return make_cases(dataset.part(part), rule=rule, spec=spec, items=items, goal=dataset.goal)


def make_task(dataset: Dataset, *, length: int, options: Mapping[str, Any]) -> Task:
    """The task of a peer; it lacks the test targets.

    Raises:
        ValueError: there is no training session, no validation case or no test case.
    """
    validation, test = cases_of(dataset, "validation", length), cases_of(dataset, "test", length)
    train = sessions_to_learn(dataset.part("train"), spec=spec_of(dataset, length), items=dataset.catalogue.trained)
    for name, found in (("training session", train), ("validation case", validation), ("test case", test)):
        if not len(found):
            raise ValueError(f"{dataset.path} has no {name}; prepare a larger log")
    prefixes = prefixes_of(validation)
    fallback_ranks_C = np.zeros(len(validation), np.int64)
    empty = np.flatnonzero(prefixes.lengths == 0)
    if len(empty):
        scores = by_popularity(dataset).score(validation.batch(empty), validation.asked_C[empty])
        fallback_ranks_C[empty] = ranks_of_targets(scores, validation.targets_C[empty])
    return Task(
        items=dataset.catalogue.trained,
        train=train,
        validation=prefixes,
        targets_C=validation.targets_C,
        fallback_ranks_C=fallback_ranks_C,
        test=prefixes_of(test),
        options=options,
    )


def sessions_to_learn(sessions: Sessions, *, spec: EncodingSpec, items: int) -> Rows:
    """Whole sessions of two known items or more; a peer truncates long ones in its own way."""
    offsets = np.asarray(sessions.offsets)
    columns = (np.asarray(column) for column in (sessions.items, sessions.behaviours, sessions.times))
    encoded = encode_sessions(*columns, offsets, spec=spec, known_items=items)
    bounds = encoded.kept_before_E[offsets]
    lengths = np.diff(bounds)
    kept = np.repeat(lengths >= 2, lengths)
    return _rows(encoded.items[kept], lengths[lengths >= 2])


def usual_length(dataset: Dataset) -> int:
    """99th percentile of the training sessions' lengths, clipped to 2 .. 50: less padding for libraries that pad."""
    train = sessions_to_learn(dataset.part("train"), spec=spec_of(dataset, LONGEST), items=dataset.catalogue.trained)
    return int(np.clip(np.ceil(np.quantile(train.lengths, 0.99)), 2, LONGEST)) if len(train) else LONGEST


def prefixes_of(cases: Cases) -> Rows:
    """Prefix of each case."""
    items, lengths = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(cases), CHUNK):
        batch = cases.batch(np.arange(start, min(start + CHUNK, len(cases))))
        real = np.arange(batch.items_BL.shape[1]) < batch.lengths_B[:, None]
        items.append(batch.items_BL[real])
        lengths.append(batch.lengths_B)
    return _rows(np.concatenate(items), np.concatenate(lengths))


def by_popularity(dataset: Dataset) -> Popularity:
    """Popularity over trained items, which answers empty prefixes."""
    return popularity_of(dataset, refit=False, items=dataset.catalogue.trained)


def judge(
    dataset: Dataset, lists_CK: npt.NDArray[np.int64], *, system: str, length: int, folder: Path, seed: int = 0
) -> dict[str, Any]:
    """Metrics document of a peer's lists, as ``training.evaluate`` writes it for a run.

    Args:
        folder: where the rank of every case is kept, for paired comparisons.
    """
    cases, items = cases_of(dataset, "test", length), dataset.catalogue.rankable
    lists_CK = lists_CK.copy()
    empty = np.flatnonzero(prefixes_of(cases).lengths == 0)
    for start in range(0, len(empty), CHUNK):
        chosen = empty[start : start + CHUNK]
        best_BK = top_k(by_popularity(dataset).score(cases.batch(chosen), cases.asked_C[chosen]), LIST_LENGTH)
        lists_CK[chosen] = NO_ITEM
        lists_CK[chosen[:, None], np.arange(best_BK.shape[1])] = best_BK
    ranked = Ranked(
        ranks_in_lists(lists_CK, cases.targets_C),
        shown_V=np.bincount(lists_CK[lists_CK != NO_ITEM], minlength=items),
        depth=lists_CK.shape[1],
    )
    digest, names = cases_digest(dataset, cases), dataset.behaviours.names
    keep_ranks({system: ranked}, cases, digest=digest, behaviours=names, folder=folder)
    metrics = report({system: ranked}, cases, items=items, behaviours=names, seed=seed)
    return metrics | {"dataset": {"name": dataset.name, "digest": dataset.digest}}


def _rows(items: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Rows:
    return Rows(items.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
