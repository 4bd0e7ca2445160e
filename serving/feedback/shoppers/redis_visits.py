"""Visits in Redis or Valkey, which all servers of a shop share: a collector writes them, servers read.

A visit is a sorted set of its shopper's latest events by time, under a digest of the key, and expires by itself. Each
step is a script, so that nothing that must be forgotten is written after it was: an order stands beside the visit until
the log no longer holds what it means. To write an event twice changes nothing, so a collector that starts again reads
its log back as a server would.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry

from serving.feedback.erasing import Orders
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.shoppers.recalls import Recalls
from serving.feedback.shoppers.visits import KeptEvent, belongs, events_of, latest_visit
from serving.protocol.messages import Event
from tillside.feedback.forgetting import Order, decode_order, digest_of, encode_order
from tillside.feedback.subjects import as_kept

log = logging.getLogger("serving")

INSTALL: Final = "python -m pip install 'tillside[redis]'"
VISIT: Final = "tillside:{%s}:visit"
ORDER: Final = "tillside:{%s}:forgotten"
"""In braces: both lie on one node of a cluster."""
ORDERS: Final = "tillside:orders"
"""Orders that servers took, for the collector's log."""
ORDER_SECONDS: Final = 3 * 24 * 3600
FIND_SECONDS: Final = 0.05
"""Longest time that an answer waits for a visit."""
PAUSE_SECONDS: Final = 1.0
"""Time after a failure in which nobody is asked for."""
CONNECTIONS: Final = 32
AT_ONCE: Final = 500
SECONDS: Final = 5.0
ADD: Final = """
local known = redis.call('GET', KEYS[2])
if known and tonumber(ARGV[1]) <= tonumber(known) then return 0 end
for number = 5, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[number], ARGV[number + 1]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
local left = redis.call('PTTL', KEYS[1])
local wanted = tonumber(ARGV[3]) - tonumber(ARGV[4])
if wanted > left then redis.call('PEXPIRE', KEYS[1], wanted) end
return 1
"""
"""Add events that were received at ARGV[1]; they are kept until ARGV[3], and now it is ARGV[4]."""
FORGET: Final = """
local known = redis.call('GET', KEYS[2])
if known and tonumber(known) >= tonumber(ARGV[1]) then return -1 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
local went = redis.call('ZCARD', KEYS[1])
redis.call('DEL', KEYS[1])
return went
"""
encode_event: Final[Callable[[Event], bytes]] = msgspec.json.Encoder().encode
decode_event: Final[Callable[[bytes], Event]] = msgspec.json.Decoder(Event).decode


