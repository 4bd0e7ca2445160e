"""Hooks of mkdocs: pages that lie outside docs/ join the site, and links fit the place that a page has there.

Surprising: every page is written to be read in the repository, where a link may lead to any file. In the site a link to
a page that it holds leads to that page; one to any other file becomes the file's name, since the site need not know
where the repository is hosted.
"""

import json
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "serving/ops/README.md": "how-to/operations.md",
}
"""Pages outside docs/, and where the site shows them; results of benchmarks and notebooks come on top."""
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FENCE = re.compile(r"\A```(\w+) \w+$", re.MULTILINE)
"""First line of a block that is named for a test, which the site takes for no block at all."""
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)\s]+)\)")


def places(root: Path = ROOT) -> dict[str, str]:
    """Path in the repository to path in the site, of every page, picture and notebook."""
    found = {path.relative_to(root).as_posix(): path.relative_to(root / "docs").as_posix() for path in files_in(root)}
    found |= OUTSIDE
    found |= {f"benchmarks/results/{path.name}": f"results/{path.name}" for path in results_in(root)}
    found |= {f"notebooks/{path.name}": f"notebooks/{path.stem}.md" for path in notebooks_in(root)}
    return found


def files_in(root: Path) -> list[Path]:
    """Pages and pictures of docs/."""
    return sorted(path for path in (root / "docs").rglob("*") if path.suffix in (".md", ".png", ".svg"))


def results_in(root: Path) -> list[Path]:
    """Readable results of the benchmarks."""
    return sorted((root / "benchmarks/results").glob("*.md"))


def notebooks_in(root: Path) -> list[Path]:
    """Notebooks, in the order of their names."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def relinked(text: str, page: str, sites: Mapping[str, str], root: Path = ROOT) -> str:
    """``text`` of the repository's file ``page`` with links that hold in the site; code keeps all but its names."""

    def link(match: re.Match[str]) -> str:
        label, target = match.groups()
        if re.match(r"\w+:|#", target):
            return match.group()
        file, hash_, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), file))
        if path in sites:
            there = posixpath.relpath(sites[path], posixpath.dirname(sites[page]) or ".")
            return f"{label}({there}{hash_}{anchor})"
        if (root / path).exists():
            words = label.strip("![]")
            return words if path in words or "`" in words else f"{words} (`{path}`)"
        return match.group()  # mkdocs says that it leads nowhere

    parts, last = [], 0
    for span in CODE.finditer(text):
        parts += [LINK.sub(link, text[last : span.start()]), FENCE.sub(r"```\1", span.group())]
        last = span.end()
    return "".join([*parts, LINK.sub(link, text[last:])])


def notebook_page(path: Path) -> str:
    """A notebook as Markdown: its text, code, printed output and pictures; what is only HTML is left out."""
    lines: list[str] = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"]).rstrip()
        if cell["cell_type"] == "markdown":
            lines += [source, ""]
        elif cell["cell_type"] == "code" and source:
            lines += ["```python", source, "```", ""]
            for output in cell.get("outputs", []):
                lines += _output(output)
    return "\n".join(lines)


def _output(output: dict[str, Any]) -> list[str]:
    data = output.get("data", {})
    if "image/png" in data:
        return [f"![output](data:image/png;base64,{''.join(data['image/png']).strip()})".replace("\n", ""), ""]
    text = "".join(output.get("text", data.get("text/plain", []))).rstrip()
    return ["```text", text, "```", ""] if text else []


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Notebooks join the navigation, as the tutorial's, once there are any."""
    pages: list[Any] = [f"notebooks/{path.stem}.md" for path in notebooks_in(ROOT)]
    for section in config.nav or []:
        if pages and isinstance(section, dict) and "Tutorial" in section:
            section["Tutorial"] = [*section["Tutorial"], *pages]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/."""
    for path, place in places().items():
        if path.startswith("docs/"):
            continue
        text = notebook_page(ROOT / path) if path.endswith(".ipynb") else (ROOT / path).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links that hold in the site."""
    sites = places()
    paths = {place: path for path, place in sites.items()}
    return relinked(markdown, paths[page.file.src_uri], sites)
