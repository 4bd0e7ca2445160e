"""More requests than the model can answer: every one is answered, by a lower tier that says why."""

from tests.bundles import tiny_bundle
from tests.serving.answering.test_fallbacks import PAIRS
from tests.serving.load import BODY, load
from tests.serving.server_process import ServerProcess


def test_a_queue_of_one_sends_the_others_down_the_ladder(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle", pairs=PAIRS)
    server = ServerProcess(bundle, tmp_path / "log", "--queue", "1")
    with load(server.port, clients=32) as shoppers:
        server.wait_for(lambda: shoppers.tiers["covisitation", "queue_full"] and shoppers.tiers["model", None])
    assert shoppers.failed == []
    crowded = {("empty", "overload")}  # where more than a turn of the loop reads came at once
    assert set(shoppers.tiers) - crowded == {("model", None), ("covisitation", "queue_full")}
    with load(server.port, clients=1) as alone:  # and when they have gone, the model answers again
        server.wait_for(lambda: alone.answered > 5)
    assert set(alone.tiers) == {("model", None)}
    assert server.stop() == 0


def test_a_deadline_that_cannot_be_kept_is_answered_by_the_ladder(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle", pairs=PAIRS)
    server = ServerProcess(bundle, tmp_path / "log")
    bodies = [{**BODY, "deadline_ms": 1}, BODY]
    with load(server.port, clients=32, bodies=bodies) as shoppers:
        server.wait_for(lambda: shoppers.tiers["covisitation", "deadline"] and shoppers.tiers["model", None])
    assert shoppers.failed == []
    assert set(shoppers.tiers) == {("model", None), ("covisitation", "deadline")}
    assert server.stop() == 0
