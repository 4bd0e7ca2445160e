"""What the log says, how often, and that nothing waits for whoever reads it."""

import io
import json
import logging
import threading

import pytest

from serving.telemetry.logs import JsonFormatter, RequestLog, ThreadedHandler, json_logs, log_event, request_id

LOG = logging.getLogger("serving.test")


class Lines(logging.Handler):
    """Keeps what it is given, as parsed JSON."""

    def __init__(self):
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines = []

    def emit(self, record):
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines():
    handler = Lines()
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    yield handler.lines
    LOG.removeHandler(handler)
    LOG.propagate = True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_line_is_one_json_object_with_the_time_in_utc():
    record = LOG.makeRecord(LOG.name, logging.INFO, "f", 1, "loaded %s\nof %d", ("b1", 3), None)
    record.created = 1767225600.0625  # 2026-01-01T00:00:00.0625Z
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.062Z",
        "level": "info",
        "logger": "serving.test",
        "event": "message",
        "message": "loaded b1\nof 3",
    }


def test_an_event_has_its_fields(lines):
    log_event(LOG, logging.WARNING, "reload", result="refused", milliseconds=3)
    assert lines[0].items() >= {"level": "warning", "event": "reload", "result": "refused", "milliseconds": 3}.items()


def test_of_an_exception_the_type_and_the_place_are_logged_and_not_what_it_says(lines):
    try:
        raise KeyError("secret-item")
    except KeyError:
        LOG.exception("failed")
    assert lines[0]["error"] == "KeyError"
    assert lines[0]["place"][0].startswith(__file__)
    assert "secret" not in json.dumps(lines)


def test_a_request_is_logged_with_what_is_known_of_it(lines):
    RequestLog(LOG, sample=1.0).request(
        request_id="q1", status=200, milliseconds=1.23456, recommendation_id="r1", tier="model"
    )
    assert lines[0].pop("time").endswith("Z")
    assert lines == [
        {
            "level": "info",
            "logger": "serving.test",
            "event": "request",
            "request_id": "q1",
            "status": 200,
            "milliseconds": 1.235,
            "recommendation_id": "r1",
            "tier": "model",
        }
    ]


def test_ordinary_requests_are_sampled(lines):
    draws = iter([0.0, 0.2, 0.25, 0.9])
    log = RequestLog(LOG, sample=0.25, draw=lambda: next(draws))
    for number in range(4):
        log.request(request_id=str(number), status=200, milliseconds=1)
    assert [line["request_id"] for line in lines] == ["0", "1"]


def test_errors_and_degradations_are_always_logged_but_not_too_often(lines):
    clock = Clock()
    log = RequestLog(LOG, per_second=2, clock=clock)  # samples no ordinary request
    for number in range(5):
        log.request(request_id=str(number), status=200, milliseconds=1, tier="popularity", reason="queue_full")
    log.request(request_id="bug", status=500, milliseconds=1)  # another kind has its own allowance
    log.request(request_id="bad", status=422, milliseconds=1)
    log.request(request_id="ordinary", status=200, milliseconds=1, tier="model")
    log.request(request_id="ordinary too", status=200, milliseconds=1, tier="popularity", reason="empty_session")
    clock.now = 0.5  # one line more at two a second
    log.request(request_id="later", status=200, milliseconds=1, tier="popularity", reason="queue_full")
    log.request(request_id="again", status=200, milliseconds=1, tier="popularity", reason="queue_full")
    assert [(line["request_id"], line["level"]) for line in lines] == [
        ("0", "warning"),
        ("1", "warning"),
        ("bug", "error"),
        ("bad", "warning"),
        ("later", "warning"),
    ]
    assert [line.get("left_out") for line in lines] == [None, None, None, None, 3]


def test_a_refusal_is_logged_with_field_and_reason_and_refusals_of_any_field_share_a_limit(lines):
    log = RequestLog(LOG, per_second=2, clock=Clock())
    for field in ("k", "session[0].item_id", "exclude"):
        log.request(request_id="q", status=422, milliseconds=1, field=field, reason=f"invalid-field; allowed: {field}")
    assert [(line["field"], line["reason"]) for line in lines] == [
        ("k", "invalid-field; allowed: k"),
        ("session[0].item_id", "invalid-field; allowed: session[0].item_id"),
    ]


def test_kinds_without_end_share_a_limit(lines):
    log = RequestLog(LOG, per_second=1, clock=Clock())
    for number in range(1000):
        log.request(request_id="q", status=200, milliseconds=1, reason=f"reason {number}")
    assert len(lines) == 257  # 256 kinds, then one line for all the rest


@pytest.mark.parametrize(
    "header", [None, "", "a b", "x" * 65, "ü", "a\n", '"', "../etc", "a;b"], ids=lambda header: repr(header)[:12]
)
def test_a_request_id_that_is_not_sane_is_replaced(header):
    made = request_id(header)
    assert made != header
    assert len(made) == 32
    assert made != request_id(header)


def test_a_sane_request_id_is_kept():
    assert request_id("Shop-1.a_b") == "Shop-1.a_b"
    assert request_id("x" * 64) == "x" * 64


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sample": 1.5}, "sample must be a share from 0 to 1, got 1.5"),
        ({"per_second": 0}, "per_second must be positive, got 0"),
    ],
)
def test_wrong_settings(wrong, sentence):
    with pytest.raises(ValueError) as caught:
        RequestLog(LOG, **wrong)
    assert str(caught.value) == sentence


def test_everything_that_waits_is_written_at_the_end():
    stream = io.StringIO()
    with json_logs(stream=stream):
        for number in range(100):
            logging.getLogger("serving").info("line %d", number)
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == [
        f"line {number}" for number in range(100)
    ]


class Stuck(io.StringIO):
    """A pipe whose reader sleeps until it is woken."""

    def __init__(self):
        super().__init__()
        self.entered, self.woken, self.written = threading.Event(), threading.Event(), threading.Semaphore(0)

    def write(self, text):
        self.entered.set()
        assert self.woken.wait(30)
        self.written.release()
        return super().write(text)


def test_a_reader_that_is_stuck_costs_lines_and_nothing_else():
    stream = Stuck()
    handler = ThreadedHandler(stream, waiting=2)
    handler.setFormatter(JsonFormatter())

    def emit(message):
        handler.handle(LOG.makeRecord(LOG.name, logging.INFO, "f", 1, message, (), None))

    emit("written")
    assert stream.entered.wait(30)
    for message in ("first in line", "second in line", "dropped", "dropped too"):
        emit(message)  # were it written here, this would wait for ever
    stream.woken.set()
    for _ in range(3):
        assert stream.written.acquire(timeout=30)
    emit("after")
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("message") or line["event"] for line in lines] == [
        "written",
        "first in line",
        "second in line",
        "lines_dropped",
        "after",
    ]
    assert lines[3]["lines"] == 2
