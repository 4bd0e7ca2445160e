"""The log of exposures holds every answer or counts it, and an answer never waits for it."""

import errno
import signal
import threading

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from serving.answering.outcome import Outcome
from serving.feedback import exposure_log
from serving.feedback.exposure_log import ExposureLog
from serving.protocol.messages import Answer, Event, RecommendRequest
from tests.serving.server_process import ServerProcess
from tillside.feedback.exposures import decode_exposure
from tillside.feedback.segments import EXPOSURES, read_segment, segments_of
from tillside.feedback.subjects import hashed

REQUEST = RecommendRequest([Event("apple")], shopper_id="ann", placement="cart")
SALT = b"0123456789abcdef"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, seconds in {"TICK_SECONDS": 0.001, "SYNC_SECONDS": 0.0, "PAUSE_SECONDS": 0.001}.items():
        monkeypatch.setattr(exposure_log, name, seconds)


def outcome(name):
    return Outcome(
        Answer(
            recommendation_id=name,
            items=[],
            tier="empty",
            degraded_reason=None,
            behaviour="click",
            purchase_intent=None,
            unknown_items=[],
            model_version=None,
            bundle=None,
        )
    )


class Held:
    """A sink in memory: it takes at most ``room`` records at once and fails while told to."""

    def __init__(self, *, room=1000):
        self.room, self.taken, self.durable = room, [], []
        self.fails, self.failed, self.go = False, threading.Event(), threading.Event()
        self.go.set()

    def write(self, payloads):
        self.go.wait(30)
        if self.fails:
            self.failed.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        self.taken += payloads[: self.room]
        return len(payloads[: self.room])

    def sync(self):
        if self.fails:
            self.taken = []
            self.failed.set()
            raise OSError(errno.EIO, "Input/output error")
        self.durable += self.taken
        self.taken = []
        return 0

    close = sync

    @property
    def names(self):
        return [decode_exposure(each).recommendation_id for each in self.durable]


def counted(registry):
    full, failed = (
        registry.get_sample_value("tillside_exposures_lost_total", {"reason": r}) for r in ("full", "failed")
    )
    return registry.get_sample_value("tillside_exposures_total"), full, failed


def test_every_answer_is_written_in_order_and_counted():
    sink, registry = Held(room=7), CollectorRegistry()
    log = ExposureLog(sink, salt=SALT, registry=registry)
    for number in range(100):
        log.note(REQUEST, outcome(f"r{number}"))
    log.close()
    assert sink.names == [f"r{number}" for number in range(100)]
    assert counted(registry) == (100, 0, 0)
    first = decode_exposure(sink.durable[0])
    assert (first.shopper, first.placement) == (hashed("ann", SALT), "cart")


def test_without_a_salt_keys_are_written_as_they_came():
    sink = Held()
    log = ExposureLog(sink, salt=None, registry=CollectorRegistry())
    log.note(REQUEST, outcome("r"))
    log.close()
    assert decode_exposure(sink.durable[0]).shopper == "ann"


def test_what_finds_no_room_is_left_out_and_counted():
    """The writer is held up: of six answers one is with the writer, two wait, and the others are counted."""
    sink, registry = Held(), CollectorRegistry()
    sink.go.clear()
    log = ExposureLog(sink, salt=None, registry=registry, waiting=2)
    log.note(REQUEST, outcome("r0"))
    while log._waiting:  # until the writer has it
        pass
    for number in range(1, 6):
        log.note(REQUEST, outcome(f"r{number}"))
    assert counted(registry) == (0, 3, 0)
    sink.go.set()
    log.close()
    assert sink.names == ["r0", "r1", "r2"]
    assert counted(registry) == (3, 3, 0)


def test_after_a_failure_nothing_is_lost_and_nothing_doubled():
    sink, registry = Held(), CollectorRegistry()
    log = ExposureLog(sink, salt=None, registry=registry)
    sink.fails = True
    log.note(REQUEST, outcome("r0"))
    assert sink.failed.wait(30)
    log.note(REQUEST, outcome("r1"))
    sink.fails = False
    log.close()
    assert sink.names == ["r0", "r1"]
    assert counted(registry) == (2, 0, 0)


