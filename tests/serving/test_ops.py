"""What operators load, serving/ops: rules that fire when they should, and nothing that asks for what is not there."""

import contextlib
import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from serving.process.forgetting import Forgetting
from serving.settings import Settings, parse_settings
from serving.telemetry.metrics import Metrics

OPS = Path(__file__).parents[2] / "serving/ops"
RULES = OPS / "prometheus/alerts.yml"
DASHBOARD = json.loads((OPS / "grafana/tillside.json").read_text(encoding="utf-8"))
MANIFESTS = sorted((OPS / "kubernetes").glob("*.yaml"))

METRICS = {
    "tillside_stage_seconds_bucket": {"stage", "le"},
    "tillside_answers_total": {"tier", "reason", "behaviour", "placement"},
    "tillside_policy_dropped_total": {"rule"},
    "tillside_policy_info": {"version"},
    "tillside_items_feed_timestamp_seconds": set(),
    "tillside_responses_total": {"status"},
    "tillside_unknown_items_total": set(),
    "tillside_model_failures_total": set(),
    "tillside_queue_depth": set(),
    "tillside_bundle_info": {"version"},
    "tillside_bundle_loaded_timestamp_seconds": set(),
    "tillside_bundle_reloads_total": {"result"},
    "tillside_catalogue_timestamp_seconds": set(),
    "tillside_items": set(),
    "tillside_forget_pending": set(),
    "tillside_forget_orders_total": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
    "up": set(),
}
"""Every series of the server that is shown, and Prometheus' own ``up``, with their labels."""
WITH_FEEDBACK = {"tillside_forget_asked_total", "tillside_forget_records_total"}
"""Further ones of a server with ``--feedback DIR``, which those above tell enough of."""
OF_THE_SCRAPE = {"job", "instance"}


