"""Shared views of MLflow's run list: stored as tags of the experiment, selected by the link.

MLflow's UI reads a view from the experiment's tag ``mlflow.sharedViewState.KEY`` when the URL has
``viewStateShareKey=KEY``. Surprising: a link without ``workflowType`` opens the tab for language models. Sweeps nest
only in a list sorted by time, where no view can expand a parent; a child with the tag ``mlflow.runType`` =
``evaluation`` does, in a browser that has not stored list settings of its own for the experiment. A metric is rounded
nowhere, so the columns are as wide as their names and no wider: all of them fit a window of 1,280 pixels.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

TAG: Final = "mlflow.sharedViewState."
NEWEST: Final = "tillside-newest"
BEST: Final = "tillside-best"
START_TIME: Final = "attributes.start_time"
VALIDATED: Final = "metrics.`val/blend/recall_at_20`"
"""What the runs of a data set are compared by: the test part only reports."""
COLUMNS: Final = {
    VALIDATED: 162,
    "tags.`alias`": 92,
    "metrics.`test/recall_at_20`": 126,
    "tags.`history`": 62,
    "tags.`softmax`": 72,
    "tags.`seed`": 48,
}
"""Chosen columns and their widths in pixels."""
PARENT: Final = "mlflow.parentRunId"
"""Child run's tag: its parent's run id."""
NAME: Final = "attributes.`Run Name`"
CREATED: Final = "runDateAndNestInfo"
ALWAYS_THERE: Final = {"0": 72, NAME: 285, CREATED: 44, "duration": 60}
"""Ids and widths of the columns that no view can hide. Of the age of a run, which its name tells, only the sign of how
it ended is left."""
BY_DATASET: Final = {
    "aggregateFunction": "max",
    "groupByKeys": [{"mode": "tag", "groupByData": "dataset.name"}],
}


def shared_views() -> dict[str, str]:
    """Experiment tags that define two views: newest runs first, and by data set the best on validation first."""
    views = {NEWEST: _view(START_TIME, None), BEST: _view(VALIDATED, BY_DATASET)}
    return {f"{TAG}{key}": json.dumps(view, sort_keys=True) for key, view in views.items()}


def _view(order: str, groups: Mapping[str, object] | None) -> dict[str, object]:
    widths = {name: width for name, width in (ALWAYS_THERE | COLUMNS).items() if name != "0"}
    return {
        "searchFilter": "",
        "orderByKey": order,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": list(COLUMNS),
        "columnOrder": ["0", NAME, CREATED, *COLUMNS, "duration"],
        "columnWidths": widths,
        "groupBy": groups,
        "useGroupedValuesInCharts": False,
        "runsHiddenMode": "FIRST_20_RUNS",
    }


def child_of(run_id: str) -> dict[str, str]:
    """Tags that nest a run under the parent ``run_id`` and have the UI expand it."""
    return {PARENT: run_id, "mlflow.runType": "evaluation"}


def curves_link(server: str, experiment_id: str, run_id: str, metrics: Sequence[str]) -> str:
    """URL of one chart of several of a run's metrics over their steps; relative without ``server``."""
    runs, there, first, shown = (
        json.dumps(each, separators=(",", ":")) for each in ([run_id], [experiment_id], metrics[0], list(metrics))
    )
    query = {"runs": runs, "metric": first, "experiments": there, "plot_metric_keys": shown}
    query |= {"x_axis": "step", "line_smoothness": "1", "show_point": "true"}
    return f"{server}/#/metric?{urlencode(query)}" if server else f"#/metric?{urlencode(query)}"


def list_link(server: str, experiment_id: str, view: str = NEWEST) -> str:
    """URL of a view of the experiment's run list."""
    query = urlencode({"workflowType": "machine_learning", "viewStateShareKey": view})
    return f"{server}/#/experiments/{experiment_id}/runs?{query}"
