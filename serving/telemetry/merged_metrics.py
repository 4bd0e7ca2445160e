"""Merge the metrics of all workers into one page.

Workers send their samples over the control channel, so nothing is written to disk and a read-only container works.
The last samples of a dead worker stay in the sums, or counters would decrease.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric

Samples = list[dict[str, Any]]
SAME_IN_ALL: Final = (
    "tillside_bundle_info",
    "tillside_bundle_loaded_timestamp_seconds",
    "tillside_bundle_reloads",
    "tillside_catalogue_timestamp_seconds",
    "tillside_items",
    "tillside_items_feed_timestamp_seconds",
    "tillside_policy_info",
    "tillside_shoppers",
    "tillside_shoppers_events",
    "tillside_shoppers_forgotten",
    "tillside_shoppers_made_room",
    "tillside_shoppers_read",
    "process_start_time_seconds",
    "process_max_fds",
)
"""Metric families merged by maximum instead of sum."""


def samples_of(registry: CollectorRegistry) -> Samples:
    """Samples of a registry as JSON types."""
    return [
        {
            "name": family.name,
            "help": family.documentation,
            "type": family.type,
            "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
        }
        for family in registry.collect()
    ]


def only_counted(samples: Samples) -> Samples:
    """Counters and histograms only: what to keep of a worker that has died."""
    return [family for family in samples if family["type"] in ("counter", "histogram")]


def merged_page(parts: Sequence[Samples]) -> bytes:
    """Prometheus text page of the merged samples of several registries."""
    return generate_latest(_Merged(parts))


def add_up(parts: Sequence[Samples]) -> Samples:
    """Merge the samples of several registries."""
    return [
        {
            "name": family.name,
            "help": family.documentation,
            "type": family.type,
            "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
        }
        for family in _Merged(parts).collect()
    ]


class _Merged:
    def __init__(self, parts: Sequence[Samples]) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for part in self._parts:
            for family in part:
                name = family["name"]
                families.setdefault(name, Metric(name, family["help"], family["type"]))
                sums = values.setdefault(name, {})
                for sample, labels, value in family["samples"]:
                    key = (sample, tuple(labels.items()))
                    known = sums.get(key, 0.0)
                    sums[key] = max(known, value) if name in SAME_IN_ALL else known + value
        for name, metric in families.items():
            for (sample, labelled), value in values[name].items():
                metric.add_sample(sample, dict(labelled), value)
        return families.values()
