"""A run's page: its numbers are those of metrics.json, its first line stands alone, nothing on a figure is cut."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs

import mlflow
import pytest

from tests.datasets import make_dataset, make_sessions, random_rows
from tests.models import SPEC, make_trained
from training.bundle.latency import LENGTHS, measure_latency
from training.bundle.write import export_run
from training.evaluation import sample_sessions
from training.evaluation.run import evaluate_run, headline
from training.evaluation.sample_sessions import (
    Example,
    choose_examples,
    examples_page,
    read_examples,
    with_system,
    write_examples,
)
from training.evaluation.tables import METRICS_FILE
from training.inputs.cases import make_cases
from training.review.champion import find_champion
from training.review.description import (
    with_champion,
)
from training.review.figures import (
    coverage_and_popularity,
    grouped_recall,
    quality_at_k,
    recall_by_popularity,
    serving_latency,
)
from training.review.markdown import GAP, NOTE
from training.review.run_page import Page, bundle_seal, case_by_case, publish_bundle, publish_page
from training.settings.tracking import TrackingConfig
from training.tracking.tracker import Tracker

pytestmark = pytest.mark.slow

ITEMS = 30
HISTORY = [{"epoch": 0, "train/loss": 3.0, "val/recall@20": 0.2, "val/mrr@20": 0.1}]
LATENCY = {"1": {"p50_ms": 0.5, "p90_ms": 0.75}, "50": {"p50_ms": 1.5, "p90_ms": 2.25}}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A page with every part, of an untrained model, in a new SQLite store: folder, tracker, metrics, champion."""
    folder = tmp_path_factory.mktemp("page")
    rows = [random_rows(count, items=ITEMS, seed=seed) for count, seed in ((30, 1), (25, 2))]
    dataset = make_dataset(folder / "<shop>", train=rows[0], test=rows[1], trained=ITEMS)
    trained, run = make_trained(dataset), folder / "run"
    run.mkdir()
    tracker = Tracker.start(TrackingConfig(runs=str(folder / "runs"), uri=f"sqlite:///{folder}/mlflow.db"))
    metrics = evaluate_run(trained, dataset, folder=run, seed=0, tracker=tracker)
    export_run(trained, dataset, run / "bundle", metrics=metrics, run_id=tracker.run_id)
    tracker.client.create_registered_model("tillside")
    version = tracker.client.create_model_version("tillside", source=str(run / "bundle"), run_id=tracker.run_id)
    assert find_champion(tracker.client, "tillside") is None
    assert find_champion(tracker.client, "nobody") is None
    tracker.client.set_registered_model_alias("tillside", "champion", version.version)
    champion = find_champion(tracker.client, "tillside")
    assert champion.shown == ()  # a run gives its sessions away when its page is made
    champion = replace(champion, shown=[[("first", False), ("<i>", True)]] * 20)
    page = Page(dataset, model="a model", metrics=metrics, history=HISTORY, latency=LATENCY, folder=run)
    publish_page(tracker, page, case_by_case(page, champion, seed=0))
    tracker.end()
    return SimpleNamespace(folder=run, tracker=tracker, metrics=metrics, champion=champion, dataset=dataset)


def test_the_numbers_on_the_page_are_those_of_metrics_json(published):
    written = json.loads((published.folder / METRICS_FILE).read_text())
    run = mlflow.MlflowClient(published.tracker.uri).get_run(published.tracker.run_id)
    logged = {name: value for name, value in run.data.metrics.items() if name.startswith("test/")}
    expected = headline(written)
    assert logged == {name.replace("@", "_at_"): number for name, number in expected.items() if number == number}
    text = run.data.tags[NOTE].replace(GAP, "").partition("### Test part")[2]
    table = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    told = {(asked, name.strip("*")): [cases, *figures] for asked, name, cases, *figures in table}
    systems = dict(written["systems"]) | {"champion (version 1)": written["systems"]["tillside"]}
    slices = {(asked, name): s["all"] for name, s in systems.items() for asked in ["all"]}
    slices |= {(asked, name): values for name, s in systems.items() for asked, values in s["by_behaviour"].items()}
    assert told.keys() == slices.keys()
    for key, values in slices.items():
        figures = [values[metric] for metric in ("recall@20", "mrr@20", "ndcg@20")]
        assert told[key] == [
            f"{values['cases']:,}",
            *(f"{f['value']:.4f} [{f['low']:.4f}, {f['high']:.4f}]" for f in figures),
        ]


