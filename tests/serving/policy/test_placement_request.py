"""Placements the way a shop asks for them: a real server over HTTP, its items feed, its policy and their mistakes."""

import hashlib
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from serving.http.openapi import openapi_document
from serving.protocol.limits import Limits
from tests.serving.asgi import refused
from tests.serving.http.test_openapi import conforms
from tests.serving.process.test_supervisor import children
from tests.serving.prometheus import scraped
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess
from tests.tills import NOW_MS, POLICY, ask, feed, in_stock, till

TOKEN = {"authorization": "Bearer secret"}
VARIABLES = {"TILLSIDE_ADMIN_TOKEN": "secret"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[ServerProcess]:
    """A server whose feed says that all but the cable are in stock."""
    folder = tmp_path_factory.mktemp("till")
    (folder / "items.jsonl").write_bytes(feed(*in_stock("cable")))
    flags = ("--admin-port", "0", "--items-feed", str(folder / "items.jsonl"))
    server = ServerProcess(till(folder / "bundle"), folder / "log", *flags, variables=VARIABLES)
    yield server
    server.process.kill()
    server.process.wait()


def answer_of(server: ServerProcess, body: dict) -> dict:
    response = httpx.post(f"{server.url}/v1/recommend", json=body, timeout=DEADLINE_SECONDS)
    assert response.status_code == 200, response.text
    answer = response.json()
    conforms(openapi_document(Limits()), "RecommendRequest", body)
    conforms(openapi_document(Limits()), "PlacedAnswer", answer)
    return answer


def ids(answer: dict) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def test_a_checkout_with_a_cart(shop):
    answer = answer_of(shop, ask("checkout", "phone", "phone+", cart=["phone"]))
    assert ids(answer) == ["case", "film"]  # what goes with the phone; the wine is for grown-ups
    assert (answer["placement"], answer["tier"], answer["behaviour"]) == ("checkout", "model", "purchase")
    assert answer["policy"] == hashlib.sha256(POLICY.encode()).hexdigest()[:12]
    case = answer["items"][0]
    assert (case["source"], case["because"], case["origin"]) == ("complement", "phone", "complement of phone")
    assert (case["reason_key"], case["reason"], case["rule"]) == ("complement", "Goes well with Phone", None)
    assert "parts" not in case
    # 500 + 20 + 15, and of three tech items the cheapest is 10 % off
    [bundle] = answer["bundles"]
    assert (bundle["items"], bundle["missing"]) == (["phone", "case", "film"], ["case", "film"])
    assert (bundle["price"], bundle["discounted_price"], bundle["promotion"]) == (535.0, 533.5, "tech-tiers")
    assert answer["promotion"]["missing"] == 1
    assert answer["promotion"]["text"] == "1 more item of tech: 10 % off the cheapest of them"


def test_quantities_count_towards_a_promotion(shop):
    body = ask("checkout", "phone") | {"cart": [{"item_id": "phone", "quantity": 3}]}
    assert answer_of(shop, body)["promotion"]["text"] == "1 more item of tech: 20 % off all of them"


def test_a_cart_that_is_left_out_is_what_the_session_put_there(shop):
    assert ids(answer_of(shop, ask("checkout", "case+", "phone+"))) == ids(
        answer_of(shop, ask("checkout", "case+", "phone+", cart=["case", "phone"]))
    )
    assert "case" in ids(answer_of(shop, ask("checkout", "case+", "phone+", cart=["phone"])))


def test_a_cart_alone_is_a_session(shop):
    answer = answer_of(shop, ask("checkout", cart=["phone"]))
    assert (answer["tier"], ids(answer)) == ("model", ["case", "film"])


def test_a_product_page_sells_down_to_who_compares_and_across_to_who_has_decided(shop):
    # one view: intent 0.27, so the down-sell weighs 1.46 and the complement 0.54
    comparing = answer_of(shop, ask("product", "phone"))
    assert (comparing["mode"], comparing["why"]) == ("down_sell", ["intent 0.27"])
    assert ids(comparing) == ["phone-se"]
    assert comparing["items"][0]["reason"] == "Good value, similar to Phone"
    # four events: intent 0.88, the other way round
    decided = answer_of(shop, ask("product", "phone", "coat", "coat+", "phone"))
    assert (decided["mode"], ids(decided)) == ("cross_sell", ["case"])


def test_what_an_item_is_made_of(shop):
    [item] = answer_of(shop, ask("product", "phone", explain=True))["items"]
    # intent 0.2689 is decided 0.2689: the down-sell weighs 1 - (2 * 0.2689 - 1) = 1.4621, times a strength of 0.6
    assert item["parts"] == {"downsell": pytest.approx(0.6 * 1.4621172), "boost": 1.0, "diversity": 0.0}
    assert item["score"] == pytest.approx(0.6 * 1.4621172)


def test_reasons_in_chinese(shop):
    answer = answer_of(shop, ask("checkout", cart=["phone"], language="zh"))
    assert answer["items"][0]["reason"] == "适合搭配Phone"
    assert answer["promotion"]["text"] == "再买1件活动商品:其中最低价一件9折"


def test_ages_and_segments(shop):
    assert "wine" in ids(answer_of(shop, ask("checkout", cart=["phone"], age=18, k=3)))
    assert "wine" not in ids(answer_of(shop, ask("checkout", cart=["phone"], age=17, k=8)))
    assert len(ids(answer_of(shop, ask("fashion", "phone")))) == 2
    assert len(ids(answer_of(shop, ask("fashion", "phone", segment="dormant")))) == 1


def test_filters_come_before_the_best_ones(shop):
    answer = answer_of(shop, ask("fashion", "phone"))
    assert ids(answer) == ["scarf", "coat"]  # 0.1 and 0.0, below six of other categories; better few than others
    assert {(item["source"], item["because"]) for item in answer["items"]} == {("model", "phone")}


def test_what_was_shown_too_often_waits(shop):
    # by popularity the other phone comes next, but nobody who has just chosen a phone wants another one
    assert ids(answer_of(shop, ask("checkout", cart=["phone"], exclude=["case"]))) == ["film", "scarf"]


def test_every_rung_keeps_the_rules(shop):
    answer = answer_of(shop, ask("checkout", "ghost", cart=[], k=8))
    assert (answer["tier"], answer["degraded_reason"]) == ("popularity", "unknown_items")
    assert ids(answer) == ["phone", "phone-se"]  # two slots, whatever k is
    by_popularity = ["phone", "phone-se", "case", "film", "coat", "scarf"]  # no wine, and no cable
    for start in (2, 4, 6):
        later = answer_of(shop, ask("checkout", "ghost", cart=[], exclude=by_popularity[:start]))
        assert ids(later) == by_popularity[start : start + 2]
    assert later["notes"] == ["nothing is shown: rules removed every candidate (excluded 6, stock 1, categories 1)"]
    assert later["removed"] == {"excluded": 6, "stock": 1, "categories": 1}
    assert answer["unknown_items"] == ["ghost"]
    assert answer["purchase_intent"] is None
    assert answer_of(shop, ask("fashion"))["items"][0]["source"] == "popularity"


def test_what_a_shopper_waved_away_and_what_goes_on_are_heeded(shop):
    waved = ask("checkout", "phone+", dismissed=[{"item_id": "case", "timestamp": NOW_MS}])
    assert ids(answer_of(shop, waved)) == ["film", "scarf"]
    whole = ask("checkout", "phone+", dismissed=[{"placement": "checkout", "timestamp": NOW_MS}])
    answer = answer_of(shop, whole)
    assert (ids(answer), answer["notes"]) == ([], ["nothing is shown: the shopper dismissed it"])
    assert ids(answer_of(shop, ask("checkout", "phone+", moment="explanation"))) == ["case", "film"]  # none is silent
    both = ask("checkout", "phone+", dismissed=[{"item_id": "case", "category": "tech"}])
    response = httpx.post(f"{shop.url}/v1/recommend", json=both, timeout=DEADLINE_SECONDS)
    assert response.status_code == 422
    assert (
        "dismissed[0] must name exactly one of item_id, category, placement, got item_id and category" in response.text
    )


def test_a_stale_feed_hides_what_nobody_knows_to_be_in_stock(shop):
    late = ask("checkout", cart=["phone"]) | {"timestamp": NOW_MS + 31 * 60_000}
    assert ids(answer_of(shop, late)) == ["case", "film"]  # their stock was known
    assert httpx.put(f"{shop.admin_url}/v1/items", content=feed({"item_id": "case", "stock": None}), headers=TOKEN)
    assert ids(answer_of(shop, ask("checkout", cart=["phone"]))) == ["case", "film"]
    assert ids(answer_of(shop, late)) == ["film", "scarf"]  # no other phone at checkout
    httpx.put(f"{shop.admin_url}/v1/items", content=feed({"item_id": "case", "stock": 9}), headers=TOKEN)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"placement": "nowhere"}, "placement", "one of checkout, fashion, product, got"),
        ({"placement": 5}, "placement", "one of the policy's placements"),
        ({"segment": "rich"}, "segment", "one of new, returning, dormant, high_value, got"),
        ({"age": 131}, "age", "years, an integer from 0 to 130, got 131"),
        ({"language": "fr"}, "language", "one of en, zh, got"),
        ({"explain": "yes"}, "explain", "true or false, got"),
        ({"timestamp": -1}, "timestamp", "UTC milliseconds"),
        ({"cart": [{"item_id": "phone", "quantity": 0}]}, "cart[0].quantity", "an integer from 1 to 1000000, got 0"),
        ({"cart": [{"quantity": 1}]}, "cart[0].item_id", "is missing"),
        ({"cart": [{"item_id": "phone", "size": 1}]}, "cart[0].size", "allowed: item_id, quantity"),
        ({"cart": [{"item_id": "a"}] * 101}, "cart", "at most 100 lines, got 101"),
        ({"impressions": [{"item_id": "case", "count": 0}]}, "impressions[0].count", "an integer from 1"),
        ({"impressions": [{"item_id": "case", "timestamp": -1}]}, "impressions[0].timestamp", "UTC milliseconds"),
        ({"impressions": ["case"]}, "impressions[0]", "an object with item_id"),
        ({"scene": ["a", ""]}, "scene[1]", "a string of 1 to 256 characters"),
        ({"host": ""}, "host", "a string of 1 to 256 characters"),
    ],
)
def test_what_is_wrong_is_named(shop, change, field, words):
    response = httpx.post(f"{shop.url}/v1/recommend", json=ask("checkout") | change)
    detail = refused(response, 422, field=field)
    assert detail.startswith(field)
    assert words in detail


