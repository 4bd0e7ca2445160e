"""Visits in Redis: written once however often the log is read, cut, expired, and never back once forgotten."""

import asyncio
import contextlib
import json
import sys
import time

import httpx
import pytest
import redis
from prometheus_client import CollectorRegistry

from serving.feedback.erasing import Orders, order_of
from serving.feedback.shoppers import redis_visits
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.shoppers.redis_visits import RedisShoppers, RedisVisits, check_redis
from serving.feedback.shoppers.visits import decode_kept
from tests.serving.collector.test_main import CollectorProcess
from tests.serving.feedback.shoppers.redis_server import redis_server
from tests.serving.server_process import ServerProcess
from tillside.client import AdminClient
from tillside.feedback.forgetting import orders_in
from tillside.feedback.segments import read_segment, segments_of
from tillside.feedback.subjects import hashed

SALT = b"0123456789abcdef"
MINUTE = 60_000
NOW = int(time.time() * 1000)
SERVERS_WAIT = redis_visits.FIND_SECONDS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Not so short a wait as the server's, which on a busy machine ends before Redis had its turn."""
    monkeypatch.setattr(redis_visits, "FIND_SECONDS", 10.0)


@pytest.fixture
def address(server):
    redis.Redis.from_url(server).flushall()
    return server


def kept(item, *, at=0, kind="click", shopper="ann", **more):
    time_ms = NOW + at * MINUTE
    event = {"kind": kind, "time": time_ms, "received": time_ms, "shopper": shopper, "item": item}
    return decode_kept(json.dumps(event | more).encode())


def write(address, *events, orders=None, **limits):
    visits = RedisVisits(address, VisitLimits(**limits), orders=orders, clock=lambda: NOW / 1000)
    for event in events:
        visits.add(event)
    visits.settle()
    return visits


def found(address, *shoppers, salt=None, **limits):
    registry = CollectorRegistry()

    async def run():
        own = RedisShoppers(address, VisitLimits(**limits), salt=salt, registry=registry)
        visits = [await own.find(each) for each in shoppers]
        await own.disconnect()
        return [None if visit is None else [(each.item_id, each.behaviour) for each in visit] for visit in visits]

    return asyncio.run(run())


def test_a_server_waits_for_redis_less_than_a_shopper_would_notice():
    assert SERVERS_WAIT < 0.1


def test_what_a_collector_writes_a_server_reads(address):
    write(address, kept("fig", at=-1), kept("plum", kind="cart"), kept("pear", shopper="bob"))
    assert found(address, "ann", "bob", "eve") == [[("fig", "click"), ("plum", "cart")], [("pear", "click")], None]


def test_the_log_may_be_read_again(address):
    events = [kept("fig", at=-1), kept("plum")]
    write(address, *events)
    write(address, *events)
    assert found(address, "ann") == [[("fig", "click"), ("plum", "click")]]


def test_of_a_visit_the_latest_events_are_kept_and_after_a_gap_it_is_another(address):
    write(address, *(kept(str(number), at=number - 4) for number in range(5)), events=3)
    assert found(address, "ann") == [[("2", "click"), ("3", "click"), ("4", "click")]]
    assert found(address, "ann", gap_minutes=1) == [[("2", "click"), ("3", "click"), ("4", "click")]]
    write(address, kept("old", at=-25, shopper="bob"), kept("new", at=10, shopper="bob"))
    assert found(address, "bob") == [[("new", "click")]]


def test_a_visit_expires_by_itself_a_gap_after_its_latest_event(address):
    write(address, kept("fig", at=-10), kept("gone", at=-31, shopper="bob"))
    client = redis.Redis.from_url(address)
    (key,) = client.keys("*")
    assert 19 * MINUTE < client.pttl(key) <= 20 * MINUTE
    write(address, kept("late", at=-15))  # an older one does not shorten it
    assert 19 * MINUTE < client.pttl(key) <= 20 * MINUTE


def test_what_was_taken_out_of_the_cart_is_not_in_it(address):
    write(address, kept("fig", kind="cart", at=-2), kept("plum", kind="cart", at=-1), kept("fig", kind="remove"))
    assert found(address, "ann") == [[("plum", "cart")]]


def test_nothing_is_written_without_consent_or_key(address):
    write(address, kept("fig", consent=False), kept("plum", shopper=None), kept("pear", kind="impression"))
    assert redis.Redis.from_url(address).keys("*") == []


def forget(address, shopper, at, salt=None):
    async def run():
        own = RedisShoppers(address, VisitLimits(), salt=salt, registry=CollectorRegistry())
        order = order_of(shopper, salt, now_ms=NOW + at * MINUTE)
        told = order, await own.forget(order), await own.forget(order)
        await own.disconnect()
        return told

    return asyncio.run(run())