def redis_client() -> Any:
    """The module ``redis``.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import redis
    except ImportError:
        raise ValueError(f"--shoppers redis:// needs the extra redis, which is not installed here: {INSTALL}") from None
    return redis


def check_redis(url: str) -> None:
    """See that the client is there, and that an address is one; nobody need answer at it yet.

    Raises:
        ValueError: one of them is not; the message does not hold the address, which may hold a password.
    """
    redis = redis_client()
    try:
        redis.Redis.from_url(url)
    except (ValueError, TypeError) as error:
        raise ValueError(f"--shoppers is no address of a Redis: {type(error).__name__}") from None


class RedisShoppers:
    """Visits as a server reads them; one of :class:`serving.feedback.shoppers.shoppers.Shoppers`.

    Args:
        salt: hashes the keys in the log; None if they stand there as they came.
    """

    def __init__(
        self,
        url: str,
        limits: VisitLimits,
        *,
        salt: bytes | None,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        redis = redis_client()
        self._errors = (redis.RedisError, OSError, TimeoutError)
        self._client = redis.asyncio.Redis(
            connection_pool=redis.asyncio.BlockingConnectionPool.from_url(
                url, max_connections=CONNECTIONS, timeout=FIND_SECONDS, socket_connect_timeout=SECONDS
            )
        )
        self._limits, self._salt, self._clock = limits, salt, clock
        self._recalls = Recalls(registry)
        self._again_at = 0.0

    async def find(self, shopper_id: str) -> list[Event] | None:
        """See :class:`serving.feedback.shoppers.shoppers.Shoppers`; None as well where Redis does not say in time."""
        if time.monotonic() < self._again_at:
            self._recalls.failed()
            return None
        kept = as_kept(shopper_id, self._salt)
        try:
            async with asyncio.timeout(FIND_SECONDS):
                members = await self._client.zrange(VISIT % digest_of(kept).hex(), 0, -1)
        except self._errors as error:
            self._again_at = time.monotonic() + PAUSE_SECONDS
            log.error("visits cannot be read: %s", type(error).__name__)
            self._recalls.failed()
            return None
        events = latest_visit([decode_event(member) for member in members], gap_ms=self._limits.gap_minutes * 60_000)
        return self._recalls.note(events or None)

    async def forget(self, order: Order) -> int:
        """See :class:`serving.feedback.shoppers.shoppers.Shoppers`; the collector's log is told too.

        Raises:
            OSError: Redis does not answer.
        """
        try:
            async with asyncio.timeout(SECONDS):
                went = [
                    int(await self._client.eval(FORGET, 2, VISIT % key, ORDER % key, order.time, ORDER_SECONDS))
                    for key in order.keys
                ]
                if max(went) >= 0:  # the first of several workers
                    await self._client.rpush(ORDERS, encode_order(order))
        except self._errors as error:
            raise OSError(f"visits cannot be forgotten: {type(error).__name__}") from None
        return max(0, *went)

    def wait(self, seconds: float) -> None:
        """Nothing: there is nothing to read first."""

    def close(self) -> None:
        """Nothing: the connections end with the process."""

    async def disconnect(self) -> None:
        """Close the connections, of one that ends before its process."""
        await self._client.aclose(close_connection_pool=True)


class RedisVisits:
    """Visits as a collector writes them, from its log, in place of :class:`serving.feedback.shoppers.visits.Visits`.

    Args:
        orders: takes what servers were asked to forget; None for nobody.
    """

    def __init__(
        self, url: str, limits: VisitLimits, *, orders: Orders | None, clock: Callable[[], float] = time.time
    ) -> None:
        redis = redis_client()
        self._error = redis.RedisError
        self._client = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        self._limits, self._gap_ms = limits, limits.gap_minutes * 60_000
        self._clock, self._orders = clock, orders
        self._waiting: list[tuple[Any, ...]] = []

    def add(self, kept: KeptEvent) -> None:
        """Add an event to its shopper's visit, if it belongs to one; written with :meth:`settle`, at the latest."""
        received = kept.received or kept.time
        until, now_ms = received + self._gap_ms, int(self._clock() * 1000)
        if until <= now_ms or kept.shopper is None or not belongs(kept, gap_ms=self._gap_ms):
            return
        events = events_of(kept)
        if events:
            key = digest_of(kept.shopper).hex()
            members = [part for event in events for part in (event.timestamp, encode_event(event))]
            script = (ADD, 2, VISIT % key, ORDER % key, received, self._limits.events, until, now_ms, *members)
            self._waiting.append(script)
            if len(self._waiting) >= AT_ONCE:
                self.settle()

    def forget(self, order: Order) -> int:
        """Forget a shopper up to the order's time."""
        for key in order.keys:
            self._waiting.append((FORGET, 2, VISIT % key, ORDER % key, order.time, ORDER_SECONDS))
        self.settle()
        return 0

    def expire(self, *, now_ms: int, orders_before_ms: int) -> None:
        """Take what servers were asked to forget into the log's orders; visits expire by themselves."""
        if self._orders is None:
            return
        try:
            for text in self._client.lrange(ORDERS, 0, AT_ONCE):
                self._orders.take(decode_order(text))
                self._client.lrem(ORDERS, 1, text)
        except self._error as error:
            raise OSError(f"Redis: {type(error).__name__}") from None

    def settle(self) -> None:
        """Write what waits.

        Raises:
            OSError: it still waits.
        """
        if not self._waiting:
            return
        pipeline = self._client.pipeline(transaction=False)
        for script in self._waiting:
            pipeline.eval(*script)
        try:
            pipeline.execute()
        except self._error as error:
            raise OSError(f"Redis: {type(error).__name__}") from None
        self._waiting.clear()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