def test_a_server_without_a_policy_has_no_placements(client):
    response = client.post("/v1/recommend", json={"session": [], "placement": "checkout"})
    assert "no policy" in refused(response, 422, field="placement")
    assert client.get("/v1/model").json()["policy"] is None


@pytest.mark.parametrize(
    "only", [{"boosts": []}, {"impressions": []}, {"scene": []}, {"age": 5}, {"timestamp": 5}, {"explain": False}]
)
def test_what_only_placements_know_is_refused_without_one(client, only):
    response = client.post("/v1/recommend", json={"session": [], **only})
    assert "give placement" in refused(response, 422, field=next(iter(only)))


def test_without_a_placement_the_policy_says_nothing(shop):
    response = httpx.post(f"{shop.url}/v1/recommend", json={"session": [{"item_id": "phone"}], "k": 3})
    assert ids(response.json()) == ["phone", "phone-se", "wine"]
    assert list(response.json())[-1] == "bundle"


def test_the_model_page_and_the_metrics_tell(shop):
    with httpx.Client(base_url=shop.admin_url, timeout=DEADLINE_SECONDS) as admin:
        before = scraped(admin)
        answer_of(shop, ask("checkout", cart=["phone"]))
        after = scraped(admin)
    version = hashlib.sha256(POLICY.encode()).hexdigest()[:12]
    assert after["tillside_policy_info", version] == 1
    assert after["tillside_items_feed_timestamp_seconds",] == NOW_MS / 1000
    counted = ("tillside_answers_total", "purchase", "checkout", "", "model")
    assert after[counted] == before.get(counted, 0) + 1
    for key in (("tillside_policy_dropped_total", "categories"), ("tillside_stage_seconds_count", "policy")):
        assert after[key] == before[key] + 1  # the wine, which goes with the phone
    model = httpx.get(f"{shop.url}/v1/model").json()
    conforms(openapi_document(Limits()), "Model", model)
    assert model["policy"] == {
        "version": version,
        "file": "policy.yaml",
        "placements": ["checkout", "fashion", "product"],
    }
    assert model["items_feed"] == {"time_ms": NOW_MS, "items": 8}


