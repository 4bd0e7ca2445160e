"""How the list of runs opens in MLflow: views of the experiment, kept with it and chosen by the link.

MLflow's interface reads a view from the experiment's tag ``mlflow.sharedViewState.KEY`` when the address says
``viewStateShareKey=KEY``. Surprising: a link without ``workflowType`` opens the tab for language models, and sweeps
nest only in a list that is sorted by time, where no view can open a parent; a child with the tag ``mlflow.runType`` =
``evaluation`` does, in a browser that has not kept a list of its own for the experiment.
"""

import json
from typing import Final
from urllib.parse import urlencode

TAG: Final = "mlflow.sharedViewState."
NEWEST: Final = "tillside-newest"
BEST: Final = "tillside-best"
START_TIME: Final = "attributes.start_time"
RECALL: Final = "metrics.`test/recall_at_20`"
COLUMNS: Final = (
    "tags.`dataset.name`",
    RECALL,
    "metrics.`test/mrr_at_20`",
    "metrics.`test/intent_auc`",
    "metrics.`serving/p90_ms`",
    "tags.`bundle.version`",
    "metrics.`val/mrr_at_20`",  # all that most trials of a sweep have
)
PARENT: Final = "mlflow.parentRunId"
"""Tag of a child run."""
ALWAYS_THERE: Final = ("0", "attributes.`Run Name`", "runDateAndNestInfo", "duration")
"""Ids of the columns before them."""
WIDTH: Final = 130
"""Pixels of a column; the interface's own choice cuts the names."""


def shared_views() -> dict[str, str]:
    """Tags of an experiment: the newest runs first, or the best."""
    orders = {NEWEST: START_TIME, BEST: RECALL}
    return {f"{TAG}{key}": json.dumps(_view(order), sort_keys=True) for key, order in orders.items()}


def _view(order: str) -> dict[str, object]:
    return {
        "searchFilter": "",
        "orderByKey": order,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": list(COLUMNS),
        "columnOrder": [*ALWAYS_THERE, *COLUMNS],
        "columnWidths": dict.fromkeys(COLUMNS, WIDTH),
        "runsHiddenMode": "FIRST_20_RUNS",
    }


def child_of(run_id: str) -> dict[str, str]:
    """Tags of a child of that run: they nest it under its parent, which opens with it."""
    return {PARENT: run_id, "mlflow.runType": "evaluation"}


def list_link(server: str, experiment_id: str, view: str = NEWEST) -> str:
    """Where a view of the experiment opens."""
    query = urlencode({"workflowType": "machine_learning", "viewStateShareKey": view})
    return f"{server}/#/experiments/{experiment_id}/runs?{query}"
