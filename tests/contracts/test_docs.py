"""What every page of the repository says is so: links lead somewhere; commands, modules, make targets, paths exist."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAGES = sorted(LISTED.splitlines())
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
CODE = re.compile(r"```.*?\n(.*?)```|`([^`]+)`", re.DOTALL)
ROOMS = "training|serving|src|configs|tests|benchmarks|docs"
PLACEHOLDER = re.compile(r"\b[A-Z]+\b")
"""Stands for a name, as in ``training.NAME``."""


def code_of(page: str) -> list[str]:
    """Blocks and spans of code."""
    return [block or span.replace("\n", " ") for block, span in CODE.findall(TEXTS[page])]


def links_of(page: str) -> list[str]:
    """Targets of the links to other files or headings of the repository, code left out."""
    links = re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", TEXTS[page]))
    return [link for link in links if not re.match(r"\w+:", link)]


def headings_of(text: str) -> set[str]:
    """The anchors that hosts make of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def leads_somewhere(page: str, link: str) -> bool:
    """Whether the file is there, and in it the heading."""
    name, _, heading = link.partition("#")
    file = (ROOT / page).parent / name if name else ROOT / page
    return file.exists() and (not heading or heading in headings_of(file.read_text(encoding="utf-8")))


def modules_of(page: str) -> set[str]:
    """What is started by ``python -m`` or ``torchrun -m``."""
    named = re.findall(
        r"\b(?:python|torchrun)(?:[\d.]+)?(?: --?[\w-]+(?: \d+)?)*? -m ([\w.]+)", "\n".join(code_of(page))
    )
    return {name for name in named if not PLACEHOLDER.search(name)}


def importable(name: str) -> bool:
    """Whether the module is there to be started; its parents are imported, it is not."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def paths_of(page: str) -> set[str]:
    """Spans of code that are a path of the repository, from its top."""
    spans = [span for _, span in CODE.findall(TEXTS[page])]
    return {span for span in spans if re.fullmatch(rf"(?:{ROOMS})/[\w./-]*", span) and not PLACEHOLDER.search(span)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert [link for link in links_of(page) if not leads_somewhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_modules(page: str) -> None:
    assert sorted(name for name in modules_of(page) if not importable(name)) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_named_modules_exist(page: str) -> None:
    """The changelog alone names modules that are gone."""
    named = [
        span for _, span in CODE.findall(TEXTS[page]) if re.fullmatch(r"(?:training|serving|tillside)(?:\.\w+)+", span)
    ]
    assert sorted({name for name in named if not PLACEHOLDER.search(name) and not importable(name)}) == []


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"^\s*make (\w[\w-]*)|&& make (\w[\w-]*)", "\n".join(code_of(page)), re.MULTILINE)
    targets = {first or second for first, second in named}
    assert sorted(name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)) == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page: str) -> None:
    assert sorted(path for path in paths_of(page) if not (ROOT / path).exists()) == []


def test_each_kind_was_found() -> None:
    """A pattern that finds nothing proves nothing."""
    assert {"docs/policy.md", "constraints.txt"} <= set(links_of("README.md"))
    assert "../configs/policy/electronics.yaml" in links_of("docs/policy.md")
    assert {"serving", "training.train"} <= modules_of("README.md")
    assert "serving.bench" in modules_of("docs/how-to/serve.md")
    assert "benchmarks.serving" in modules_of("CONTRIBUTING.md")
    assert "benchmarks/results/" in paths_of("CONTRIBUTING.md")
    assert "the-items-feed-商品动态" in headings_of(TEXTS["docs/policy.md"])


def test_what_is_not_there_is_noticed() -> None:
    assert not importable("training.nothing")
    assert not importable("nothing.at.all")
    assert not leads_somewhere("README.md", "docs/nothing.md")
    assert not leads_somewhere("README.md", "docs/policy.md#nothing")
