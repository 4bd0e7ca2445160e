"""A metrics page as numbers."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


def values(page: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(page)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def scraped(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """The metrics of the server that a client asks."""
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    return values(page.text)
