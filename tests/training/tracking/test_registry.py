"""A registered bundle is an MLflow model that answers as the server does, and nothing of the bundle has changed."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import onnx
import onnxruntime
import pandas as pd
import pytest
from mlflow.protos.databricks_pb2 import FEATURE_DISABLED

from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import encode_answer
from tests.bundles import tiny_bundle
from tests.datasets import make_dataset
from tests.training.candidates import make_ranks, register_candidate
from tillside import bundle
from tillside.bundle import REGISTERED
from tillside.dataset import Dataset
from training.cli.command_lines import interpreter
from training.settings.tracking import TrackingConfig
from training.tracking.registry import (
    ALIAS,
    CHALLENGER,
    CHAMPION,
    OLD_NAME,
    fetch_bundle,
    keep_and_register,
    model_name,
    model_with,
    move_alias,
    named,
    promote_command,
)
from training.tracking.store import open_store
from training.tracking.tracker import Tracker

URI = f"models:/tillside@{CHALLENGER}"
ROWS = [
    {"session": [{"item_id": "apple"}], "k": 3},
    {"session": [{"item_id": "pear", "behaviour": "cart", "timestamp": 1_700_000_000_000}, {"item_id": "plum"}]},
    {"session": [{"item_id": "fig", "timestamp": None}], "behaviour": "purchase", "exclude": ["date"], "k": 2},
    {"session": []},
    {"session": [{"item_id": "apple"}], "k": 3, "hide_seen": True},
]


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> TrackingConfig:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        settings = TrackingConfig(runs=str(tmp_path_factory.mktemp("store") / "runs"), model="tillside")
        settings.uri = open_store(settings)[1]
    return settings


@pytest.fixture(scope="module")
def version(config) -> str:
    return register_candidate(config, make_ranks([1, 2]))


@pytest.fixture
def global_store(config, version) -> Iterator[None]:
    mlflow.set_tracking_uri(config.uri)
    yield
    mlflow.set_tracking_uri(None)  # which clears MLFLOW_TRACKING_URI too; any other value would stay there


def served(rows, folder) -> list[dict]:
    recommender = load_recommender(folder, Limits())
    answers = [recommender.answer(decode_request(json.dumps(row).encode(), Limits())).answer for row in rows]
    plain = [json.loads(encode_answer(answer)) for answer in answers]
    return [
        {
            "items": [item["item_id"] for item in answer["items"]],
            "scores": [item["score"] for item in answer["items"]],
            "seen": [item["seen"] for item in answer["items"]],
            "tier": answer["tier"],
            "purchase_intent": answer["purchase_intent"],
        }
        for answer in plain
    ]


@pytest.mark.usefixtures("global_store")
@pytest.mark.parametrize("shape", [list, pd.DataFrame])
def test_pyfunc_answers_sessions_as_the_server_does(shape, tmp_path):
    """Rows that leave out different fields, as records and as a table."""
    expected = served(ROWS, tiny_bundle(tmp_path / "bundle"))
    answers = mlflow.pyfunc.load_model(URI).predict(shape(ROWS))
    assert answers == expected
    assert answers[0]["items"] == ["apple", "plum", "fig"]  # worked out in tests/bundles.py
    assert [len(answer["items"]) for answer in answers] == [3, 5, 2, 5, 3]
    assert answers[4]["items"] == ["plum", "fig", "pear"]


@pytest.mark.usefixtures("global_store")
def test_a_wrong_row_is_refused_with_the_server_s_sentence():
    model = mlflow.pyfunc.load_model(URI)
    with pytest.raises(ValueError, match="behaviour must be one of click, cart, purchase"):
        model.predict([{"session": [{"item_id": "apple"}], "behaviour": "wish"}])


@pytest.mark.usefixtures("global_store")
def test_the_encoder_is_the_onnx_flavour_with_named_dimensions_and_an_example():
    graph = mlflow.onnx.load_model(URI)
    assert [value.name for value in graph.graph.output] == ["query", "intent"]
    onnxruntime.InferenceSession(graph.SerializeToString())
    info = mlflow.models.get_model_info(URI)
    assert {"onnx", "python_function"} <= info.flavors.keys()
    assert info.metadata["encoder"]["inputs"]["item_vectors"] == ["batch", "length", "dim"]
    assert info.metadata["encoder"]["outputs"]["query"] == ["batch", "dim"]
    columns = ["session", "history", "behaviour", "k", "exclude", "hide_seen"]
    assert [column.name for column in info.signature.inputs] == columns
    example = mlflow.models.Model.load(URI).load_input_example()
    assert mlflow.pyfunc.load_model(URI).predict(example)[0]["items"] == ["apple", "plum", "fig"]


def test_the_bundle_in_the_registry_is_the_bundle_to_the_last_byte(config, version, tmp_path):
    client, _ = open_store(config)
    found = client.get_model_version("tillside", version)
    opened = fetch_bundle(config, found, into=tmp_path)
    assert opened.manifest["run"] == found.run_id
    digest = hashlib.sha256((opened.path / bundle.MANIFEST).read_bytes()).hexdigest()
    assert found.tags["bundle.sha256"] == digest
    assert found.tags["bundle.version"] == opened.version
    assert found.tags["dataset.digest"] == "0" * 64
    assert "Not judged yet" in found.description
    onnx.checker.check_model(str(opened.path / bundle.ENCODER))


def test_a_second_bundle_of_a_run_does_not_write_over_the_first(config, version, tmp_path):
    client, _ = open_store(config)
    first = client.get_model_version("tillside", version)
    tracker = Tracker.open(config, first.run_id)
    again = tiny_bundle(tmp_path / "again", about={"run": tracker.run_id, "parity": {}})
    second = client.get_model_version("tillside", keep_and_register(tracker, again, config, place="bundle"))
    assert first.source != second.source
    assert fetch_bundle(config, first, into=tmp_path / "1").version == first.tags["bundle.version"]
    assert fetch_bundle(config, second, into=tmp_path / "2").version == second.tags["bundle.version"]
    client.set_registered_model_alias("tillside", CHALLENGER, first.version)


def test_a_bundle_that_is_a_version_of_its_run_adds_none(config, version, tmp_path, capsys):
    """Training registers one; an export of the same run makes the same bundle, wherever it lies."""
    client, _ = open_store(config)
    tracker = Tracker.open(config, client.get_model_version("tillside", version).run_id)
    before = len(client.search_model_versions("name='tillside'"))
    same = fetch_bundle(config, client.get_model_version("tillside", version), into=tmp_path).path
    kept = [artifact.path for artifact in client.list_artifacts(tracker.run_id)]
    assert keep_and_register(tracker, same, config) is None
    assert f"this bundle is tillside version {version} already" in capsys.readouterr().out
    assert len(client.search_model_versions("name='tillside'")) == before
    assert [artifact.path for artifact in client.list_artifacts(tracker.run_id)] == kept


def test_the_runs_say_which_aliases_their_versions_have(config, version):
    """Of the run that lost the alias the tag goes; a run of several versions has the aliases of all."""
    first, second = version, register_candidate(config, make_ranks([1, 2]))
    client, uri = open_store(config)
    runs = [str(client.get_model_version("tillside", each).run_id) for each in (first, second)]

    def told() -> list[str | None]:
        return [client.get_run(run).data.tags.get(ALIAS) for run in runs]

    assert told() == [None, CHALLENGER]
    move_alias(client, uri, CHAMPION, client.get_model_version("tillside", second))
    assert told() == [None, "champion, challenger"]
    move_alias(client, uri, CHAMPION, client.get_model_version("tillside", first))
    assert told() == [CHAMPION, CHALLENGER]
    client.delete_registered_model_alias("tillside", CHAMPION)  # as a reviewer may, in MLflow's own pages
    move_alias(client, uri, CHALLENGER, client.get_model_version("tillside", first))
    assert told() == [CHALLENGER, None]


def test_the_config_leaves_the_registry_out(config, tmp_path):
    plain = TrackingConfig(uri=config.uri, runs=config.runs, register=False, model="nobody")
    tracker = Tracker.start(plain)
    assert keep_and_register(tracker, tiny_bundle(tmp_path / "bundle"), plain, place="bundle") is None
    assert not tracker.client.search_model_versions("name='nobody'")
    assert [artifact.path for artifact in tracker.client.list_artifacts(tracker.run_id)] == ["bundle"]


def test_a_store_without_a_registry_costs_one_sentence(config, tmp_path, monkeypatch, capsys):
    tracker = Tracker.start(config)

    def no_registry(*arguments, **named):
        raise mlflow.MlflowException("model registry functionality is unavailable\nand more", FEATURE_DISABLED)

    monkeypatch.setattr(tracker.client, "create_registered_model", no_registry)
    monkeypatch.setattr(tracker.client, "create_model_version", no_registry)
    assert keep_and_register(tracker, tiny_bundle(tmp_path / "bundle"), config, place="bundle") is None
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("not registered: MLflow at sqlite:")
    assert said.endswith("model registry functionality is unavailable")
    assert Path(tracker.client.download_artifacts(tracker.run_id, "bundle/manifest.json", str(tmp_path))).is_file()


def test_the_command_that_judges_says_where_the_version_is():
    assert promote_command(TrackingConfig(), "3") == f"{interpreter()} -m training.promote version=3"
    elsewhere = TrackingConfig(runs="my shop/runs", model="till")
    assert promote_command(elsewhere, "3") == (
        f"{interpreter()} -m training.promote version=3 'tracking.runs=my shop/runs' tracking.model=till"
    )


def test_a_model_is_named_by_its_data_set_so_that_two_shops_of_one_store_do_not_compete(tmp_path):
    """By the name given at preparation, else by the folder; a given model name wins."""
    settings = TrackingConfig(runs=str(tmp_path / "runs"))
    client, uri = open_store(settings)
    shoes, hats = (shop(tmp_path / name) for name in ("shoes", "hats"))
    teas = shop(tmp_path / "dataset", name="tea house")
    assert [named(settings, each, client, uri).model for each in (shoes, hats, teas)] == ["shoes", "hats", "tea house"]
    assert named(replace(settings, model="till"), shoes, client, uri).model == "till"
    first, second = (register_candidate(named(settings, each, client, uri), make_ranks([1])) for each in (shoes, hats))
    assert (first, second) == ("1", "1")
    assert {model.name for model in client.search_registered_models()} == {"shoes", "hats"}


def test_a_name_that_the_server_could_not_read_is_spelt_out():
    """The digits are of the name's SHA-256, so that two such names stay two."""
    assert model_name("rees46") == "rees46"
    assert model_name("a/b: c") == f"a-b- c-{hashlib.sha256(b'a/b: c').hexdigest()[:6]}"
    assert model_name("чай") == f"dataset-{hashlib.sha256('чай'.encode()).hexdigest()[:6]}"
    assert all(REGISTERED.fullmatch(f"models:/{model_name(each)}@champion") for each in ("a/b: c", "чай", ".x"))


