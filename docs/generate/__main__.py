"""Write the reference pages from the code: ``python -m docs.generate``; ``--check`` only says which are out of date."""

import sys
from pathlib import Path

from docs.generate.commands import commands_page
from docs.generate.flags import flags_page
from docs.generate.http import admin_document, collector_json, http_page, main_document

REFERENCE = Path(__file__).parents[1] / "reference"
PAGES = {"commands.md": commands_page, "server.md": flags_page, "http.md": http_page}
"""Generated pages of docs/reference, and what makes each."""
DOCUMENTS = {
    "openapi.json": main_document,
    "openapi-admin.json": admin_document,
    "openapi-collector.json": collector_json,
}
"""Generated files beside them."""
FILES = PAGES | DOCUMENTS


def outdated() -> list[str]:
    """Names of the files that are not what the code says."""
    return [
        name
        for name, make in FILES.items()
        if not (REFERENCE / name).is_file() or (REFERENCE / name).read_text(encoding="utf-8") != make()
    ]


def main(arguments: list[str]) -> None:
    """Write the pages that changed, or name them."""
    names = outdated()
    if "--check" in arguments and names:
        sys.exit(f"out of date: {', '.join(names)} in docs/reference; run: make docs")
    for name in names:
        (REFERENCE / name).write_text(FILES[name](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
