"""``/board`` in a real browser: a placement and a cart are chosen, and the answer is seen with what is behind it."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from serving.http.board import HEADERS, PAGE
from tests.browsers import HOSTILE, PATIENCE_MS, chromium, in_a_browser, watched_page
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess
from tests.tills import IDS, POLICY, till

TOKEN = {"authorization": "Bearer secret"}
LIVE = """\
  live:
    sources: {complement: 1}
    anchors: [host, scene]
    fill: false
    silent_during: [explanation]
segments:
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerProcess]:
    """Two workers behind an admin port, with the film sold out and one item of a hostile name."""
    folder = tmp_path_factory.mktemp("board")
    bundle = till(folder / "bundle", policy=POLICY.replace("slots: 2", "slots: 4").replace("segments:\n", LIVE))
    flags = ("--workers", "2", "--admin-port", "0")
    with ServerProcess(bundle, folder / "log", *flags, variables={"TILLSIDE_ADMIN_TOKEN": "secret"}) as server:
        items = [{"item_id": item_id, "stock": 0 if item_id == "film" else 9} for item_id in IDS]
        items.append(
            {"item_id": "evil", "stock": 9, "price": 3, "name": HOSTILE, "attributes": {"category": "tech.case"}}
        )
        feed = {"time_ms": int(time.time() * 1000), "items": items}
        put = httpx.put(f"{server.admin_url}/v1/items", json=feed, headers=TOKEN, timeout=DEADLINE_SECONDS)
        assert put.status_code == 200
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, server) -> Iterator:
    """The board after its token was given; it remembers what it asked for and what it complained of."""
    page = watched_page(browser, viewport={"width": 1400, "height": 900})
    page.goto(f"{server.admin_url}/board")
    page.get_by_label("Admin token").fill("secret")
    page.get_by_role("button", name="Begin").click()
    page.locator("#mode").wait_for()
    yield page
    page.close()


def put_into_cart(page, words: str) -> None:
    page.get_by_label("Find an item").fill(words)
    found = page.locator("#found li").filter(has=page.get_by_text(words, exact=False)).first
    found.get_by_role("button", name="to the cart").click()


def test_the_page_names_no_other_address_makes_no_markup_of_text_and_keeps_no_secret():
    assert re.findall(r"(?:https?:)?//[\w.]+\.\w+", PAGE) == []
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|[a-z]+Storage|cookie", PAGE) == []
    )
    assert HEADERS["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")


def test_what_it_asks_for_wants_the_token_and_is_answered_with_what_is_wrong(server):
    shop = httpx.get(f"{server.admin_url}/v1/board/shop")
    assert shop.status_code == 401
    assert httpx.get(f"{server.admin_url}/board").status_code == 200
    body = {"session": [], "placement": "chekout"}
    wrong = httpx.post(f"{server.admin_url}/v1/board/answer", json=body, headers=TOKEN, timeout=DEADLINE_SECONDS)
    assert wrong.status_code == 409  # right in a shop that has such a placement
    assert "did you mean checkout?" in wrong.json()["detail"]
    assert (wrong.json()["field"], wrong.json()["allowed"]) == ("placement", "one of checkout, fashion, live, product")
    none = httpx.post(f"{server.admin_url}/v1/board/answer", json={"session": 3}, headers=TOKEN)
    assert (none.status_code, none.json()["field"]) == (422, "session")
    none = httpx.post(f"{server.admin_url}/v1/board/answer", content=b"{", headers=TOKEN)
    assert (none.status_code, none.json()["type"]) == (400, "urn:tillside:problem:invalid-body")
    found = httpx.get(f"{server.admin_url}/v1/board/items", params={"like": "sca"}, headers=TOKEN)
    assert found.json()["scarf"]["price"] == 45


