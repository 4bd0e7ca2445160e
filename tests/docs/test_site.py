"""The site made of the repository's pages: links fit the place of a page there, notebooks become pages."""

import json
import re
import subprocess
import sys

import pytest

pytest.importorskip("mkdocs", reason="pip install '.[docs]'")

from docs.generate.site import ROOT, notebook_page, places, relinked

SITES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "docs/how-to/serve.md": "how-to/serve.md",
    "docs/policy.md": "policy.md",
    "serving/ops/README.md": "how-to/operations.md",
}


@pytest.mark.parametrize(
    ("page", "written", "shown"),
    [
        ("README.md", "[a](docs/policy.md#rules)", "[a](policy.md#rules)"),
        ("docs/how-to/serve.md", "[a](../../README.md)", "[a](../index.md)"),
        ("docs/how-to/serve.md", "[a](../../serving/ops/README.md#logs)", "[a](operations.md#logs)"),
        ("serving/ops/README.md", "[a](../../docs/policy.md)", "[a](../policy.md)"),
        ("README.md", "[the image](Dockerfile)", "the image (`Dockerfile`)"),
        ("README.md", "[Dockerfile](Dockerfile)", "Dockerfile"),
        ("README.md", "[a](https://example.org) [b](#here)", "[a](https://example.org) [b](#here)"),
        ("README.md", "`[a](docs/policy.md)`", "`[a](docs/policy.md)`"),
        ("README.md", "```\n[a](docs/policy.md)\n```", "```\n[a](docs/policy.md)\n```"),
        ("README.md", "```yaml policy\n[a](docs/policy.md)\n```", "```yaml\n[a](docs/policy.md)\n```"),
        ("README.md", "[a](docs/gone.md)", "[a](docs/gone.md)"),  # mkdocs then says that it leads nowhere
    ],
)
def test_links_fit_the_site(page, written, shown):
    assert relinked(written, page, SITES) == shown


def test_every_page_of_the_repository_has_one_place():
    sites = places()
    assert len(set(sites.values())) == len(sites)
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert pages | {"README.md", "CHANGELOG.md", "serving/ops/README.md"} <= set(sites)


def test_pictures_are_small_and_each_is_shown():
    pages = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 200_000, picture.name
        assert f"images/{picture.name})" in pages, picture.name


def test_a_notebook_is_a_page_of_its_text_code_and_output(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "words"]},
        {"cell_type": "code", "source": ["1 + 1"], "outputs": [{"data": {"text/plain": ["2"]}}]},
        {
            "cell_type": "code",
            "source": ["plot()"],
            "outputs": [{"data": {"image/png": "AAAA\n", "text/plain": ["<F>"]}}],
        },
        {"cell_type": "code", "source": [], "outputs": []},
    ]
    (tmp_path / "first.ipynb").write_text(json.dumps({"cells": cells}))
    assert notebook_page(tmp_path / "first.ipynb").splitlines() == [
        "# Title",
        "words",
        "",
        "```python",
        "1 + 1",
        "```",
        "",
        "```text",
        "2",
        "```",
        "",
        "```python",
        "plot()",
        "```",
        "",
        "![output](data:image/png;base64,AAAA)",
    ]


def test_a_dead_link_fails_make_check(tmp_path):
    """With --quiet mkdocs counts no warnings, and --strict lets everything pass."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: a\nvalidation: {links: {anchors: warn}}\n")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    builds = re.findall(r"^\t.*(mkdocs build .*?)(?: -d .*)?$", makefile, re.MULTILINE)
    assert len(builds) == 2
    for text, code in (("# A\n[a](#a)", 0), ("[a](gone.md)", 1), ("[a](#gone)", 1)):
        (tmp_path / "docs/index.md").write_text(text)
        for build in builds:
            ended = subprocess.run([sys.executable, "-m", *build.split()], cwd=tmp_path, capture_output=True, text=True)
            assert ended.returncode == code, (text, ended.stderr)