def test_what_cannot_be_written_at_the_end_is_counted(caplog):
    sink, registry = Held(), CollectorRegistry()
    log = ExposureLog(sink, salt=None, registry=registry)
    sink.fails = True
    for number in range(3):
        log.note(REQUEST, outcome(f"r{number}"))
    log.close()
    assert counted(registry) == (0, 0, 3)
    assert "3 exposures could not be written before the end" in caplog.text


def test_an_answer_that_cannot_be_encoded_ends_nothing():
    sink, registry = Held(), CollectorRegistry()
    log = ExposureLog(sink, salt=None, registry=registry)
    broken = Outcome(msgspec.structs.replace(outcome("r").answer, items=[None]))
    log.note(REQUEST, broken)
    while log._waiting:
        pass
    log.note(REQUEST, outcome("next"))
    log.close()
    assert sink.names == ["next"]
    assert counted(registry) == (1, 0, 1)


@pytest.fixture(scope="module", params=[("1", signal.SIGTERM), ("2", signal.SIGTERM)], ids=["one", "two-workers"])
def served(request, orchard, tmp_path_factory):
    """Recommendation ids that a server gave out before it was stopped, and its folder."""
    workers, number = request.param
    folder = tmp_path_factory.mktemp("feedback")
    given = []
    flags = ("--feedback", str(folder), "--workers", workers)
    salted = {"TILLSIDE_FEEDBACK_SALT": SALT.decode()}
    with ServerProcess(orchard, folder / "log", *flags, variables=salted) as server:
        for number_ in range(40):
            body = {"session": [{"item_id": "apple"}], "k": 2, "shopper_id": f"s{number_}"}
            answer = httpx.post(f"{server.url}/v1/recommend", json=body, timeout=30).json()
            given.append((answer["recommendation_id"], [item["item_id"] for item in answer["items"]]))
        page = httpx.get(f"{server.url}/metrics", timeout=30).text
        server.process.send_signal(number)
        assert server.process.wait(30) == 0
    return folder, given, page, server.log


def test_a_server_writes_each_answer_that_it_gave(served):
    folder, given, page, log = served
    paths = segments_of(folder / EXPOSURES)
    found = [decode_exposure(each) for path in paths for each in read_segment(path)]
    assert sorted((each.recommendation_id, [slot.item for slot in each.slots]) for each in found) == sorted(given)
    assert {each.shopper for each in found} == {hashed(f"s{number}", SALT) for number in range(40)}
    assert "tillside_exposures_lost_total" in page
    assert SALT.decode() not in log


def test_a_killed_server_leaves_what_it_wrote_and_a_new_one_begins_a_segment(orchard, tmp_path):
    """Answers that are in the file when the kill comes are read after it, and by the server after that not touched."""
    folder = tmp_path / "feedback"

    def ask(server):
        answer = httpx.post(f"{server.url}/v1/recommend", json={"session": []}, timeout=30).json()
        return str(answer["recommendation_id"])

    def kept():
        return [
            decode_exposure(p).recommendation_id for path in segments_of(folder / EXPOSURES) for p in read_segment(path)
        ]

    given = []
    for number in range(2):
        with ServerProcess(orchard, tmp_path / "log", "--feedback", str(folder)) as server:
            given.append(ask(server))
            server.wait_for(lambda: given[-1] in kept())
            server.process.kill()
            server.process.wait()
        assert len(segments_of(folder / EXPOSURES)) == number + 1
    assert sorted(kept()) == sorted(given)


def test_a_folder_that_cannot_be_written_ends_the_start_with_a_sentence(orchard, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AssertionError, match=r"ended with 2: error: feedback cannot be written to .*Not a directory"):
        ServerProcess(orchard, tmp_path / "log", "--feedback", str(tmp_path / "file"), "--workers", "2")