@in_a_browser
def test_a_cart_is_answered_with_names_prices_reasons_parts_and_what_was_removed(page):
    page.get_by_label("Placement").select_option("checkout")
    put_into_cart(page, "Phone")
    page.locator("#cart li").wait_for()
    row = page.locator("#items tbody tr", has_text="Case").filter(has_text="complement").first
    row.wait_for()
    text = row.inner_text()
    assert "20" in text  # the price
    assert "of Phone" in text
    assert "Goes well with Phone" in text
    parts = [part.split()[0] for part in row.locator(".part").all_inner_texts()]
    assert {"model", "complement"} <= set(parts)
    assert "Film" not in page.locator("#items").inner_text()
    page.locator("#removed span", has_text="stock").wait_for()
    assert "checkout: " in page.locator("#mode").inner_text()

    page.get_by_label("Language").select_option("zh")
    page.locator("#items", has_text="适合搭配Phone").wait_for()
    page.locator("#cart").get_by_role("button", name="take it out").click()
    page.locator("#items", has_text="适合搭配Phone").wait_for(state="detached")


@in_a_browser
def test_a_live_room_is_tried_with_what_its_host_shows_what_lies_in_it_and_a_moment(page):
    def use(words: str, meaning: str) -> None:
        page.get_by_label("Find an item").fill(words)
        found = page.locator("#found li").filter(has=page.get_by_text(words, exact=False)).first
        found.get_by_role("button", name=meaning).click()

    shown = page.locator("#items")
    page.get_by_label("Placement").select_option("live")
    page.locator("#nothing").wait_for()
    use("Phone", "the host shows it")
    shown.get_by_text("Goes well with Phone").first.wait_for()
    use("Coat", "the host shows it")
    shown.get_by_text("Goes well with Coat").first.wait_for()
    assert page.locator("#host li").count() == 1  # a host shows one thing at a time
    assert shown.get_by_text("Goes well with Phone").count() == 0
    use("Phone", "into the room")
    shown.get_by_text("Goes well with Phone").first.wait_for()
    page.get_by_label("Moment").select_option("explanation")
    page.locator("#nothing").wait_for()
    page.locator(".note", has_text="silent during explanation").wait_for()
    page.get_by_label("Placement").select_option("product")
    page.locator("#mode", has_text="product: ").wait_for()
    assert page.get_by_label("The host shows", exact=True).is_hidden()
    assert '"host"' not in page.locator("#request").inner_text()
    assert page.said == []


@in_a_browser
def test_a_changed_policy_is_seen_at_once(page, server):
    page.get_by_label("Placement").select_option("fashion")
    pin = [{"name": "look at this", "item": "scarf", "placements": ["fashion"]}]
    put = httpx.put(f"{server.admin_url}/v1/pins", json=pin, headers=TOKEN, timeout=DEADLINE_SECONDS)
    assert put.status_code == 200
    page.get_by_role("button", name="Read the policy again").click()
    first = page.locator("#items tbody tr").first
    page.locator("#items", has_text="look at this").wait_for()
    assert "Scarf" in first.inner_text()
    assert "pinned" in first.inner_text()
    assert page.get_by_label("Placement").input_value() == "fashion"


@in_a_browser
def test_names_are_shown_and_never_run_and_nothing_leaves_the_server(page, server):
    page.get_by_label("Find an item").fill("evil")
    page.locator("#found li", has_text="<img src=x").wait_for()
    page.locator("#found").get_by_role("button", name="looked at").click()
    page.locator("#session li", has_text="<img src=x").wait_for()
    assert page.title() == "tillside board"
    assert page.locator("img").count() == 0
    assert {url.removeprefix(server.admin_url).partition("?")[0] for url in page.asked} == {
        "/board",
        "/v1/board/shop",
        "/v1/board/items",
        "/v1/board/answer",
    }
    assert page.said == []


@in_a_browser
def test_a_wrong_token_is_said(browser, server):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{server.admin_url}/board")
    page.get_by_label("Admin token").fill("wrong")
    page.get_by_role("button", name="Begin").click()
    page.locator("#about.bad", has_text="authorization").wait_for()
    assert page.locator("#shop").is_hidden()
    page.close()
