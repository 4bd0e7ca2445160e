"""Purchase intent on the test part: AUC, calibration error and reliability bins, beside gradient boosting.

Shapes: C cases.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.ranking import area_under_roc, calibration_error, reliability
from training.inputs.cases import Cases


def judge_intent(
    intent_C: npt.NDArray[np.float32], cases: Cases, boosted_C: npt.NDArray[np.float64] | None
) -> dict[str, Any]:
    """The ``intent`` entry of a metrics document; empty if the labels of the cases are all equal.

    Args:
        intent_C: probabilities; NaN where the prefix holds no known item. Both systems are judged on the rest.
        boosted_C: probabilities from gradient boosting; None if it could not be trained.
    """
    answered_C = ~np.isnan(intent_C)
    labels_C = cases.goal_later_C[answered_C]
    if not labels_C.any() or labels_C.all():
        return {}
    bins = reliability(intent_C[answered_C], labels_C)
    intent: dict[str, Any] = {
        "auc": area_under_roc(intent_C[answered_C], labels_C),
        "calibration_error": calibration_error(bins),
        "base_rate": float(labels_C.mean()),
        "cases": len(labels_C),
        "reliability": bins,
    }
    if boosted_C is not None:
        boosted_C = boosted_C[answered_C]
        error = calibration_error(reliability(boosted_C, labels_C))
        intent["boosting"] = {"auc": area_under_roc(boosted_C, labels_C), "calibration_error": error}
    return {"intent": intent}