def put(server: ServerProcess, body: bytes, **headers: str) -> httpx.Response:
    return httpx.put(f"{server.admin_url}/v1/items", content=body, headers=headers or TOKEN, timeout=DEADLINE_SECONDS)


def test_a_new_item_is_ranked_at_once(tmp_path):
    server = ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", "--admin-port", "0", variables=VARIABLES)
    hat = {"item_id": "hat", "stock": 3, "price": 30, "name": "Felt Hat", "attributes": {"category": "fashion.hat"}}
    assert put(server, feed(hat), authorization="Bearer guess").status_code == 401
    assert put(server, feed(hat, {"item_id": "coat", "stock": 0})).json() == {
        "time_ms": NOW_MS,
        "items": 2,
        "new_items": 1,
        "ranked": 1,
    }
    answer = answer_of(server, ask("fashion", "coat"))
    # the query is the coat's (0, 1); the hat shares the token category=fashion, so its row is (0, 1), too
    assert ids(answer) == ["hat", "scarf"]
    assert (answer["items"][0]["source"], answer["items"][0]["score"]) == ("model", 1.0)
    # of a mistake nothing is taken
    problem = refused(put(server, feed({"item_id": "scarf", "stock": 0}, {"item_id": "hat", "price": -1})), 422)
    assert problem.startswith("line 3: item 'hat': price")
    assert "allowed: a number above 0" in problem
    assert ids(answer_of(server, ask("fashion", "coat"))) == ["hat", "scarf"]
    # a feed lies over the ones before, field by field; one that is older is refused
    assert put(server, feed({"item_id": "hat", "stock": 0})).status_code == 200
    assert ids(answer_of(server, ask("fashion", "coat"))) == ["scarf"]
    assert put(server, feed({"item_id": "hat", "stock": 1}, minutes_ago=1)).status_code == 409
    # a reload keeps what feeds have said
    assert httpx.post(f"{server.admin_url}/v1/admin/reload", headers=TOKEN, timeout=DEADLINE_SECONDS).status_code == 200
    assert put(server, feed({"item_id": "hat", "stock": 2})).status_code == 200
    assert ids(answer_of(server, ask("fashion", "coat"))) == ["hat", "scarf"]
    assert answer_of(server, ask("checkout", "hat"))["unknown_items"] == []
    assert server.stop() == 0