def selectors(expression: str) -> list[tuple[str, set[str]]]:
    """The metrics of a PromQL expression, each with the labels that it is selected by."""
    text = re.sub(r'"[^"]*"', "0", expression)
    text = re.sub(r"\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    found = []
    for name, after in re.findall(r"(?<![\w.:{,])([a-zA-Z_:][\w:]*)(?![\w:])\s*(\{[^}]*\}|\()?", text):
        if after != "(" and name not in {"and", "or", "unless", "offset", "bool"}:
            found.append((name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", after))))
    return found


def expressions() -> dict[str, str]:
    """Every expression of the rules and the dashboard, by what it belongs to."""
    found = {}
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        found |= {f"alert {rule['alert']}": rule["expr"] for rule in group["rules"]}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            found[f"panel {panel['title']} {target['refId']}"] = target["expr"]
    found |= {f"annotation {one['name']}": one["expr"] for one in DASHBOARD["annotations"]["list"]}
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            labels = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            found[f"variable {variable['name']}"] = labels[1]
    return found


def test_the_reader_of_promql():
    expression = 'sum by (le) (rate(a_total{b="c{d}", h!~"x"}[5m] offset 1h)) / 2e3 > bool on (e) f unless g'
    assert selectors(expression) == [("a_total", {"b", "h"}), ("f", set()), ("g", set())]
    assert selectors('time() - min(x{y=~"$z"}) > 14 * 86400') == [("x", {"y"})]


@pytest.mark.parametrize(("name", "expression"), expressions().items(), ids=expressions())
def test_nothing_asks_for_a_series_or_a_label_that_the_server_does_not_have(name, expression):
    found = selectors(expression)
    assert found
    for metric, labels in found:
        assert metric in METRICS, metric
        assert labels <= METRICS[metric] | OF_THE_SCRAPE, metric


def test_the_series_are_the_servers(tmp_path):
    suffixes = {"counter": "_total", "histogram": "_bucket"}
    registry, settings = Metrics().registry, Settings(tmp_path, feedback=tmp_path / "feedback")
    with contextlib.closing(Forgetting(settings, None, registry=registry)):
        own = [family for family in registry.collect() if family.name.startswith("tillside_")]
    names = {family.name + suffixes.get(family.type, "") for family in own}
    assert names == {metric for metric in METRICS if "tillside" in metric} | WITH_FEEDBACK


def test_the_deployment_starts_the_server_with_flags_that_it_knows():
    pods = [
        m["spec"]["template"]["spec"]
        for p in MANIFESTS
        for m in yaml.safe_load_all(p.read_text())
        if m["kind"] == "Deployment"
    ]
    settings = parse_settings(pods[0]["containers"][0]["args"], {})
    assert (settings.port, settings.admin_port) == (8080, 9090)


def test_every_series_is_shown():
    shown = {
        metric for name, text in expressions().items() if name.startswith("panel") for metric, _ in selectors(text)
    }
    assert shown == set(METRICS)


def test_every_alert_has_a_test_in_which_it_fires_and_says_what_to_do():
    rules = [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    tests = yaml.safe_load((OPS / "prometheus/alerts.test.yml").read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert fired == silent == {rule["alert"] for rule in rules}
    assert all(rule["annotations"].keys() == {"summary", "action"} for rule in rules)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "config", "compose.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(arguments):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    ended = subprocess.run([promtool, *arguments], cwd=RULES.parent, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_dashboard_fits_together():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    known = {variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"__all", "__rate_interval"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) == known
    assert {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"} == {"${datasource}"}


def documents() -> dict[tuple[str, str], dict]:
    """Every Kubernetes object by kind and name."""
    found = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(by_name) == len(found)
    return by_name


@pytest.mark.parametrize("version", ["1.27", "1.33"])
@pytest.mark.parametrize(("kind", "name"), list(documents()), ids=lambda word: word)
def test_the_manifests_are_valid(kind, name, version):
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    kubernetes_validate.validate(documents()[kind, name], version, strict=True)


@pytest.mark.parametrize("version", ["1.27", "1.33"])
def test_the_nightly_job_is_valid(version):
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    job = yaml.safe_load((OPS / "kubernetes/optional/learning.yaml").read_text(encoding="utf-8"))
    kubernetes_validate.validate(job, version, strict=True)


def test_the_manifests_fit_together():
    objects = documents()
    deployment = objects["Deployment", "tillside"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    pod = deployment["template"]["spec"]
    [container] = pod["containers"]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    flags = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    assert ports == {"http": flags["--port"], "admin": flags["--admin-port"]}
    assert flags["--bundle"].startswith(container["volumeMounts"][0]["mountPath"] + "/")
    for kind in ("PodDisruptionBudget", "Deployment"):
        assert objects[kind, "tillside"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for name in ("tillside", "tillside-admin"):
        service = objects["Service", name]["spec"]
        assert service["selector"].items() <= labels.items()
        assert {port["targetPort"] for port in service["ports"]} <= ports.keys()
    policy = objects["NetworkPolicy", "tillside"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == ports.keys()
    scaled = objects["HorizontalPodAutoscaler", "tillside"]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Deployment", "tillside")
    monitor = yaml.safe_load((OPS / "kubernetes/optional/servicemonitor.yaml").read_text(encoding="utf-8"))["spec"]
    admin = objects["Service", "tillside-admin"]
    assert monitor["selector"]["matchLabels"].items() <= admin["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == admin["spec"]["ports"][0]["name"]
    assert admin["metadata"]["labels"][monitor["jobLabel"]] == "tillside"  # the job that rules and dashboard ask for


def test_the_pod_is_locked_down_and_ends_in_order():
    pod = documents()["Deployment", "tillside"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert re.fullmatch(r"[\w./-]+@sha256:[0-9a-f]{64}", container["image"])
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"]
    writable = [mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["tmp"]  # for the copy of the bundle, and gone with the pod
    assert {"name": "tmp", "emptyDir": {}} in pod["volumes"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    waits = int(re.search(r"sleep\((\d+)\)", container["lifecycle"]["preStop"]["exec"]["command"][2])[1])
    assert waits + 30 <= pod["terminationGracePeriodSeconds"]
