"""The shared views of MLflow's list of runs: what a link names is what the experiment keeps."""

import json
from urllib.parse import parse_qs

from training.tracking.views import ALWAYS_THERE, BEST, COLUMNS, NEWEST, child_of, curves_link, list_link, shared_views

WIDTH = 1025
"""Pixels that a window of 1,280 leaves the list of MLflow 3.17, once its assistant is closed."""


def test_newest_goes_by_time_and_best_by_what_was_validated_both_with_the_same_columns():
    views = {name.removeprefix("mlflow.sharedViewState."): json.loads(text) for name, text in shared_views().items()}
    assert {name: (view["orderByKey"], view["orderByAsc"]) for name, view in views.items()} == {
        NEWEST: ("attributes.start_time", False),
        BEST: ("metrics.`val/blend/recall_at_20`", False),
    }
    assert views[NEWEST]["groupBy"] is None  # sweeps nest
    assert views[BEST]["groupBy"]["groupByKeys"] == [{"mode": "tag", "groupByData": "dataset.name"}]
    for view in views.values():
        assert view["selectedColumns"] == list(COLUMNS)
        assert set(COLUMNS) < set(view["columnOrder"])
        assert view["columnWidths"].keys() == set(view["columnOrder"]) - {"0"}  # of the boxes, which keep theirs
        assert ALWAYS_THERE["0"] + sum(view["columnWidths"].values()) <= WIDTH


def test_a_view_is_the_same_text_every_time_or_it_would_be_written_at_every_start():
    assert shared_views() == shared_views()


def test_a_link_opens_the_tab_for_runs_in_its_view():
    place = "http://s/#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey"
    assert list_link("http://s", "7") == f"{place}={NEWEST}"
    assert list_link("http://s", "7", BEST) == f"{place}={BEST}"


def test_a_chart_of_several_metrics_of_one_run_has_them_all_in_its_link():
    link = curves_link("http://s", "7", "r", ["a_at_k/x", "a_at_k/y z"])
    place, _, query = link.partition("?")
    assert place == "http://s/#/metric"
    asked = {key: values[0] for key, values in parse_qs(query).items()}
    lists = {key: json.loads(asked[key]) for key in ("runs", "metric", "experiments", "plot_metric_keys")}
    names = ["a_at_k/x", "a_at_k/y z"]
    assert lists == {"runs": ["r"], "metric": names[0], "experiments": ["7"], "plot_metric_keys": names}
    assert curves_link("", "7", "r", names) == link.removeprefix("http://s/")


def test_a_child_names_its_parent_and_is_shown_under_it():
    assert child_of("p") == {"mlflow.parentRunId": "p", "mlflow.runType": "evaluation"}