def test_a_policy_with_a_mistake_changes_nothing(tmp_path):
    policy = tmp_path / "shop.yaml"
    policy.write_text(POLICY.replace("slots: 1", "slots: 1", 1))
    server = ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", "--policy", str(policy))
    version = httpx.get(f"{server.url}/v1/model").json()["policy"]["version"]
    policy.write_text(
        POLICY.replace("behaviour: click", "behaviour: look", 1).replace("anchors: [cart]", "anker: [cart]")
    )
    server.process.send_signal(signal.SIGHUP)
    server.wait_for(lambda: "refused" in server.log)
    model = httpx.get(f"{server.url}/v1/model").json()
    assert (model["last_reload"]["result"], model["policy"]["version"]) == ("refused", version)
    for told in (model["last_reload"]["reason"], server.log):
        assert f"{policy}:9: placements.checkout.anker: is not known; allowed: " in told
        assert f"{policy}:16: placements.product.behaviour: got 'look'; allowed: click, cart, purchase" in told
    assert answer_of(server, ask("checkout", cart=["phone"]))["policy"] == version
    policy.write_text(POLICY.replace("slots: 3", "slots: 1", 1))
    server.process.send_signal(signal.SIGHUP)
    server.wait_for(lambda: httpx.get(f"{server.url}/v1/model").json()["policy"]["version"] != version)
    assert len(ids(answer_of(server, ask("fashion", "phone")))) == 1
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("flag", "text", "words"),
    [
        ("--policy", "placements: {}", "is empty; allowed: at least one"),
        ("--items-feed", '{"time_ms": 5}\n{"item_id": ""}', "item_id"),
    ],
)
def test_a_server_that_starts_with_a_wrong_file_is_live_and_not_ready(tmp_path, flag, text, words):
    (tmp_path / "file").write_text(text)
    flags = (flag, str(tmp_path / "file"), "--admin-port", "0")
    server = ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", *flags, ready=False)
    server.wait_for(lambda: "refused" in server.log)
    assert str(tmp_path) not in refused(httpx.get(f"{server.url}/health/ready"), 503)  # the main port names no file
    detail = refused(httpx.get(f"{server.admin_url}/health/ready"), 503)
    assert f"{tmp_path / 'file'}:" in detail
    assert words in detail
    # nobody can tell what the rules allow, so a placement stays empty
    response = httpx.post(f"{server.url}/v1/recommend", json=ask("checkout"))
    assert (response.json()["tier"], response.json()["items"]) == ("empty", [])
    assert server.stop() == 0


