"""The champion as a run's page needs it, also where the registry or its run lost a part of it."""

from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST

from training.review.champion import Champion, find_champion


def test_a_champion_whose_run_lost_its_metrics_is_still_named():
    def gone(*arguments):
        raise MlflowException("no such artifact")

    version = SimpleNamespace(version=3, run_id="r")
    client = SimpleNamespace(get_model_version_by_alias=lambda name, alias: version, download_artifacts=gone)
    assert find_champion(client, "tillside") == Champion("tillside", "3", "r", None)


def test_a_registry_without_a_champion_has_none_and_any_other_trouble_is_told():
    def refusing(code):
        def raises(name, alias):
            raise MlflowException("no", error_code=code)

        return SimpleNamespace(get_model_version_by_alias=raises)

    assert find_champion(refusing(RESOURCE_DOES_NOT_EXIST), "tillside") is None
    assert (
        find_champion(refusing(INVALID_PARAMETER_VALUE), "tillside") is None
    )  # what a server says of an unknown alias
    with pytest.raises(MlflowException):
        find_champion(refusing(PERMISSION_DENIED), "tillside")


def test_only_metrics_of_the_same_cases_are_compared():
    here = {"dataset": {"test_digest": "a" * 64}}
    assert Champion("tillside", "7", "run", here).tested_like(here)
    assert not Champion("tillside", "7", "run", {"dataset": {"test_digest": "b" * 64}}).tested_like(here)
    assert not Champion("tillside", "7", "run", {}).tested_like(here)
    assert not Champion("tillside", "7", "run", None).tested_like(here)
    assert Champion("tillside", "7", "run", None, role="parent").label == "parent (version 7)"
