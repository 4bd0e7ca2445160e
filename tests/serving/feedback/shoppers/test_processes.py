"""Collector and server as processes that share a folder: remembered, forgotten, killed, and started again."""

import json

import httpx
import pytest

from tests.serving.collector.test_main import CollectorProcess
from tests.serving.server_process import ServerProcess
from tillside.client import AdminClient
from tillside.feedback.segments import read_segment, segments_of

pytestmark = pytest.mark.slow
TOKEN = {"TILLSIDE_ADMIN_TOKEN": "secret"}
ASKED = 8
"""Requests on connections of their own, so that each of two workers answers some of them for all but one in 128."""


class Shop:
    """Both processes over one folder."""

    def __init__(self, bundle, tmp_path, *flags, salt=False):
        self._bundle, self._tmp_path = bundle, tmp_path
        self.folder = tmp_path / "feedback"
        (tmp_path / "salt").write_text("0123456789abcdef")
        self._salt = ("--feedback-salt", str(tmp_path / "salt")) if salt else ()
        self._flags = (*self._salt, *flags)
        self.start_collector()
        self.start_server()

    def start_collector(self):
        self.collector = CollectorProcess(self.folder, self._tmp_path / "collector", *self._salt)

    def start_server(self):
        flags = ("--feedback", str(self.folder), "--shoppers", "memory", "--admin-port", "0", *self._flags)
        self.server = ServerProcess(self._bundle, self._tmp_path / "server", *flags, variables=TOKEN)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self.server, self.collector):
            each.process.kill()
            each.process.wait()

    def remembered(self, shopper):
        """What the workers say, each to a connection of its own."""
        url, body = f"{self.server.url}/v1/recommend", {"shopper_id": shopper}
        bodies = [httpx.post(url, json=body).json() for _ in range(ASKED)]
        return {body["remembered_events"] for body in bodies}

    def knows(self, shopper, events):
        self.server.wait_for(lambda: self.remembered(shopper) == {events})

    def forget(self, shopper):
        with AdminClient(self.server.admin_url, token="secret") as admin:
            return admin.forget_shopper(shopper)

    def metric(self, name):
        page = httpx.get(f"{self.server.admin_url}/metrics").text
        return {line.split()[0]: float(line.split()[1]) for line in page.splitlines() if line[0] != "#"}[name]

    def log_holds(self, key):
        """Records that name a key as it came."""
        folders = ("events", "conflicts", "exposures")
        records = [
            record for name in folders for path in segments_of(self.folder / name) for record in read_segment(path)
        ]
        return sum(key.encode() in record for record in records)


def click(number, item="apple", shopper="ann", **more):
    return {"event_id": str(number), "kind": "click", "item": item, "shopper": shopper, **more}


def test_both_workers_remember_forget_and_know_again_after_a_kill(orchard, tmp_path):
    with Shop(orchard, tmp_path, "--workers", "2") as shop:
        shop.collector.send(click(1), click(2, "pear"), click(3, shopper="bob"))
        shop.knows("ann", 2)
        shop.knows("bob", 1)

        shop.collector.send(click(4, shopper="bob", consent=False))  # withdrawn
        shop.knows("bob", 0)

        report = shop.forget("ann")
        assert report["forgotten_events"] == 2
        assert shop.remembered("ann") == {0}  # at once, in both
        shop.server.wait_for(lambda: shop.metric("tillside_forget_pending") == 0)
        assert shop.metric("tillside_forget_orders_total") == 1
        assert shop.metric("tillside_forget_records_total") >= 2
        names = [json.loads(r)["event_id"] for p in segments_of(shop.folder / "events") for r in read_segment(p)]
        assert names == ["3", "4"]
        again = shop.collector.send(click(1), click(2, "pear"))
        assert (again["accepted"], again["duplicates"]) == (0, 2)

        shop.collector.send(click(5, shopper="eve"), click(6, shopper="eve", item="fig"), click(7))
        shop.knows("eve", 2)
        shop.server.process.kill()
        shop.server.process.wait()
        shop.start_server()
        assert shop.remembered("eve") == {2}  # as soon as it is ready
        assert shop.remembered("bob") == {0}
        assert shop.remembered("ann") == {1}  # what came after the order


def test_a_deletion_that_was_cut_short_by_kills_is_finished_at_the_next_start(orchard, tmp_path):
    """Killed before anything was taken out of the log, the collector too."""
    with Shop(orchard, tmp_path, salt=True) as shop:
        shop.collector.send(
            click(1, session="v1"), click(2, shopper="bob"), {**click(3), "shopper": None, "session": "v1"}
        )
        shop.knows("ann", 1)
        shop.forget("ann")
        for each in (shop.server, shop.collector):
            each.process.kill()
            each.process.wait()
        assert len([r for p in segments_of(shop.folder / "events") for r in read_segment(p)]) == 3
        shop.start_collector()
        shop.start_server()
        assert shop.remembered("ann") == {0}
        shop.server.wait_for(lambda: shop.metric("tillside_forget_pending") == 0)
        left = [json.loads(r)["event_id"] for p in segments_of(shop.folder / "events") for r in read_segment(p)]
        assert left == ["2"]
        assert shop.log_holds("ann") == 0
        assert shop.remembered("bob") == {1}
