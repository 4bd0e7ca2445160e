"""A request that names its shopper alone is answered from what the log says of them."""

import asyncio
import contextlib
import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from serving.bundles.reloading import Reloads
from serving.feedback.erasing import order_of
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.shoppers.shoppers import MemoryShoppers
from serving.process.lifecycle import in_background
from serving.protocol.limits import Limits
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client, refused
from tests.serving.server_process import DEADLINE_SECONDS
from tillside.feedback.events import Event, encode_event
from tillside.feedback.segments import SegmentWriter
from tillside.feedback.subjects import hashed

SALT = b"0123456789abcdef"


def now_ms():
    return int(time.time() * 1000)


def write(folder, *events):
    writer = SegmentWriter(folder / "events")
    writer.append([encode_event(event) for event in events])
    writer.close()


def event(item, *, shopper="ann", kind="click", number=0, **more):
    time_ms = now_ms() - 1000 + number
    return Event(event_id=f"{shopper}{item}{number}", kind=kind, time=time_ms, received=time_ms, item=item,
                 shopper=shopper, **more)  # fmt: skip


def ask(bundle, folder, *bodies, path="/v1/recommend", salt=None, limits=None, remembers=True):
    """Answers, and the metrics page."""
    visits = VisitLimits() if remembers else None
    settings = Settings(bundle, feedback=folder, shoppers=visits, feedback_salt=salt, limits=limits or Limits())

    async def run():
        service = Service(settings)
        with contextlib.ExitStack() as held:
            if visits is not None:
                service.shoppers = held.enter_context(
                    contextlib.closing(MemoryShoppers(folder, visits, salt=salt, registry=service.metrics.registry))
                )
            if bundle.exists():
                await Reloads(bundle, service).reload()
            else:
                service.shoppers.wait(DEADLINE_SECONDS)
            async with app_client(service, settings) as client, in_background(service.run()):
                answers = [await client.post(path, json={"k": 2, **body}) for body in bodies]
            return answers, generate_latest(service.metrics.registry).decode()

    return asyncio.run(run())


def told(answer):
    return answer["tier"], answer["degraded_reason"], answer.get("remembered_events")


def test_the_key_alone_gives_the_answer_that_the_events_would(orchard, tmp_path):
    anns = [event("apple"), event("pear", number=1, kind="cart")]
    write(tmp_path, *anns, event("fig", shopper="bob"))
    own = [{"item_id": each.item, "behaviour": each.kind, "timestamp": each.time} for each in anns]
    (alone, given), page = ask(orchard, tmp_path, {"shopper_id": "ann"}, {"shopper_id": "ann", "session": own})
    assert told(alone.json()) == ("model", None, 2)
    assert told(given.json()) == ("model", None, None)
    assert alone.json()["items"] == given.json()["items"]
    assert 'tillside_shoppers_recalled_total{result="remembered"} 1.0' in page


def test_a_shopper_of_whom_nothing_is_known_is_no_error(orchard, tmp_path):
    (answer,), page = ask(orchard, tmp_path, {"shopper_id": "eve"})
    assert answer.status_code == 200
    assert told(answer.json()) == ("popularity", "unknown_shopper", 0)
    assert 'tillside_shoppers_recalled_total{result="unknown"} 1.0' in page


def test_a_session_of_its_own_wins_an_empty_one_too(orchard, tmp_path):
    write(tmp_path, event("apple"))
    (answer,), page = ask(orchard, tmp_path, {"shopper_id": "ann", "session": []})
    assert told(answer.json()) == ("popularity", "empty_session", None)
    assert 'result="remembered"} 0.0' in page


def test_a_history_answers_where_no_visit_is_remembered(orchard, tmp_path):
    body = {"shopper_id": "eve", "session": [], "history": [{"item_id": "apple"}]}
    (sent, alone), _ = ask(orchard, tmp_path, body, {key: body[key] for key in ("shopper_id", "history")})
    assert sent.json()["tier"] == alone.json()["tier"]
    assert alone.json()["remembered_events"] == 0


def test_with_a_salt_the_log_holds_hashes_and_the_key_is_found(orchard, tmp_path):
    write(tmp_path, event("apple", shopper=hashed("ann", SALT)))
    (answer,), _ = ask(orchard, tmp_path, {"shopper_id": "ann"}, salt=SALT)
    assert told(answer.json()) == ("model", None, 1)
    (answer,), _ = ask(orchard, tmp_path, {"shopper_id": "ann"})
    assert told(answer.json()) == ("popularity", "unknown_shopper", 0)


def test_of_a_long_visit_as_much_is_taken_as_a_request_may_hold(orchard, tmp_path):
    write(tmp_path, *(event("fig", number=number) for number in range(9)))
    (answer,), _ = ask(orchard, tmp_path, {"shopper_id": "ann"}, limits=Limits(session_events=4))
    assert answer.json()["remembered_events"] == 4


def test_a_visit_of_kinds_that_the_bundle_does_not_know_is_none(orchard, tmp_path):
    write(tmp_path, event("apple", kind="wishlist"))
    (answer,), _ = ask(orchard, tmp_path, {"shopper_id": "ann"})
    assert told(answer.json()) == ("popularity", "unknown_shopper", 0)


def test_items_that_the_bundle_does_not_know_are_told_as_ever(orchard, tmp_path):
    write(tmp_path, event("quince"))
    (answer,), _ = ask(orchard, tmp_path, {"shopper_id": "ann"})
    assert told(answer.json()) == ("popularity", "unknown_items", 1)
    assert answer.json()["unknown_items"] == ["quince"]


def test_without_a_bundle_the_shops_own_list_answers(tmp_path):
    write(tmp_path, event("apple"))
    (answer,), _ = ask(tmp_path / "none", tmp_path, {"shopper_id": "ann"})
    assert told(answer.json()) == ("empty", "not_ready", 1)


def test_a_server_that_remembers_nothing_wants_the_session(orchard, tmp_path):
    (answer,), _ = ask(orchard, tmp_path, {"shopper_id": "ann"}, remembers=False)
    assert refused(answer, 422, field="session").startswith("session is missing")


@pytest.mark.parametrize("salt", [None, SALT])
def test_who_is_forgotten_is_unknown_at_once(tmp_path, salt):
    write(tmp_path, event("apple", shopper="ann" if salt is None else hashed("ann", salt)))

    async def run():
        with contextlib.closing(
            MemoryShoppers(tmp_path, VisitLimits(), salt=salt, registry=CollectorRegistry())
        ) as shoppers:
            shoppers.wait(DEADLINE_SECONDS)
            before = await shoppers.find("ann")
            went = await shoppers.forget(order_of("ann", salt, now_ms=now_ms()))
            return before, went, await shoppers.find("ann")

    before, went, after = asyncio.run(run())
    assert [each.item_id for each in before] == ["apple"]
    assert (went, after) == (1, None)
