"""A plan is everything of a load but its rate: the same plan draws the same load."""

import asyncio

from serving.bench.plan import Plan
from serving.bench.shoppers import as_http
from tests.serving.bench.scripted import ANSWER, Scripted, http

PAYLOADS = [as_http("/v1/recommend", host="shop", document={"session": []})]


def test_loads_of_one_plan_are_drawn_alike_and_the_warm_up_otherwise():
    plan = Plan("http://127.0.0.1:1", PAYLOADS, 1.0)
    due_R = plan.load(100, 1.0).ledger.due_R
    assert plan.load(100, 1.0).ledger.due_R.tolist() == due_R.tolist()
    assert plan.load(100, 1.0, seed=1).ledger.due_R.tolist() != due_R.tolist()


def test_the_warm_up_is_sent_and_not_counted():
    """10 a second for 0.1 s: one request each, evenly spaced, so two are sent and one is counted."""
    server = Scripted(http(ANSWER))

    async def run():
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        plan = Plan(url, PAYLOADS, 0.1, arrivals="constant", warm_seconds=0.1, connections=1)
        summary = await plan.measure(10)
        listening.close()
        await asyncio.gather(*server.handlers)
        return summary

    summary = asyncio.run(run())
    assert (summary.requests, summary.failed, len(server.requests)) == (1, 0, 2)
    assert summary.rss_mb == {}  # nobody said whose memory
