"""What was found is counted and given back."""

from prometheus_client import CollectorRegistry

from serving.feedback.shoppers.recalls import Recalls
from serving.protocol.messages import Event


def test_each_recall_counts_once_by_what_was_found():
    registry = CollectorRegistry()
    recalls = Recalls(registry)
    visit = [Event("fig")]
    assert recalls.note(visit) is visit
    assert recalls.note(None) is None
    recalls.failed()
    recalls.failed()
    counted = [
        registry.get_sample_value("tillside_shoppers_recalled_total", {"result": each})
        for each in ("remembered", "unknown", "failed")
    ]
    assert counted == [1, 1, 2]
