"""The shared views of MLflow's list of runs: what a link names is what the experiment keeps."""

import json

from training.tracking.views import BEST, COLUMNS, NEWEST, child_of, list_link, shared_views


def test_newest_goes_by_time_and_best_by_recall_both_with_the_same_columns():
    views = {name.removeprefix("mlflow.sharedViewState."): json.loads(text) for name, text in shared_views().items()}
    assert {name: (view["orderByKey"], view["orderByAsc"]) for name, view in views.items()} == {
        NEWEST: ("attributes.start_time", False),
        BEST: ("metrics.`test/recall_at_20`", False),
    }
    for view in views.values():
        assert view["selectedColumns"] == list(COLUMNS)
        assert view["columnOrder"][-len(COLUMNS) :] == list(COLUMNS)
        assert view["columnWidths"].keys() == set(COLUMNS)


def test_a_view_is_the_same_text_every_time_or_it_would_be_written_at_every_start():
    assert shared_views() == shared_views()


def test_a_link_opens_the_tab_for_runs_in_its_view():
    place = "http://s/#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey"
    assert list_link("http://s", "7") == f"{place}={NEWEST}"
    assert list_link("http://s", "7", BEST) == f"{place}={BEST}"


def test_a_child_names_its_parent_and_is_shown_under_it():
    assert child_of("p") == {"mlflow.parentRunId": "p", "mlflow.runType": "evaluation"}