def test_the_data_set_of_an_old_stores_champion_goes_on_under_the_old_name(tmp_path, capsys):
    """Until there is a model of its own. Any other shop is told how to go on from that champion, if it is the same."""
    settings = TrackingConfig(runs=str(tmp_path / "runs"))
    client, uri = open_store(settings)
    shoes, hats = shop(tmp_path / "shoes", name="shoes"), shop(tmp_path / "hats")
    about = {"dataset": {"name": "shoes", "digest": "of last month"}}
    register_candidate(replace(settings, model=OLD_NAME), make_ranks([1]), about=about)
    client.set_registered_model_alias(OLD_NAME, CHAMPION, "1")
    register_candidate(replace(settings, model=OLD_NAME), make_ranks([1]))  # of another shop, but not champion
    assert named(settings, shoes, client, uri).model == OLD_NAME
    assert capsys.readouterr().out.count("tracking.model=tillside") == 0
    assert named(settings, hats, client, uri).model == "hats"
    assert "models:/tillside@champion, of shoes: if that is the same shop, tracking.model=tillside goes on" in " ".join(
        capsys.readouterr().out.split()
    )
    client.create_registered_model("shoes")
    assert named(settings, shoes, client, uri).model == "shoes"


def test_a_version_is_found_without_the_models_name_where_there_is_one(tmp_path):
    settings = TrackingConfig(runs=str(tmp_path / "runs"))
    client, uri = open_store(settings)
    register_candidate(replace(settings, model="shoes"), make_ranks([1]))
    run = str(client.get_model_version("shoes", "1").run_id)
    client.create_registered_model("somebody else's")
    assert model_with(client, uri, run=run, version=None) == model_with(client, uri, run=None, version=1) == "shoes"
    register_candidate(replace(settings, model="hats"), make_ranks([1]))
    assert model_with(client, uri, run=run, version=None) == "shoes"
    with pytest.raises(ValueError, match=r"^tracking\.model must be given with version=1, as one of hats, shoes$"):
        model_with(client, uri, run=None, version=1)
    with pytest.raises(ValueError, match=r"^version=7: no model at .* has such a version$"):
        model_with(client, uri, run=None, version=7)
    unregistered = Tracker.start(replace(settings, model="hats"))
    with pytest.raises(ValueError, match=r"has no registered version at .*; training\.export registers one$"):
        model_with(client, uri, run=unregistered.run_id, version=None)


def shop(folder: Path, *, name: str | None = None) -> Dataset:
    """A data set that was given a name, or was not."""
    return make_dataset(folder, train=[[0, 1]], test=[[0, 1]], trained=2, config={"name": name})
