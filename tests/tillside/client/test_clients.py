"""Both clients over real sockets: whatever is at the other end, the caller gets an answer or the own list, and in time.

Where a time-out is the promise, the other end would give a valid answer, or go on for ever, if it were waited for.
"""

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from tests.tillside.client.sockets import ANSWER, GOOD, Scene, answers, http
from tillside.client import AsyncClient, Breaker, Client, Event
from tillside.client.messages import Question

PATIENT_MS = 10_000
"""For whatever must not time out, on however busy a machine."""
OWN = ["bag", "card", "bow"]


class Blocking:
    """The sync client as it is."""

    def __init__(self, url, **options):
        self.client = Client(url, **{"fallback": OWN, "timeout_ms": PATIENT_MS, **options})

    def recommend(self, *arguments, **fields):
        return self.client.recommend(*arguments, **fields)

    def close(self):
        self.client.close()

    end = close


class Awaited:
    """The async client, driven from here."""

    def __init__(self, url, **options):
        self.runner = asyncio.Runner()
        self.client = AsyncClient(url, **{"fallback": OWN, "timeout_ms": PATIENT_MS, **options})

    def recommend(self, *arguments, **fields):
        return self.runner.run(self.client.recommend(*arguments, **fields))

    def close(self):
        self.runner.run(self.client.close())

    def end(self):
        self.close()
        self.runner.close()


@pytest.fixture(params=[Blocking, Awaited])
def connect(request):
    """Makes clients of either kind and closes them."""
    with contextlib.ExitStack() as stack:

        def make(url, **options):
            client = request.param(url, **options)
            stack.callback(client.end)
            return client

        yield make


