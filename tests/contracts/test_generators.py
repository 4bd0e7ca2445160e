"""Three generators make clients of the OpenAPI documents with which a shop can be written: a checkout, a product page,
a list, a feed, and an error's handling, under the strictest types of their language, against a running server.

Surprising: the two for TypeScript come from npm, once for all tests of this file, into a folder of the run.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from docs.generate.__main__ import DOCUMENTS, REFERENCE
from tests.serving.server_process import ServerProcess
from tests.tills import NOW_MS, till

SHIPPED = Path(__file__).parents[2] / "src" / "tillside-js"
SOURCES = Path(__file__).parent / "generators"
TOKEN = "of-the-test"
EXPECTED = {
    "fed": 6,
    "checkout": ["case", "film"],
    "slots": 2,
    "reason": "Goes well with Phone",
    "percent": 10.0,
    "bundles": [["case", "film"]],
    "product": [True],
    "list": ["Film", "Scarf"],
    "page": [["phone-se"], ["scarf"]],
    "plain": 7,
    "digest": "0" * 64,
    "refusal": ["k", "an integer from 1 to 1000"],
}
"""What the shop of tests.tills answers, whoever asks."""


pytestmark = pytest.mark.slow  # what a document makes does not depend on the Python


def run(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """What a command said; it must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **variables})
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("generators-server")
    variables = {"TILLSIDE_ADMIN_TOKEN": TOKEN}
    with ServerProcess(till(folder / "bundle"), folder / "log", "--admin-port", "0", variables=variables) as server:
        yield server


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the generators from npm and the sources of the shops."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("no node or npm here: the generators for TypeScript are not tried")
    folder = tmp_path_factory.mktemp("generators")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    done = subprocess.run(["npm", "install", *quiet], cwd=folder, capture_output=True, text=True)
    if done.returncode and any(word in done.stderr for word in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")):
        pytest.skip("the registry of npm cannot be reached: the generators for TypeScript are not tried")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def built(installed) -> Path:
    """The folder with both shops in TypeScript compiled."""
    tool = installed / "node_modules" / ".bin"
    for name, document in zip(("main", "admin", "collector"), DOCUMENTS, strict=True):
        run([tool / "openapi-typescript", REFERENCE / document, "-o", f"generated/{name}.d.ts"], installed)
        flags = ("-o", f"generated/hey-{name}", "-c", "@hey-api/client-fetch", "--no-log-file")
        run([tool / "openapi-ts", "-i", REFERENCE / document, *flags], installed)
    shipped, package = installed / "tillside-js", installed / "node_modules" / "tillside"
    shutil.copytree(SHIPPED, shipped)
    for name, document in zip(("schema", "admin-schema"), DOCUMENTS, strict=False):  # not the collector's
        run([tool / "openapi-typescript", REFERENCE / document, "-o", shipped / f"{name}.ts"], installed)
    run([tool / "tsc", "-p", shipped], installed)
    shutil.copytree(shipped / "built", package / "built")
    shutil.copy(shipped / "package.json", package)
    run([tool / "tsc", "-p", "."], installed)
    return installed / "built"


def test_two_linters_find_nothing(installed):
    """Not a hint in either document."""
    tool, documents = installed / "node_modules" / ".bin", [REFERENCE / document for document in DOCUMENTS]
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    run([tool / "redocly", "lint", *documents, "--extends", "recommended-strict"], installed, **quiet)
    options = ("--ruleset", installed / "spectral.yaml", "--fail-severity", "hint")
    run([tool / "spectral", "lint", *documents, *options], installed)


@pytest.mark.parametrize("shop", ["openapi_fetch", "hey_api"])
def test_a_shop_in_typescript(built, server, shop):
    command = ["node", built / f"{shop}.js", server.url, server.admin_url, TOKEN, str(NOW_MS)]
    assert json.loads(run(command, built)) == EXPECTED


def test_the_client_that_ships(built, server):
    """Beside the same answers: what a refusal and a server that is not there make of the shop's own list."""
    command = ["node", built / "shipped.js", server.url, server.admin_url, TOKEN, str(NOW_MS)]
    found = json.loads(run(command, built))
    assert found.pop("own") == ["caller", "refused", 409]
    assert found.pop("alone") == [
        [["bag", "bow"], ["x", "z"], ["card"], ["bag"], ["card", "bow"]],
        ["caller", "connect", "checkout", None],
    ]
    assert found == EXPECTED


def test_its_generator_and_compiler_are_those_that_are_tried():
    """Versions are exact, and no file names where packages come from."""
    shipped = json.loads((SHIPPED / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    tried = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert shipped.items() <= tried.items()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in tried.values())
    assert not list(SHIPPED.glob("*lock*"))


def test_a_shop_in_python(server, tmp_path):
    pytest.importorskip("openapi_python_client", reason="pip install openapi-python-client")
    config = tmp_path / "config.yaml"
    # the generator has no word for YAML, as which the admin port takes and gives a policy, nor for a JSON text a line
    plain = "application/octet-stream"
    overrides = f"content_type_overrides: {{application/yaml: {plain}, application/x-ndjson: {plain}}}"
    config.write_text(f"post_hooks: []\n{overrides}\n", encoding="utf-8")
    for package, document in zip(("main_client", "admin_client", "collector_client"), DOCUMENTS, strict=True):
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", REFERENCE / document]
        run([*command, "--meta", "none", "--output-path", package, "--config", config, "--fail-on-warning"], tmp_path)
    command = [sys.executable, SOURCES / "python_client.py", server.url, server.admin_url, TOKEN, str(NOW_MS)]
    assert json.loads(run(command, tmp_path, PYTHONPATH=str(tmp_path))) == EXPECTED
