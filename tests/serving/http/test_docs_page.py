"""``/docs`` in a real browser: it shows the whole document, sends requests, loads nothing from elsewhere."""

import json
import re
from collections.abc import Iterator

import pytest

from serving.http.docs_page import PAGE
from tests.browsers import HOSTILE, chromium, in_a_browser, watched_page


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser) -> Iterator:
    """A page that remembers what it asked for and what it complained of."""
    page = watched_page(browser)
    yield page
    page.close()


def open_docs(page, running) -> None:
    page.goto(f"{running.url}/docs")
    page.locator("#schemas section").last.wait_for()


def test_headers_allow_its_own_script_and_style_alone(client):
    response = client.get("/docs")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = response.headers["content-security-policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    assert all(re.fullmatch(r"'sha256-[\w+/]+='", directives[name]) for name in ("script-src", "style-src"))
    assert response.headers["x-content-type-options"] == "nosniff"


def test_the_page_names_no_other_address_and_makes_no_markup_of_text():
    assert re.findall(r"(?:https?:)?//[\w.]+\.\w+", PAGE) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", PAGE) == []


@in_a_browser
def test_it_shows_every_path_and_every_field_with_its_limits(page, running, client):
    open_docs(page, running)
    document = client.get("/openapi.json").json()
    titles = page.locator("#paths h2").all_inner_texts()
    assert titles == [f"{method.upper()} {path}" for path, each in document["paths"].items() for method in each]
    for name, schema in document["components"]["schemas"].items():
        cells = page.locator(f"#{name.lower()} tbody tr td:first-child").all_inner_texts()
        assert cells == list(schema.get("properties", {})), name
    row = page.locator("#recommendrequest tr", has=page.get_by_text("k", exact=True)).first.inner_text()
    assert "at least 1" in row
    assert "default 20" in row


@in_a_browser
def test_it_sends_what_was_written_and_shows_the_answer(page, running):
    open_docs(page, running)
    recommend = page.locator("section", has=page.get_by_text("/v1/recommend")).first
    recommend.get_by_label("Body of the request").fill('{"session": [], "k": 2}')
    recommend.get_by_role("button", name="Send").click()
    recommend.locator(".answer").wait_for()
    answer = json.loads(recommend.locator(".answer").inner_text())
    assert len(answer["items"]) == 2
    assert recommend.get_by_role("status").inner_text().startswith("200 ")

    recommend.get_by_label("Body of the request").fill('{"session": [], "k": 0}')
    recommend.get_by_role("button", name="Send").click()
    recommend.locator(".answer", has_text="invalid-field").wait_for()
    assert recommend.get_by_role("status").inner_text().startswith("422 ")


@in_a_browser
def test_an_example_can_be_chosen(page, running):
    open_docs(page, running)
    recommend = page.locator("section", has=page.get_by_text("/v1/recommend")).first
    recommend.get_by_label("Example").select_option("nothing known")
    assert json.loads(recommend.get_by_label("Body of the request").input_value()) == {"session": []}


@in_a_browser
def test_no_request_leaves_the_server_and_nothing_is_refused(page, running):
    """A style, script or connection that the policy refuses is a message on the console."""
    open_docs(page, running)
    page.get_by_role("button", name="Send").first.click()
    page.locator(".answer").first.wait_for()
    assert {url.removeprefix(running.url) for url in page.asked} == {"/docs", "/openapi.json", "/v1/recommend"}
    assert page.said == []


@in_a_browser
def test_what_a_document_says_is_shown_and_never_run(page, running, client):
    document = client.get("/openapi.json").json()
    document["info"]["summary"] = HOSTILE
    document["paths"]["/v1/recommend"]["post"]["summary"] = HOSTILE
    document["components"]["schemas"]["Event"]["properties"][HOSTILE] = {"description": HOSTILE, "enum": [HOSTILE]}
    page.route("**/openapi.json", lambda route: route.fulfill(json=document))
    open_docs(page, running)
    assert page.locator("#event td:first-child").last.inner_text() == HOSTILE
    assert page.title() == "tillside"
    assert page.locator("img").count() == 0


@in_a_browser
def test_a_description_that_cannot_be_read_is_said(page, running):
    page.route("**/openapi.json", lambda route: route.fulfill(status=503, body=""))
    page.goto(f"{running.url}/docs")
    page.get_by_text("openapi.json answered 503").wait_for()