def test_all_workers_get_a_feed_and_the_one_that_comes_later_too(tmp_path):
    flags = ("--workers", "2", "--admin-port", "0")
    server = ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", *flags, variables=VARIABLES)
    hat = {"item_id": "hat", "stock": 3, "attributes": {"category": "fashion.hat"}}
    assert put(server, feed(hat)).json()["ranked"] == 1
    for _ in range(12):  # a new connection each time, spread over the workers
        assert "hat" in ids(answer_of(server, ask("fashion", "coat")))
    first, second = children(server)
    os.kill(first, signal.SIGKILL)
    third = server.wait_for(lambda: next((pid for pid in children(server) if pid not in (first, second)), None))
    server.wait_for(lambda: httpx.get(f"{server.admin_url}/health/ready").status_code == 200)
    os.kill(second, signal.SIGKILL)
    server.wait_for(lambda: third in children(server) and second not in children(server))
    server.wait_for(lambda: _shows(server, "hat"))
    assert server.stop() == 0


def _shows(server: ServerProcess, item_id: str) -> bool:
    try:
        answer = httpx.post(f"{server.url}/v1/recommend", json=ask("fashion", "coat"), timeout=DEADLINE_SECONDS).json()
    except httpx.HTTPError:
        return False
    return item_id in ids(answer)


PAGE = [{"placement": "fashion", "k": 2}, {"placement": "checkout", "k": 1}, {"placement": "checkout", "k": 2}]


def page_of(server: ServerProcess, body: dict) -> list[dict]:
    response = httpx.post(f"{server.url}/v1/page", json=body, timeout=DEADLINE_SECONDS)
    assert response.status_code == 200, response.text
    conforms(openapi_document(Limits()), "PageAnswer", response.json())
    return response.json()["placements"]


def test_several_placements_show_no_item_twice_and_the_first_chooses_first(shop):
    """The first checkout takes the case, so the second begins with the film."""
    body = {key: value for key, value in ask("x", "phone", cart=["phone"]).items() if key != "placement"}
    answers = page_of(shop, body | {"placements": PAGE})
    assert [answer["placement"] for answer in answers] == ["fashion", "checkout", "checkout"]
    assert [ids(answer) for answer in answers][:2] == [["scarf", "coat"], ["case"]]
    shown = [item for answer in answers for item in ids(answer)]
    assert len(shown) == len(set(shown))
    assert ids(answers[2])[0] == "film"
    assert len({answer["recommendation_id"] for answer in answers}) == 3
    alone = answer_of(shop, body | {"placement": "fashion", "k": 2})
    assert alone["items"] == answers[0]["items"]


