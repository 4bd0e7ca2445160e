"""compose.yaml: what it names is there, its services find each other, and nothing is open to other machines."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from serving.settings import parse_settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
GRAFANA = ROOT / "serving/ops/grafana"


def mounts(service: str) -> dict[str, str]:
    """Source by target; named volumes too."""
    found = {}
    for each in SERVICES[service]["volumes"]:
        if isinstance(each, dict):
            found[each["target"]] = each["source"]
        else:
            source, target, *_ = each.split(":")
            found[target] = source
    return found


def inner_port(service: str) -> str:
    return SERVICES[service]["ports"][0].rpartition(":")[2]


def test_it_is_valid_by_the_compose_specification():
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    ended = subprocess.run([*command, "compose.yaml"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_is_in_the_repository_or_a_named_volume(service):
    for target, source in mounts(service).items():
        if source.startswith("./"):
            assert (ROOT / source).exists(), target
        else:
            assert source in COMPOSE["volumes"] or target == "/bundle", target


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_bound_to_this_machine_and_differ(service):
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[service]["ports"])
    outer = [port.split(":")[1] for each in SERVICES.values() for port in each["ports"]]
    assert len(outer) == len(set(outer))


def test_images_are_pinned_and_mlflow_is_the_one_that_training_uses():
    pulled = {name: each["image"] for name, each in SERVICES.items() if "build" not in each}
    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in pulled.values()), pulled
    lines = SERVICES["mlflow"]["build"]["dockerfile_inline"]
    assert re.search(r"^FROM \S+:\d\S+$", lines, re.MULTILINE)
    assert "-c /constraints.txt mlflow" in lines
    assert re.search(r"^mlflow==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_mlflow_takes_its_flags_and_prometheus_its_own():
    """By the programs themselves, as far as they are here: a flag of another version would end the container."""
    cli = pytest.importorskip("mlflow.cli").cli
    program, command, *flags = SERVICES["mlflow"]["command"]
    assert program == "mlflow"
    taken = cli.commands[command].make_context(command, flags).params
    assert (taken["host"], str(taken["port"])) == ("0.0.0.0", inner_port("mlflow"))
    assert taken["backend_store_uri"].removeprefix("sqlite:///").startswith(*mounts("mlflow"))
    assert "mlflow:*" in taken["allowed_hosts"]  # the name by which the other services reach it
    prometheus = shutil.which("prometheus")
    if prometheus is not None:  # --help beside flags: an unknown one is refused first
        told = subprocess.run(
            [prometheus, *SERVICES["prometheus"]["command"], "--help"], capture_output=True, text=True
        )
        assert told.returncode == 0, told.stderr


def test_the_server_takes_its_variables_and_its_bundle():
    """The mount is where the image looks for the bundle, and the variables are the server's."""
    image = dict(re.findall(r"\b(TILLSIDE_\w+)=(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8")))
    given = {name: value or "" for name, value in SERVICES["server"]["environment"].items()}
    settings = parse_settings([], image | given)
    assert str(settings.bundle) in mounts("server")
    assert (str(settings.port), settings.admin_port) == (inner_port("server"), 9090)


def test_prometheus_asks_the_admin_port_for_the_same_as_in_production():
    told = yaml.safe_load((ROOT / "serving/ops/prometheus/compose.yml").read_text(encoding="utf-8"))
    usual = yaml.safe_load((ROOT / "serving/ops/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    assert told["scrape_configs"][0]["static_configs"] == [
        {"targets": [f"server:{SERVICES['server']['environment']['TILLSIDE_ADMIN_LISTEN_PORT']}"]}
    ]
    assert told["scrape_configs"][0]["job_name"] == usual["scrape_configs"][0]["job_name"]
    assert told["rule_files"] == usual["rule_files"]
    file = SERVICES["prometheus"]["command"][0].removeprefix("--config.file=")
    folder = ROOT / mounts("prometheus")[str(Path(file).parent)]
    assert all((folder / name).is_file() for name in (Path(file).name, *told["rule_files"]))


def test_grafana_finds_prometheus_and_the_dashboard():
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    assert [each["url"] for each in sources["datasources"]] == [f"http://prometheus:{inner_port('prometheus')}"]
    providers = yaml.safe_load((GRAFANA / "provisioning/dashboards/tillside.yml").read_text(encoding="utf-8"))
    (provider,) = providers["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert str(Path(home).parent) == provider["options"]["path"]
    assert mounts("grafana")[home] == "./serving/ops/grafana/tillside.json"
    assert mounts("grafana")["/etc/grafana/provisioning"] == "./serving/ops/grafana/provisioning"