@contextlib.contextmanager
def nobody():
    """The url of a port that is taken but not listened on: connecting is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def attempts(monkeypatch):
    """Counts attempts to connect; ``attempts.before`` is called with the number of each."""
    counted = SimpleNamespace(number=0, before=lambda number: None)
    really = socket.socket.connect

    def connect(self, address):
        counted.number += 1
        counted.before(counted.number)
        return really(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return counted


def own(answer, reason):
    return [item.item_id for item in answer.items] == OWN and (answer.tier, answer.degraded_reason) == (
        "caller",
        reason,
    )


def test_an_answer_and_what_was_asked(connect):
    with Scene(answers(GOOD)) as scene:
        client = connect(scene.url + "/shop", token="s3cret")
        answer = client.recommend([Event("fig", "cart")], behaviour="purchase", k=2, exclude=["bag"], deadline_ms=9000)
        assert [item.item_id for item in answer.items] == ["pear", "plum"]
        assert (answer.tier, answer.degraded_reason, answer.bundle) == ("model", None, "b1")
        [(head, body)] = scene.requests
        assert head.startswith("POST /shop/v1/recommend HTTP/1.1\r\n")
        assert "\r\nauthorization: bearer s3cret\r\n" in head.lower().replace("Bearer", "bearer")
        assert 1 <= body.pop("deadline_ms") <= 9000
        assert body == {
            "session": [{"item_id": "fig", "behaviour": "cart"}],
            "behaviour": "purchase",
            "k": 2,
            "exclude": ["bag"],
        }
        client.close()


def test_one_connection_serves_one_request_after_another(connect):
    with Scene(answers(GOOD)) as scene:
        client = connect(scene.url)
        assert [client.recommend([]).tier for _ in range(5)] == ["model"] * 5
        assert (scene.connections, len(scene.requests)) == (1, 5)
        client.close()


def says_nothing(scene, connection):
    scene.stall(connection)


def trickles(at: int):
    """A valid answer, whole up to byte ``at``, then byte by byte, each far sooner than the time-out of one read."""

    def part(scene, connection):
        scene.read(connection)
        connection.sendall(GOOD[:at])
        for byte in GOOD[at:]:
            connection.sendall(bytes([byte]))
            threading.Event().wait(0.01)
        scene.stall(connection)

    return part


@pytest.mark.parametrize("part", [says_nothing, trickles(1), trickles(len(GOOD) - 100)], ids=["silent", "head", "body"])
def test_the_total_time_is_hard_and_the_connection_is_given_up(connect, part):
    with Scene(part) as scene:
        client = connect(scene.url, timeout_ms=40)
        assert own(client.recommend([]), "timeout")
        if isinstance(client, Awaited):
            client.runner.run(asyncio.sleep(0))
        assert scene.hung_up.wait(30)
        assert scene.connections == 1  # no second try


def closes(scene, connection):
    scene.read(connection)


def closes_at_once(scene, connection):
    pass


def closes_half_way(scene, connection):
    scene.read(connection)
    connection.sendall(GOOD[:-40])


def resets(scene, connection):
    scene.read(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def sends_for_ever(scene, connection):
    scene.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    while True:
        connection.sendall(b" " * 65536)


BOMB = gzip.compress(b" " * (1 << 24) + json.dumps(ANSWER).encode())


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (closes, "bad_answer"),
        (closes_at_once, "bad_answer"),
        (closes_half_way, "bad_answer"),
        (resets, "bad_answer"),
        (sends_for_ever, "bad_answer"),
        (answers(b"\x16\x03\x01 not HTTP\r\n\r\n"), "bad_answer"),
        (answers(http(b"<html>")), "bad_answer"),
        (answers(http(BOMB, "200 OK", "content-encoding: gzip")), "bad_answer"),
        (answers(http(b"", "204 No Content")), "status_204"),
        (answers(http(b"", "301 Moved", "location: /elsewhere")), "status_301"),
        (answers(http(b"busy", "429 Too Many Requests")), "status_429"),
        (answers(http(b"oops", "500 Internal Server Error")), "status_500"),
        (answers(http(b"{}", "503 Service Unavailable")), "status_503"),
    ],
)
def test_whatever_comes_the_own_list_answers_and_nothing_is_sent_twice(connect, attempts, part, reason):
    with Scene(part) as scene:
        told = []
        client = connect(scene.url, on_failure=told.append)
        assert own(client.recommend([]), reason)
        assert told == [reason]
        assert (attempts.number, scene.connections) == (1, 1)
        client.close()


def test_only_connecting_is_tried_again_and_once(connect, attempts):
    with nobody() as url:
        assert own(connect(url).recommend([]), "connect")
        assert attempts.number == 2


def test_the_second_try_may_succeed(connect, attempts):
    with socket.socket() as taken, contextlib.ExitStack() as stack:
        taken.bind(("127.0.0.1", 0))
        scenes = []

        def listen_at_last(number):
            if number == 2:
                scenes.append(stack.enter_context(Scene(answers(GOOD), listener=taken)))

        attempts.before = listen_at_last
        client = connect(f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert client.recommend([]).tier == "model"
        assert len(scenes[0].requests) == 1
        client.close()


def test_looking_a_name_up_counts_too(connect, attempts, monkeypatch):
    found = threading.Event()

    def resolve(*arguments, **options):
        assert found.wait(30)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = connect("http://tillside.example:8080", timeout_ms=20)
    assert own(client.recommend([]), "timeout")
    found.set()
    assert attempts.number == 0


def test_a_name_that_does_not_exist_is_looked_up_twice(connect, monkeypatch):
    asked = []

    def resolve(host, *arguments, **options):
        asked.append(host)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert own(connect("http://tillside.example:8080").recommend([]), "connect")
    assert len(asked) == 2


def test_the_circuit_opens_stays_open_and_closes_again(connect):
    now = [0.0]
    breaker = Breaker(failures=2, open_seconds=5, clock=lambda: now[0])
    responses = [http(b"", "503 Service Unavailable")] * 3 + [GOOD] * 2

    def part(scene, connection):
        while scene.read(connection):
            connection.sendall(responses.pop(0))

    with Scene(part) as scene:
        client = connect(scene.url, breaker=breaker)
        reasons = [client.recommend([]).degraded_reason for _ in range(4)]
        assert reasons == ["status_503", "status_503", "circuit_open", "circuit_open"]
        assert len(scene.requests) == 2
        now[0] = 5.0
        assert own(client.recommend([]), "status_503")  # the trial fails: open for five seconds more
        now[0] = 9.9
        assert own(client.recommend([]), "circuit_open")
        now[0] = 10.0
        assert [client.recommend([]).tier for _ in range(2)] == ["model", "model"]
        assert len(scene.requests) == 5
        client.close()


def test_a_refusal_is_logged_once_and_does_not_open_the_circuit(connect, caplog):
    problem = json.dumps({"detail": "behaviour must be one of click, cart, got 'buy'\nerror: forged"}).encode()
    with Scene(answers(http(problem, "422 Unprocessable Content"))) as scene:
        client = connect(scene.url, breaker=Breaker(failures=1))
        with caplog.at_level(logging.WARNING, "tillside.client"):
            for _ in range(3):
                assert own(client.recommend([], behaviour="buy"), "refused")
        [record] = caplog.records
        assert "status 422: behaviour must be one of click, cart, got 'buy' error: forged" in record.getMessage()
        assert "\n" not in record.getMessage()
        client.close()


def test_a_mistake_of_the_callers_is_raised_before_anything_is_sent(connect, attempts):
    client = connect("http://127.0.0.1:9")
    for wrong in ({"k": 0}, {"deadline_ms": 0.5}, {"deadline_ms": 10_001}, {"deadline_ms": True}, {"exclude": "x"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            client.recommend([], **wrong)
    assert attempts.number == 0


def test_on_failure_may_fail_too(connect, caplog):
    def broken(reason):
        raise RuntimeError("no metrics")

    with nobody() as url:
        assert own(connect(url, on_failure=broken).recommend([]), "connect")
    assert "on_failure raised RuntimeError: no metrics" in caplog.text


def test_a_fault_of_the_client_itself_does_not_reach_the_checkout_either(connect, monkeypatch, caplog):
    def broken(*_, **__):
        raise KeyError("bug")

    monkeypatch.setattr(Question, "body", broken)
    assert own(connect("http://127.0.0.1:9").recommend([]), "error")
    assert "KeyError: 'bug'" in caplog.text


def test_a_closed_client_answers_with_the_own_list(connect):
    with Scene(answers(GOOD)) as scene:
        client = connect(scene.url)
        assert client.recommend([]).tier == "model"
        client.close()
        assert own(client.recommend([]), "closed")


def test_threads_share_a_client():
    with Scene(answers(GOOD)) as scene, Client(scene.url, timeout_ms=PATIENT_MS) as client:
        tiers = []
        threads = [
            threading.Thread(target=lambda: tiers.extend(client.recommend([]).tier for _ in range(10)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert tiers == ["model"] * 80
        assert scene.connections <= 8


def test_close_ends_the_call_that_another_thread_waits_in():
    got = []
    with Scene(says_nothing) as scene:
        client = Client(scene.url, fallback=OWN, timeout_ms=PATIENT_MS)
        thread = threading.Thread(target=lambda: got.append(client.recommend([])))
        arrived = threading.Event()
        scene.on_accept = arrived.set
        thread.start()
        assert arrived.wait(30)
        client.close()
        thread.join(30)
        assert own(got[0], "closed")


def test_a_cancelled_trial_leaves_the_circuit_to_the_next_call():
    now = [0.0]
    breaker = Breaker(failures=1, open_seconds=5, clock=lambda: now[0])
    breaker.report(breaker.admit(), answered=False)
    now[0] = 5.0

    async def program():
        async with AsyncClient(scene.url, breaker=breaker, timeout_ms=PATIENT_MS) as client:
            task = asyncio.create_task(client.recommend([]))
            await asyncio.to_thread(arrived.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    arrived = threading.Event()
    with Scene(says_nothing) as scene:
        scene.on_accept = arrived.set
        asyncio.run(program())
        assert breaker.admit() is not None


FORKING = """
import os, sys
from tillside.client import Client
client = Client(sys.argv[1], timeout_ms=10_000)
print(client.recommend([]).tier, flush=True)
child = os.fork()
if child == 0:
    print("child", client.recommend([]).tier, flush=True)
    client.close()
    os._exit(0)
