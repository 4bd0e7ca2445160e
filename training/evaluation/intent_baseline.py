"""Baseline for the intent head: gradient boosting on hand-crafted features of the session prefix.

The features are what an analyst would count: events per behaviour, repeats of items, pace, hour, prices, and how the
items seen convert across the shop. They are computed for every prefix of every session at once, on flat arrays. The
baseline reads the whole prefix, including untrained items, which the model cannot. How an item converts is counted in
other folds of the training part: a session that is learned from would else tell by it whether it buys.

Shapes: E events, each standing for the prefix that ends with it; F features; M moments; B behaviours; N items; K folds.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.dataset import Dataset, Sessions
from tillside.events import TIME_UNKNOWN
from training.inputs.lookahead import goal_later
from training.inputs.moments import Moments

TRAINED_ON: Final = 100_000
"""Approximate maximum of training prefixes, from sessions evenly spaced."""
MIN_KNOWN: Final = 20
"""Features known for fewer prefixes are dropped: scikit-learn fails on a column of NaN alone."""
PRIOR_EVENTS: Final = 50
"""Pseudo-events that shrink an item's behaviour shares (carts, purchases) towards those of the shop."""
FOLDS: Final = 5
STEPS: Final = 2**24
"""Fixed-point steps per unit, in sums of prices and shares."""
HOUR_MS: Final = 3_600_000
FloatArray = npt.NDArray[np.float64]


