"""The collector counts what became of events, by source."""

from serving.collector.metrics import CollectorMetrics


def test_events_are_counted_by_result_and_source():
    metrics = CollectorMetrics(waiting=lambda: 7, seen=lambda: 3, runs=lambda: 2)
    metrics.observe(0.004, "web", accepted=2, duplicate=1, conflict=0)
    metrics.count_response(207)
    page = metrics.page().decode()
    for line in (
        'tillside_events_total{result="accepted",source="web"} 2.0',
        'tillside_events_total{result="duplicate",source="web"} 1.0',
        'tillside_collector_responses_total{status="207"} 1.0',
        'tillside_collector_seconds_bucket{le="0.005"} 1.0',
        "tillside_collector_waiting 7.0",
        "tillside_collector_seen 3.0",
        "tillside_collector_runs 2.0",
    ):
        assert line in page
    assert 'result="conflict"' not in page
