"""The notebook's functions give what the commands give, from tables of every library that speaks Arrow."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from training.api import fit, load, prepare, relate
from training.evaluation.tables import METRICS_FILE

START = pd.Timestamp("2026-01-05", tz="UTC")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("one_thread", "module_without_figures"),
    pytest.mark.filterwarnings("ignore:Series.values returning"),  # pandas to its neighbours, where the test converts
]


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """200 sessions, one an hour, that walk a circle of twelve items two steps at a time; every second one ends with a
    purchase."""
    rows = [
        {
            "session_id": f"s{session:03}",
            "item_id": f"i{(session * 5 + 2 * step) % 12:02}",
            "behaviour": "purchase" if step == 4 and session % 2 else "click",
            "timestamp": START + pd.Timedelta(hours=session, seconds=5 * step),
        }
        for session in range(200)
        for step in range(5)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def dataset(events, tmp_path_factory):
    return prepare(events, out=tmp_path_factory.mktemp("api") / "dataset", settings={"name": "circle"})


@pytest.fixture(scope="module")
def model(dataset, tmp_path_factory):
    runs = tmp_path_factory.mktemp("api") / "runs"
    settings = {"model": "small", "trainer.max_epochs": 2, "tracking.runs": str(runs), "trainer.progress_bar": False}
    return fit(dataset, settings=settings)


@pytest.mark.parametrize(
    "made",
    [
        pl.from_pandas,
        lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
        lambda frame: frame.to_dict("list"),
    ],
    ids=["polars", "arrow", "mapping"],
)
def test_the_same_events_make_the_same_data_set_from_every_kind_of_table(events, dataset, made, tmp_path):
    assert prepare(made(events), out=tmp_path / "d", settings={"name": "circle"}).digest == dataset.digest


def test_the_same_events_make_the_same_data_set_from_a_file_as_the_command_reads_it(events, dataset, tmp_path):
    events.to_csv(tmp_path / "log.csv", index=False)
    again = prepare(tmp_path / "log.csv", out=tmp_path / "d", settings={"name": "circle"})
    assert again.digest == dataset.digest


def test_what_is_no_table_is_refused_with_what_is_allowed(tmp_path):
    with pytest.raises(ValueError, match=r"^events must be a pandas, polars or Arrow table, .* got int$"):
        prepare(7, out=tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_mistyped_setting_names_the_allowed_ones(events, tmp_path):
    with pytest.raises(ValueError, match="min_item_suport"):
        prepare(events, out=tmp_path / "d", settings={"min_item_suport": 2})


def test_answers_are_the_server_s(model):
    """Item for item and score for score what its recommender gives to the same requests."""
    sessions = [["i00", "i02"], [{"item_id": "i05", "behaviour": "click"}], ["nobody knows this"]]
    frame = model.recommend(sessions, behaviour="purchase", k=4, exclude=["i04"])
    limits = Limits()
    recommender = load_recommender(model.bundle.path, limits)
    for number, session in enumerate(sessions):
        asked = [each if isinstance(each, dict) else {"item_id": each} for each in session]
        body = {"session": asked, "behaviour": "purchase", "k": 4, "exclude": ["i04"]}
        [outcome] = recommender.answer_many([decode_request(json.dumps(body).encode(), limits)])
        rows = frame[frame.session_id == number]
        assert rows.item_id.tolist() == [item.item_id for item in outcome.answer.items]
        assert rows.score.tolist() == [item.score for item in outcome.answer.items]
        assert set(rows.tier) == {outcome.answer.tier}
    assert frame["rank"].tolist() == [1, 2, 3, 4] * 3
    assert "i04" not in set(frame.item_id)


def test_sessions_come_from_a_table_too_in_its_order(model):
    times = pd.to_datetime(["2026-02-01", "2026-02-01", "2026-02-02"], utc=True)
    table = pd.DataFrame({"session_id": ["b", "b", "a"], "item_id": ["i00", "i02", "i05"], "timestamp": times})
    frame = model.recommend(pl.from_pandas(table), k=2)
    assert frame.session_id.tolist() == ["b", "b", "a", "a"]
    milliseconds = [{"item_id": "i00", "timestamp": 1769904000000}, {"item_id": "i02", "timestamp": 1769904000000}]
    assert frame.item_id.tolist()[:2] == model.recommend([milliseconds], k=2).item_id.tolist()


def test_sessions_without_a_column_of_items_are_refused(model):
    with pytest.raises(ValueError, match=r"^sessions has no column item_id; it has: session_id, sku$"):
        model.recommend(pd.DataFrame({"session_id": ["a"], "sku": ["i00"]}))


def test_the_metrics_are_those_that_the_run_recorded(model):
    recorded = json.loads((Path(model.tracking.runs) / model.run / METRICS_FILE).read_text(encoding="utf-8"))
    frame = model.evaluate()
    row = frame[(frame.system == "tillside") & (frame["cases of"] == "all")].iloc[0]
    value = recorded["systems"]["tillside"]["all"]["recall@20"]
    assert (row["recall@20"], row["recall@20 low"]) == (value["value"], value["low"])
    assert row["cases"] == recorded["cases"]


def test_other_baselines_are_judged_on_the_same_cases(model):
    frame = model.evaluate(["item_knn"])
    assert "item-knn" in set(frame.system)
    again = frame[(frame.system == "tillside") & (frame["cases of"] == "all")]
    before = model.evaluate().query("system == 'tillside' and `cases of` == 'all'")
    np.testing.assert_array_equal(again["mrr@20"], before["mrr@20"])


def test_a_run_is_loaded_again_and_exports_a_bundle_that_answers_alike(model, tmp_path):
    again = load(model.run, settings={"tracking.runs": model.tracking.runs})
    exported = again.export(tmp_path / "bundle")
    assert exported.bundle.path == tmp_path / "bundle"
    pd.testing.assert_frame_equal(exported.recommend([["i00"]]), model.recommend([["i00"]]))


def test_relations_are_mined_and_kept_beside_the_data(dataset):
    relations = relate(dataset, settings={"least": 2})
    assert relations.about["dataset"]["digest"] == dataset.digest
    assert (dataset.path / "relations").is_dir()


def test_a_shipped_policy_goes_by_its_name(model, tmp_path):
    exported = model.export(tmp_path / "bundle", settings={"policy": "online_retail"})
    assert (exported.bundle.path / "policy.yaml").is_file()