def test_a_placement_of_several_may_have_its_own_list_and_filter(shop):
    body = {"session": [{"item_id": "phone"}], "timestamp": NOW_MS, "filter": {"categories": ["tech"]}, "k": 1}
    placements = [
        {"placement": "product", "candidates": ["film"]},
        {"placement": "fashion", "filter": {"categories": ["fashion.scarf"]}},
        {"placement": "product"},
    ]
    assert [ids(answer) for answer in page_of(shop, body | {"placements": placements})] == [
        ["film"],
        ["scarf"],
        ["phone-se"],
    ]


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        (
            "page",
            {"placements": [{"placement": "checkout"}, {"placement": "chekout"}]},
            "placements[1].placement",
            "did",
        ),
        ("page", {"placement": "checkout"}, "placements", "placements is missing"),
        ("page", {"placements": [{"placement": "checkout"}], "behaviour": "clik"}, "behaviour", "did you mean click"),
        ("recommend", {"placements": [{"placement": "checkout"}]}, "placements", "POST /v1/page"),
    ],
)
def test_what_is_wrong_in_several_placements_is_named(shop, path, body, field, words):
    response = httpx.post(f"{shop.url}/v1/{path}", json={"session": [], **body})
    assert words in refused(response, 422, field=field)


def test_a_placement_shows_no_item_that_candidates_or_filter_leave_out(shop):
    """Complements, filler and what the model proposes alike."""
    asked = ask("checkout", "phone", cart=["phone"], k=5)
    assert ids(answer_of(shop, asked | {"candidates": ["scarf", "film", "ghost", "cable"]})) == ["film", "scarf"]
    assert ids(answer_of(shop, asked | {"filter": {"price": {"at_most": 15}, "categories": ["tech"]}})) == ["film"]
    nothing = answer_of(shop, asked | {"filter": {"categories": ["tech.phone"], "price": {"at_most": 1}}})
    assert (nothing["items"], nothing["tier"]) == ([], "empty")
    assert nothing["hint"] == "the filter leaves no item: none meets all its conditions"


def test_filler_and_lower_tiers_keep_to_the_filter(shop):
    body = {"session": [], "placement": "checkout", "timestamp": NOW_MS, "k": 4, "filter": {"categories": ["fashion"]}}
    assert ids(answer_of(shop, body)) == ["coat", "scarf"]


def test_a_boost_lifts_what_it_matches_and_a_factor_below_one_sinks_it(shop):
    asked = ask("checkout", "phone", cart=["phone"], explain=True)
    plain = answer_of(shop, asked)
    assert ids(plain) == ["case", "film"]
    lifted = answer_of(shop, asked | {"boosts": [{"where": {"categories": ["tech.film"]}, "factor": 2}]})
    assert ids(lifted) == ["film", "case"]
    assert lifted["items"][0]["parts"]["boost"] == 2
    sunk = answer_of(shop, asked | {"boosts": [{"where": {"price": {"at_least": 16}}, "factor": 0.5}] * 2})
    assert ids(sunk)[0] == "film"
    assert sunk["items"][0]["parts"]["boost"] == 1


def test_the_segment_is_the_history_s_where_the_request_names_none(shop):
    """The dormant get one item of fashion, all others three."""
    long_ago = [{"item_id": "coat", "behaviour": "purchase", "timestamp": NOW_MS - 61 * 86_400_000}]
    lately = [{"item_id": "coat", "behaviour": "purchase", "timestamp": NOW_MS - 86_400_000}]
    found = {}
    for name, fields in {
        "none": {}, "empty": {"history": []}, "long ago": {"history": long_ago}, "lately": {"history": lately},
        "said": {"history": long_ago, "segment": "returning"}, "high": {"history": lately * 10},
    }.items():  # fmt: skip
        answer = answer_of(shop, ask("fashion", "coat", **fields))
        found[name] = (answer["segment"], len(answer["items"]))
    assert found == {
        "none": (None, 2), "empty": ("new", 2), "long ago": ("dormant", 1), "lately": ("returning", 2),
        "said": ("returning", 2), "high": ("high_value", 2),
    }  # fmt: skip


def test_a_model_that_cannot_read_a_history_is_said_to_pass_over_it(shop):
    history = [{"item_id": "coat", "behaviour": "purchase", "timestamp": NOW_MS - 86_400_000}]
    assert "passes over this one" in answer_of(shop, ask("fashion", "coat", history=history))["hint"]
    assert "hint" not in answer_of(shop, ask("fashion", "coat", history=[]))
