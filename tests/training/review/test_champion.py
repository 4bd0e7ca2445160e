"""The champion as a run's page needs it, also where the registry or its run lost a part of it."""

from types import SimpleNamespace

from mlflow.exceptions import MlflowException

from training.review.champion import Champion, find_champion


def test_a_champion_whose_run_lost_its_metrics_is_still_named():
    def gone(*arguments):
        raise MlflowException("no such artifact")

    version = SimpleNamespace(version=3, run_id="r")
    client = SimpleNamespace(get_model_version_by_alias=lambda name, alias: version, download_artifacts=gone)
    assert find_champion(client, "tillside") == Champion("tillside", "3", "r", None)