@pytest.mark.parametrize("salt", [None, SALT])
def test_who_asks_is_forgotten_and_what_was_received_before_never_comes_back(address, tmp_path, salt):
    key = "ann" if salt is None else hashed("ann", salt)
    write(address, kept("fig", at=-2, shopper=key), kept("pear", shopper="bob"))
    order, went, again = forget(address, "ann", -1, salt)
    assert (went, again) == (1, 0)
    write(address, kept("fig", at=-2, shopper=key), kept("late", at=-1, shopper=key))
    assert found(address, "ann", "bob", salt=salt)[0] is None
    write(address, kept("new", shopper=key))
    assert found(address, "ann", salt=salt) == [[("new", "click")]]
    with contextlib.closing(Orders(tmp_path)) as orders:  # and the collector's log is told, once
        visits = write(address, orders=orders)
        visits.expire(now_ms=NOW, orders_before_ms=0)
        visits.expire(now_ms=NOW, orders_before_ms=0)
    assert list(orders_in(tmp_path / "forgotten")) == [order]
    visits.forget(order)
    assert found(address, "ann", salt=salt) == [[("new", "click")]]


def test_a_withdrawn_consent_ends_a_visit(address):
    visits = write(address, kept("fig", at=-1))
    visits.forget(order_of("ann", None, now_ms=NOW))
    assert found(address, "ann") == [None]


def test_where_nobody_answers_the_shopper_is_unknown_and_nobody_is_asked_for_a_while(tmp_path, caplog):
    registry = CollectorRegistry()

    async def run():
        own = RedisShoppers(f"unix://{tmp_path}/none", VisitLimits(), salt=None, registry=registry)
        assert [await own.find("ann"), await own.find("ann")] == [None, None]
        with pytest.raises(OSError, match="visits cannot be forgotten"):
            await own.forget(order_of("ann", None, now_ms=NOW))
        await own.disconnect()

    asyncio.run(run())
    assert caplog.text.count("visits cannot be read") == 1
    assert registry.get_sample_value("tillside_shoppers_recalled_total", {"result": "failed"}) == 2


def test_what_could_not_be_written_waits(tmp_path):
    with redis_server(tmp_path / "one") as url:
        visits = RedisVisits(url, VisitLimits(), orders=None, clock=lambda: NOW / 1000)
    with pytest.raises(OSError, match="Redis: "):
        write_again(visits, kept("fig", at=-1))
    with redis_server(tmp_path / "one") as url:
        write_again(visits, kept("plum"))
        assert found(url, "ann") == [[("fig", "click"), ("plum", "click")]]


def write_again(visits, event):
    visits.add(event)
    visits.settle()


def test_an_address_that_is_none_and_a_missing_client_are_sentences(monkeypatch):
    with pytest.raises(ValueError, match=r"^--shoppers is no address of a Redis: ValueError$"):
        check_redis("redis://:secret@host:port/0")
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ValueError, match=r"pip install 'tillside\[redis\]'"):
        check_redis("redis://localhost")


@pytest.mark.slow
def test_servers_of_different_machines_share_visits_and_orders(orchard, tmp_path, address):
    """Neither server has the collector's folder; the order reaches it, and its log."""
    folder, token = tmp_path / "feedback", {"TILLSIDE_ADMIN_TOKEN": "secret"}
    flags = ("--shoppers", address, "--admin-port", "0")
    with (
        CollectorProcess(folder, tmp_path / "collector", "--shoppers", address) as collector,
        ServerProcess(orchard, tmp_path / "one", *flags, "--workers", "2", variables=token) as one,
        ServerProcess(orchard, tmp_path / "other", *flags, variables=token) as other,
    ):

        def remembered(server):
            answers = [httpx.post(f"{server.url}/v1/recommend", json={"shopper_id": "ann"}).json() for _ in range(4)]
            return {answer["remembered_events"] for answer in answers}

        collector.send({"event_id": "1", "kind": "click", "item": "apple", "shopper": "ann"})
        one.wait_for(lambda: remembered(one) == {1})
        assert remembered(other) == {1}
        with AdminClient(other.admin_url, token="secret") as admin:
            assert admin.forget_shopper("ann")["forgotten_events"] == 1
        assert remembered(one) == remembered(other) == {0}
        one.wait_for(lambda: not [r for p in segments_of(folder / "events") for r in read_segment(p)])
        collector.send({"event_id": "1", "kind": "click", "item": "apple", "shopper": "ann"})
        assert remembered(one) == {0}
