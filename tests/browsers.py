"""A real browser for what people look at: Debian's Chromium, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 120_000
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install -y chromium")
HOSTILE = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
"""A name that shows in the page's title if a page makes markup of it."""


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser, closed at the end of the block; a test without playwright is skipped."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def watched_page(browser: Any, **options: Any) -> Any:
    """A new page that remembers what it asked for (``asked``) and what it complained of (``said``)."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE_MS)
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    return page
