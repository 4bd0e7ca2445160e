"""Shared views of MLflow's run list: stored as tags of the experiment, selected by the link.

MLflow's UI reads a view from the experiment's tag ``mlflow.sharedViewState.KEY`` when the URL has
``viewStateShareKey=KEY``. Surprising: a link without ``workflowType`` opens the tab for language models. Sweeps nest
only in a list sorted by time, where no view can expand a parent; a child with the tag ``mlflow.runType`` =
``evaluation`` does, in a browser that has not stored list settings of its own for the experiment.
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
    "metrics.`val/mrr_at_20`",  # the only one most trials of a sweep have
)
PARENT: Final = "mlflow.parentRunId"
"""Child run's tag: its parent's run id."""
ALWAYS_THERE: Final = ("0", "attributes.`Run Name`", "runDateAndNestInfo", "duration")
"""Ids of the columns before COLUMNS."""
WIDTH: Final = 130
"""Column width in pixels; the UI's default truncates the names."""


def shared_views() -> dict[str, str]:
    """Experiment tags that define two views: newest runs first, and best first."""
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
    """Tags that nest a run under the parent ``run_id`` and have the UI expand it."""
    return {PARENT: run_id, "mlflow.runType": "evaluation"}


def list_link(server: str, experiment_id: str, view: str = NEWEST) -> str:
    """URL of a view of the experiment's run list."""
    query = urlencode({"workflowType": "machine_learning", "viewStateShareKey": view})
    return f"{server}/#/experiments/{experiment_id}/runs?{query}"
