"""The metrics of several workers are one page."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from serving.telemetry.merged_metrics import add_up, merged_page, only_counted, samples_of
from tests.serving.prometheus import values


def registry(*, requests: int, depth: int, items: int, seconds: float) -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("tillside_answers", "Answers.", ["tier"], registry=made).labels("model").inc(requests)
    Gauge("tillside_queue_depth", "Depth.", registry=made).set(depth)
    Gauge("tillside_items", "Items.", registry=made).set(items)
    Histogram("tillside_stage_seconds", "Time.", buckets=(1.0, 2.0), registry=made).observe(seconds)
    return made


def test_what_is_counted_adds_up_and_what_is_the_same_stays():
    parts = [
        samples_of(registry(requests=3, depth=2, items=5, seconds=0.5)),
        samples_of(registry(requests=4, depth=1, items=5, seconds=1.5)),
    ]
    expected = {
        ("tillside_answers_total", "model"): 7,
        ("tillside_queue_depth",): 3,
        ("tillside_items",): 5,
        ("tillside_stage_seconds_bucket", "1.0"): 1,
        ("tillside_stage_seconds_bucket", "2.0"): 2,
        ("tillside_stage_seconds_bucket", "+Inf"): 2,
        ("tillside_stage_seconds_count",): 2,
        ("tillside_stage_seconds_sum",): 2.0,
    }
    page = values(merged_page(parts).decode())
    assert {key: page[key] for key in expected} == expected
    # the first one dies: its counts stay, its gauges go
    buried = add_up([[], only_counted(parts[0])])
    page = values(merged_page([buried, parts[1]]).decode())
    assert {key: page[key] for key in expected} == {**expected, ("tillside_queue_depth",): 1}