def boosted_intent(dataset: Dataset, moments: Moments, *, refitted: bool, seed: int) -> FloatArray | None:
    """Probability [M] that the session still reaches its goal, by gradient boosting on the training part's moments.

    None where all training moments are of one class.

    Args:
        moments: of the test part.
        refitted: learn from the validation part too, as the model has that it stands beside.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import

    learned, behaviours = dataset.whole("train", "validation" if refitted else "train"), len(dataset.behaviours)
    lengths = np.diff(learned.offsets)
    session_E = np.repeat(np.arange(len(learned)), lengths)
    taken_E = session_E % max(1, -(-len(session_E) // TRAINED_ON)) == 0
    label_E = goal_later(learned, dataset.goal)[taken_E]
    if not label_E.any() or label_E.all():
        return None
    model = HistGradientBoostingClassifier(learning_rate=0.1, max_iter=200, early_stopping=True, random_state=seed)
    counted = len(dataset.whole("train"))
    learned_EF = session_features(learned, dataset.catalogue, behaviours=behaviours, counted=counted)[taken_E]
    known_F = np.isfinite(learned_EF).sum(axis=0) >= min(MIN_KNOWN, len(learned_EF))
    model.fit(learned_EF[:, known_F], label_E)
    features_EF = session_features(dataset.whole("test"), dataset.catalogue, behaviours=behaviours)
    probability_M: FloatArray = model.predict_proba(features_EF[moments.events_M][:, known_F])[:, 1]
    return probability_M


def session_features(sessions: Sessions, catalogue: Catalogue, *, behaviours: int, counted: int = 0) -> FloatArray:
    """Features [E, F] of the prefix that ends with each event, inclusive; NaN where the log does not say.

    Args:
        counted: sessions, from the first on, that are among the catalogue's counts.
    """
    offsets = np.asarray(sessions.offsets)
    lengths = np.diff(offsets)
    session_E = np.repeat(np.arange(len(lengths)), lengths)
    starts_E = offsets[:-1][session_E]
    events_E = np.arange(len(session_E))
    items_E, behaviours_E = np.asarray(sessions.items, np.int64), np.asarray(sessions.behaviours, np.int64)
    times_E = np.where(np.asarray(sessions.times) == TIME_UNKNOWN, np.nan, np.asarray(sessions.times))

    def so_far(values_E: npt.NDArray[Any]) -> FloatArray:
        """Running sums in fixed point, equal wherever the session lies: a tree would split on rounding errors."""
        steps_E = np.rint(np.asarray(values_E, np.float64) * STEPS).astype(np.int64)
        sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(steps_E)])
        return (sums[1:] - sums[starts_E]) / STEPS

    def before(values_E: npt.NDArray[Any], steps: int = 1) -> FloatArray:
        earlier_E = np.asarray(values_E, np.float64)[np.maximum(events_E - steps, 0)]
        return np.where(events_E - steps >= starts_E, earlier_E, np.nan)

    length_E = events_E - starts_E + 1.0
    new_E = _first_of(session_E * len(catalogue) + items_E)
    counts_EB = np.stack([so_far(behaviours_E == b) for b in range(behaviours)], axis=1)
    new_stronger_E = _first_of((session_E * behaviours + behaviours_E) * len(catalogue) + items_E)
    distinct_EB = np.stack([so_far(new_stronger_E & (behaviours_E == b)) for b in range(behaviours)], axis=1)
    since_EB = np.stack([events_E - _running(np.where(behaviours_E == b, events_E, -1), lengths) for b in
                         range(behaviours)], axis=1).astype(np.float64)  # fmt: skip
    since_EB[counts_EB == 0] = np.nan
    gap_E = times_E - before(times_E)
    elapsed_E = times_E - times_E[starts_E]
    met_EB = _met_elsewhere(catalogue, session_E, items_E, behaviours_E, counted=counted)
    usual_B = catalogue.counts_NB.sum(axis=0) / max(1, catalogue.counts_NB.sum())
    shares_EB = (met_EB + PRIOR_EVENTS * usual_B) / (met_EB.sum(axis=1) + PRIOR_EVENTS)[:, None]
    popularity_E = np.log1p(met_EB.sum(axis=1))
    price_E = catalogue.prices_N[items_E].astype(np.float64)
    priced_E = np.isfinite(price_E)
    filled_E = np.where(priced_E, price_E, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_price_E = so_far(filled_E) / so_far(priced_E)
        relative_price_E = price_E / mean_price_E
    features = [
        length_E[:, None],
        counts_EB,
        counts_EB / length_E[:, None],
        distinct_EB,
        since_EB,
        so_far(new_E)[:, None],  # distinct items
        (length_E - so_far(new_E))[:, None],  # repeats
        ~new_E[:, None],  # the last item was seen before
        np.stack([behaviours_E, before(behaviours_E), before(behaviours_E, 2)], axis=1),
        np.stack([gap_E, before(gap_E), elapsed_E, elapsed_E / length_E], axis=1),
        np.stack([times_E // HOUR_MS % 24, times_E // (24 * HOUR_MS) % 7], axis=1),
        np.stack([price_E, mean_price_E, relative_price_E, _highest(filled_E, lengths)], axis=1),
        np.stack([popularity_E, so_far(popularity_E) / length_E], axis=1),
        shares_EB,  # behaviour shares of the last item
        np.stack([so_far(share_E) / length_E for share_E in shares_EB.T], axis=1),
        np.stack([_highest(share_E, lengths) for share_E in shares_EB.T], axis=1),
    ]
    return np.concatenate(features, axis=1, dtype=np.float64)


def _met_elsewhere(
    catalogue: Catalogue,
    session_E: npt.NDArray[np.int64],
    items_E: npt.NDArray[np.int64],
    behaviours_E: npt.NDArray[np.int64],
    *,
    counted: int,
) -> FloatArray:
    """Events [E, B] of each event's item, by behaviour; for the first ``counted`` sessions those of the other folds,
    and as many more as a fold is of them."""
    met_EB: FloatArray = catalogue.counts_NB[items_E].astype(np.float64)
    own_E = session_E < counted
    items, behaviours = catalogue.counts_NB.shape
    cell_E = (session_E[own_E] % FOLDS * items + items_E[own_E]) * behaviours
    own_K = np.bincount(cell_E + behaviours_E[own_E], minlength=FOLDS * items * behaviours).reshape(-1, behaviours)
    others_EB = met_EB[own_E] - own_K[cell_E // behaviours]
    met_EB[own_E] = np.maximum(others_EB, 0) * FOLDS / (FOLDS - 1)
    return met_EB


def _first_of(keys_E: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Mask of the first event of each key."""
    first_E = np.zeros(len(keys_E), bool)
    first_E[np.unique(keys_E, return_index=True)[1]] = True
    return first_E


def _running(values_E: npt.NDArray[np.int64], lengths: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Running maximum of integers >= -1 within each segment of the given lengths."""
    span = int(values_E.max(initial=0)) + 2
    lift_E = np.repeat(np.arange(len(lengths)), lengths) * span
    running: npt.NDArray[np.int64] = np.maximum.accumulate(values_E + lift_E) - lift_E
    return running


def _highest(values_E: FloatArray, lengths: npt.NDArray[np.integer[Any]]) -> FloatArray:
    """Running maximum within each session, exact: computed over indices into the sorted distinct values."""
    distinct, place_E = np.unique(values_E, return_inverse=True)
    highest: FloatArray = distinct[_running(place_E.astype(np.int64), lengths)] if len(distinct) else values_E
    return highest
