"""What is answered with 200 or 207 is kept, once; everything else says what to do."""

import asyncio
import errno
import threading

import pytest

from serving.collector.sources import Source, Sources, open_to_all
from tests.serving.collector.collecting import CLICK, NOW, collecting, kept, sent
from tests.serving.server_process import DEADLINE_SECONDS
from tillside.feedback.events import Event
from tillside.feedback.subjects import hashed

KEPT = Event(**CLICK, received=int(NOW * 1000))
COUNTS = {"accepted": 0, "duplicates": 0, "conflicts": 0, "refused": 0, "ignored": 0, "problems": []}


def run(work):
    return asyncio.run(work)


@pytest.mark.parametrize("way", [{}, {"lines": True}, {"gzip": True}, {"lines": True, "gzip": True}])
def test_an_event_is_kept_with_the_time_of_its_receipt(tmp_path, way):
    async def work():
        async with collecting(tmp_path) as client:
            return await sent(client, [CLICK], **way)

    response = run(work())
    assert (response.status_code, response.json()) == (200, COUNTS | {"accepted": 1})
    assert kept(tmp_path) == [KEPT]


def test_an_id_counts_once_and_another_payload_is_a_conflict(tmp_path):
    async def work():
        async with collecting(tmp_path) as client:
            first = await sent(client, [CLICK, CLICK])
            other = await sent(client, [CLICK, {**CLICK, "item": "plum"}, {**CLICK, "event_id": "e2"}])
        async with collecting(tmp_path) as client:  # another process, later
            again = await sent(client, [CLICK])
        return first, other, again

    first, other, again = run(work())
    assert first.json() == COUNTS | {"accepted": 1, "duplicates": 1}
    assert other.status_code == 207
    reason = "another event of this event_id was kept before, and stands"
    problem = {"index": 1, "result": "conflict", "reason": reason}
    assert other.json() == COUNTS | {"accepted": 1, "duplicates": 1, "conflicts": 1, "problems": [problem]}
    assert again.json() == COUNTS | {"duplicates": 1}
    assert [(event.event_id, event.item) for event in kept(tmp_path)] == [("e1", "fig"), ("e2", "fig")]
    assert [event.item for event in kept(tmp_path, "conflicts")] == ["plum"]


def test_the_good_ones_are_kept_beside_bad_ones(tmp_path):
    async def work():
        async with collecting(tmp_path) as client:
            return await sent(client, [{"kind": "click"}, CLICK])

    response = run(work())
    assert response.status_code == 207
    problem = {"index": 0, "result": "refused", "reason": "event_id is missing"}
    assert response.json() == COUNTS | {"accepted": 1, "refused": 1, "problems": [problem]}
    assert kept(tmp_path) == [KEPT]


def test_an_event_without_a_time_has_that_of_its_receipt_and_may_be_sent_again(tmp_path):
    untimed = {name: value for name, value in CLICK.items() if name != "time"}

    async def work():
        async with collecting(tmp_path) as client:
            await sent(client, [untimed])
        async with collecting(tmp_path) as client:
            return await sent(client, [untimed])

    assert run(work()).json() == COUNTS | {"duplicates": 1}
    (event,) = kept(tmp_path)
    assert (event.time, event.untimed, event.received) == (1_700_000_000_500, True, 1_700_000_000_500)


def test_keys_are_hashed_and_left_out_without_consent(tmp_path):
    salt = b"0123456789abcdef"
    said = [
        {**CLICK, "event_id": str(n), "shopper": "ann", "session": "v", "consent": c}
        for n, c in enumerate((True, False))
    ]

    async def work():
        async with collecting(tmp_path, salt=salt) as client:
            await sent(client, said)

    run(work())
    assert [(event.shopper, event.session) for event in kept(tmp_path)] == [
        (hashed("ann", salt), hashed("v", salt)),
        (None, None),
    ]


def test_each_source_has_a_token_and_its_name_is_kept(tmp_path):
    sources = Sources(None, {"web-token": Source("web"), "till-token": Source("till")}, frozenset())

    async def work():
        async with collecting(tmp_path, sources=sources) as client:
            refused = [await sent(client, [CLICK]), await sent(client, [CLICK], authorization="Bearer wrong")]
            await sent(client, [CLICK], authorization="Bearer till-token")
            body = '[{"event_id":"e2","kind":"click","item":"a"}]'
            beacon = await client.post(
                "/v1/events?token=web-token", content=body, headers={"content-type": "text/plain"}
            )
            return refused, beacon

    refused, beacon = run(work())
    assert [(each.status_code, each.headers["www-authenticate"]) for each in refused] == [(401, "Bearer")] * 2
    assert beacon.status_code == 200
    assert [event.source for event in kept(tmp_path)] == ["till", "web"]


def test_a_source_that_sends_too_much_is_told_when_to_go_on(tmp_path):
    """1,000 events may come at once; at 1 a second the next ten take ten seconds."""
    source = Source("web", rate=1.0)
    source.wait(1000, now=0.0)

    async def work():
        async with collecting(tmp_path, sources=Sources(source, {}, frozenset())) as client:
            source._at = 1e18  # its clock stands still
            return await sent(client, [{**CLICK, "event_id": str(n)} for n in range(10)])

    response = run(work())
    assert (response.status_code, response.headers["retry-after"]) == (429, "10")
    assert kept(tmp_path) == []


