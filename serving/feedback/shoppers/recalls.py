"""How many requests that named their shopper alone found a visit."""

from prometheus_client import CollectorRegistry, Counter

from serving.protocol.messages import Event


class Recalls:
    """Counts what was found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        count = Counter(
            "tillside_shoppers_recalled",
            "Requests that named their shopper alone, by what was found: remembered, unknown, or failed.",
            ["result"],
            registry=registry,
        )
        self._remembered, self._unknown = count.labels("remembered"), count.labels("unknown")
        self._failed = count.labels("failed")

    def note(self, found: list[Event] | None) -> list[Event] | None:
        """Count a visit, or that there is none, and give it back."""
        (self._unknown if found is None else self._remembered).inc()
        return found

    def failed(self) -> None:
        """Count that nobody could say."""
        self._failed.inc()