def test_curves_bundle_and_tables_are_on_the_page(published, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", published.tracker.uri)  # load_table asks no other store
    client = mlflow.MlflowClient(published.tracker.uri)
    for name, key in {"tillside": "tillside", "popularity": "popularity", "champion": "tillside"}.items():
        for metric in ("recall", "mrr", "ndcg"):
            history = client.get_metric_history(published.tracker.run_id, f"{metric}_at_k/{name}")
            curve = published.metrics["systems"][key][f"{metric}_curve"]
            assert {str(point.step): point.value for point in history} == curve
    run = client.get_run(published.tracker.run_id)
    for metric in ("recall", "mrr", "ndcg"):  # each link opens one chart with a line for every system
        (query,) = re.findall(rf"\[{metric}@k\]\(#/metric\?(\S+?)\)", run.data.tags[NOTE])
        asked = parse_qs(query)
        assert json.loads(asked["runs"][0]) == [published.tracker.run_id]
        drawn = set(json.loads(asked["plot_metric_keys"][0]))
        assert drawn == {name for name in run.data.metrics if name.startswith(f"{metric}_at_k/")} != set()
        assert asked["x_axis"] == ["step"]
    assert run.data.metrics["serving/p90_ms"] == 2.25  # of the longest session
    seal = bundle_seal(published.folder / "bundle")
    assert run.data.tags["bundle.version"] == seal["version"] != ""
    assert seal["sha256"] in run.data.tags[NOTE]
    kept = {artifact.path for artifact in client.list_artifacts(published.tracker.run_id)}
    assert kept == {"figures", "latency.json", "metrics.json", "ranks.npz", "sessions.html", "sessions.json"}
    table = client.load_table(published.tracker.run.info.experiment_id, "sessions.json", [published.tracker.run_id])
    assert len(table) == 20
    assert list(table.columns)[:4] == ["session", "asked for", "what came", "tillside"]


def test_a_later_export_takes_the_place_of_the_first_on_the_page(published, tmp_path):
    tracking = TrackingConfig(runs=str(tmp_path), uri=published.tracker.uri)
    tracker = Tracker.start(tracking)
    old = [
        "First.",
        "",
        "- a model",
        "- bundle `old` in `there`; SHA-256",
        "- the bundle answers one session: 9 event(s)",
    ]
    tracker.tags({NOTE: "\n".join(old)})
    tracker.end()
    publish_bundle(Tracker.open(tracking, tracker.run_id), published.folder / "bundle", LATENCY, scratch=tmp_path)
    client = mlflow.MlflowClient(tracker.uri)
    run, seal = client.get_run(tracker.run_id), bundle_seal(published.folder / "bundle")
    assert run.data.tags[NOTE].splitlines() == [
        *old[:3],
        f"- bundle `{seal['version']}` in `{seal['path']}`; SHA-256 of its manifest `{seal['sha256']}`",
        "- the bundle answers one session within, p50 / p90 in milliseconds: "
        "1 event(s) 0.50 / 0.75, 50 event(s) 1.50 / 2.25",
    ]
    assert {name: run.data.tags[f"bundle.{name}"] for name in seal} == seal
    assert run.data.metrics == {"serving/p50_ms": 1.5, "serving/p90_ms": 2.25}
    assert [kept.path for kept in client.list_artifacts(tracker.run_id, "figures")] == ["figures/serving-latency.png"]
    assert run.info.status == "FINISHED"


def test_the_champion_stands_beside_the_run_case_by_case_and_session_by_session(published):
    """Here the two are one model: level everywhere."""
    run = mlflow.MlflowClient(published.tracker.uri).get_run(published.tracker.run_id)
    own = published.metrics["systems"]["tillside"]["all"]
    cases, recall = own["cases"], own["recall@20"]["value"]
    row = f"| all | {cases} | recall@20 | {recall:.4f} | {recall:.4f} | +0.0000 (+0.0000 to +0.0000) |"
    assert row in run.data.tags[NOTE].replace(GAP, "").splitlines()
    first = run.data.tags[NOTE].splitlines()[0]
    assert first.startswith("Trained on &lt;shop&gt; (")  # a tag would not be shown
    assert "level with the champion, tillside version 1" in first
    told = read_examples(published.folder / "sessions.json")
    assert [list(each.shown)[:2] for each in told] == [["tillside", "champion (version 1)"]] * 20
    assert told[0].shown["champion (version 1)"] == [("first", False), ("<i>", True)]
    page = (published.folder / "sessions.html").read_text()
    assert page.count(f'<li>first</li><li class="hit">{sample_sessions.HIT} &lt;i&gt;</li>') == 20
    found = find_champion(published.tracker.client, "tillside")  # whose run has all of it by now
    assert found.ranks.digest == published.metrics["dataset"]["test_digest"]
    assert found.shown == [each.shown["tillside"] for each in told]


def test_a_table_of_sessions_is_read_as_it_was_written(tmp_path):
    written = [
        Example(["click: a, 1.00", "cart: b"], "purchase", "c", {"x": [("c", True), ("1. d", False)], "y": []}),
        Example([], "click", "e", {"x": [("f", False)], "y": [("e", True)]}),
    ]
    assert with_system(written, "z", [[("g", False)]]) == written  # of other cases
    assert list(with_system(written, "z", [[], []])[0].shown) == ["x", "z", "y"]
    write_examples(written, tmp_path, title="t")
    assert read_examples(tmp_path / "sessions.json") == written
    (tmp_path / "sessions.json").write_text('{"columns": ["session"], "data": [["a"]]}')
    with pytest.raises(ValueError, match=r"sessions\.json cannot be read: 'asked for'"):
        read_examples(tmp_path / "sessions.json")


def test_nothing_on_a_figure_is_cut(published):
    systems = with_champion(published.metrics, published.champion)
    assert "champion (version 1)" in systems
    figures = [
        quality_at_k(systems),
        grouped_recall(systems, "by_behaviour", "behaviour asked for"),
        grouped_recall(systems, "by_prefix_length", "events before the target"),
        recall_by_popularity(published.metrics, systems),
        coverage_and_popularity(published.metrics, systems),
        serving_latency(LATENCY),
    ]
    for figure in figures:
        figure.draw_without_rendering()
        whole, needed = figure.bbox_inches, figure.get_tightbbox()
        assert needed.x0 >= 0
        assert needed.y0 >= 0
        assert needed.x1 <= whole.x1
        assert needed.y1 <= whole.y1
    assert len(list((published.folder / "figures").glob("*.png"))) >= len(figures) + 1


def test_examples_are_the_last_cases_of_sessions_spread_evenly():
    sessions = make_sessions([[0], [0, 1, 2], [0, 1], [0, 1, 2, 3], [0, 1], [0, 1, 2]])
    cases = make_cases(sessions, rule="every", spec=SPEC, items=4, goal=2)  # 2, 1, 3, 1 and 2 of a session
    assert choose_examples(cases, 3).tolist() == [1, 5, 8]  # of the last cases 1, 2, 5, 6, 8
    assert choose_examples(cases, 20).tolist() == [1, 2, 5, 6, 8]


def test_names_prices_and_hits_are_shown_and_nothing_a_shop_wrote_becomes_markup(published, tmp_path):
    page = (published.folder / "sessions.html").read_text()
    assert "&lt;shop&gt;" in page
    assert "<shop>" not in page
    table = json.loads((published.folder / "sessions.json").read_text())
    came, shown = (table["columns"].index(name) for name in ("what came", "popularity"))
    hits = [(row[came], re.findall(rf"{sample_sessions.HIT} (.*)", row[shown])) for row in table["data"]]
    assert all(found in ([], [target]) for target, found in hits)
    assert any(found for _, found in hits)
    # prices run evenly from 1 to 9 over 30 items
    assert re.fullmatch(r"item \d+, [1-9]\.\d\d", hits[0][0])
    example = Example(["click: <b>"] * 10, "purchase", "<i>", {"tiny": [("<i>", True), ("a & b", False)]})
    page = examples_page([example], title="t")
    assert page.count("<div>click: &lt;b&gt;</div>") == 8
    assert "2 earlier events" in page
    assert f'<li class="hit">{sample_sessions.HIT} &lt;i&gt;</li><li>a &amp; b</li>' in page


def test_latency_by_hand(published):
    """Five answers to warm up take 1 .. 5 ms by this clock, the 40 that count 6 .. 45 ms."""
    now, calls = 0.0, 0

    def clock() -> float:
        nonlocal now, calls
        calls += 1
        now += (calls // 2 - 1) % 45 + 1 if calls % 2 == 0 else 0
        return now / 1000

    latency = measure_latency(published.folder / "bundle", published.dataset, clock=clock)
    assert list(latency) == [str(length) for length in LENGTHS]
    # 6, 7 ... 45: the median lies between 25 and 26; nine tenths of the way from 6 to 45 is 6 + 35.1
    for entry in latency.values():
        assert entry == {"p50_ms": pytest.approx(25.5), "p90_ms": pytest.approx(41.1)}
