"""What a process that answers writes down and remembers, from its start to its end: exposures, and shoppers' visits."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving.feedback.exposure_log import ExposureLog
from serving.feedback.shoppers.redis_visits import RedisShoppers
from serving.feedback.shoppers.shoppers import MemoryShoppers
from serving.feedback.sinks import open_sink
from serving.service import Service
from serving.settings import Settings
from tillside.feedback.segments import EXPOSURES


@contextlib.contextmanager
def exposures_logged(settings: Settings, service: Service) -> Iterator[None]:
    """Write the answers of a service down while the block runs, where the settings say so.

    Raises:
        ValueError: it cannot be written there.
    """
    if settings.feedback is None:
        yield
        return
    sink = open_sink(settings.feedback, EXPOSURES)
    log = ExposureLog(
        sink,
        salt=settings.feedback_salt,
        registry=service.metrics.registry,
        requests=settings.feedback_requests,
    )
    with contextlib.closing(log):
        service.exposures = log
        yield


@contextlib.contextmanager
def shoppers_remembered(settings: Settings, service: Service) -> Iterator[None]:
    """Remember what shoppers did while the block runs, where the settings say so.

    Raises:
        ValueError: Redis' client is not installed, or the address is none.
    """
    if settings.shoppers is None:
        yield
        return
    shoppers: MemoryShoppers | RedisShoppers
    given: dict[str, Any] = {"salt": settings.feedback_salt, "registry": service.metrics.registry}
    if settings.shoppers_url is not None:
        shoppers = RedisShoppers(settings.shoppers_url, settings.shoppers, **given)
    else:
        assert isinstance(settings.feedback, Path)
        shoppers = MemoryShoppers(settings.feedback, settings.shoppers, **given)
    with contextlib.closing(shoppers):
        service.shoppers = shoppers
        yield