status = os.waitpid(child, 0)[1]
print("parent", client.recommend([]).tier, status, flush=True)
client.close()
"""


def test_a_forked_child_has_connections_of_its_own():
    with Scene(answers(GOOD)) as scene:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", FORKING, scene.url], capture_output=True, text=True, timeout=60
        )
        assert ended.stdout.splitlines() == ["model", "child model", "parent model 0"]
        assert ended.stderr == ""
        assert scene.connections == 2


@pytest.mark.parametrize(
    ("url", "options", "sentence"),
    [
        ("tillside:8080", {}, "url must be an address such as http://tillside:8080, got 'tillside:8080'"),
        ("http://t:port", {}, "url must be an address such as http://tillside:8080, got 'http://t:port'"),
        ("http://t", {"timeout_ms": 0}, "timeout_ms must be a number of milliseconds from 1 to 10000, got 0"),
        ("http://t", {"fallback": "bag"}, "fallback must be a sequence of item ids, got something else"),
        ("http://t", {"token": "s3cret\n"}, "token must be printable ASCII without spaces, got something else"),
    ],
)
def test_wrong_settings(url, options, sentence):
    with pytest.raises(ValueError) as caught:
        Client(url, **options)
    assert str(caught.value) == sentence


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_tillside_itself_needs_no_httpx_and_the_client_no_numpy():
    loaded = "import sys, tillside{}; print(sorted({{'httpx', 'numpy'}} & set(sys.modules)))"
    assert run(loaded.format("")).stdout == "[]\n"
    assert run(loaded.format(".client")).stdout == "['httpx']\n"


@pytest.mark.parametrize("kind", ["Blocking", "Awaited"])
def test_a_client_that_was_made_has_loaded_what_its_first_request_needs(kind):
    program = f"""
import sys
from tests.tillside.client.sockets import GOOD, Scene, answers
from tests.tillside.client.test_clients import {kind}
with Scene(answers(GOOD)) as scene:
    client = {kind}(scene.url)
    before = set(sys.modules)
    assert client.recommend([]).tier == "model"
    print(sorted(name for name in set(sys.modules) - before if name.startswith(("anyio", "http", "ssl"))))
    client.end()
"""
    assert run(program).stdout == "[]\n"


def test_without_httpx_the_import_says_what_to_install():
    ended = run("import sys; sys.modules['httpx'] = None; import tillside.client")
    assert ended.stderr.splitlines()[-1] == "ImportError: tillside.client needs httpx: pip install 'tillside[client]'"