def test_pages_of_an_allowed_origin_may_send_and_others_may_not(tmp_path):
    shop = "https://shop.example"

    async def work():
        async with collecting(tmp_path, sources=open_to_all(origins=frozenset({shop}))) as client:
            asked = await client.options("/v1/events", headers={"origin": shop})
            stranger = await client.options("/v1/events", headers={"origin": "https://evil.example"})
            return asked, stranger, await sent(client, [CLICK], origin=shop), await sent(client, [CLICK], origin="null")

    asked, stranger, taken, refused = run(work())
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == shop
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert "content-type" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in stranger.headers
    assert (taken.status_code, taken.headers["access-control-allow-origin"]) == (200, shop)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_what_the_disk_is_behind_with_is_to_be_sent_again(tmp_path, monkeypatch):
    """One body is being synced, one waits, as many as may, and a third is one too many."""
    syncing, may_sync = threading.Event(), threading.Event()

    def slow(file):
        syncing.set()
        assert may_sync.wait(DEADLINE_SECONDS)

    async def work():
        async with collecting(tmp_path, waiting=1) as client:
            monkeypatch.setattr("tillside.feedback.segments.os.fdatasync", slow)
            first = asyncio.create_task(sent(client, [CLICK]))
            await asyncio.to_thread(syncing.wait, DEADLINE_SECONDS)
            second = asyncio.create_task(sent(client, [{**CLICK, "event_id": "e2"}]))
            while not client.intake.waiting:
                await asyncio.sleep(0)
            refused = await sent(client, [{**CLICK, "event_id": "e3"}])
            may_sync.set()
            await asyncio.gather(first, second)
            return refused

    response = run(work())
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert [event.event_id for event in kept(tmp_path)] == ["e1", "e2"]


def test_a_full_disk_takes_nothing_and_what_is_sent_again_then_counts_once(tmp_path, monkeypatch):
    async def work():
        async with collecting(tmp_path) as client:
            with monkeypatch.context() as patch:

                def full(file):
                    raise OSError(errno.ENOSPC, "No space left on device")

                patch.setattr("tillside.feedback.segments.os.fdatasync", full)
                refused = await sent(client, [CLICK])
            return refused, await sent(client, [CLICK])

    refused, taken = run(work())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert taken.json() == COUNTS | {"accepted": 1}
    assert kept(tmp_path) == [KEPT]


def test_before_the_ids_are_known_nothing_is_taken(tmp_path):
    async def work():
        async with collecting(tmp_path, ready=False) as client:
            return await sent(client, [CLICK]), await client.get("/health/ready"), await client.get("/health/live")

    taken, ready, live = run(work())
    assert (taken.status_code, ready.status_code, live.status_code) == (503, 503, 200)


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"[", {}, 400, "the body must be a JSON list of events"),
        (b"", {}, 400, "the body is empty"),
        (b"[]", {"content-type": "text/html"}, 415, "content-type must be application/json"),
        (b"[]", {"content-encoding": "br"}, 415, "content-encoding must be gzip or identity"),
        (b"[]", {"content-encoding": "gzip"}, 400, "the body is no gzip"),
        (b"[" + b"1," * 10 + b"1]", {}, 413, "a body may hold 10 events, got 11"),
        (b" " * 6000, {}, 413, "the body must be at most 5000 bytes"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_a_sentence(tmp_path, body, headers, status, words):
    async def work():
        async with collecting(tmp_path) as client:
            return await client.post("/v1/events", content=body, headers={"content-type": "application/json"} | headers)

    response = run(work())
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].startswith(words)


def test_the_script_the_document_and_the_metrics(tmp_path):
    async def work():
        async with collecting(tmp_path) as client:
            await sent(client, [CLICK, CLICK])
            return [await client.get(path) for path in ("/tillside.js", "/openapi.json", "/metrics", "/v1/events")]

    script, document, metrics, wrong = run(work())
    assert script.headers["content-type"].startswith("text/javascript")
    assert document.json()["openapi"] == "3.1.0"
    assert 'tillside_events_total{result="accepted",source=""} 1.0' in metrics.text
    assert 'tillside_events_total{result="duplicate",source=""} 1.0' in metrics.text
    assert 'tillside_collector_responses_total{status="200"} 1.0' in metrics.text
    assert wrong.status_code == 405


def test_many_at_once_are_kept_once_each(tmp_path):
    """Forty requests at a time, each event in four of them: ten are kept and thirty are duplicates."""

    async def work():
        async with collecting(tmp_path) as client:
            said = [[{**CLICK, "event_id": str(number % 10)}] for number in range(40)]
            return await asyncio.gather(*(sent(client, each) for each in said))

    answers = [response.json() for response in run(work())]
    assert sum(each["accepted"] for each in answers) == 10
    assert sum(each["duplicates"] for each in answers) == 30
    assert sorted(event.event_id for event in kept(tmp_path)) == [str(number) for number in range(10)]
