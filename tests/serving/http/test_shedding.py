"""Above what one turn of the event loop can read, requests are answered unread."""

import asyncio

from serving.bundles.reloading import Reloads
from serving.process.lifecycle import in_background
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client


def test_what_one_turn_of_the_loop_cannot_read_gets_an_empty_answer_and_the_next_turn_reads_again(orchard, monkeypatch):
    monkeypatch.setattr("serving.http.shedding.MOST_OF_A_TURN", 2)
    body = {"session": [{"item_id": "pear"}]}

    async def ask():
        settings = Settings(orchard, queue=3)  # which the first three fill
        service = Service(settings)
        await Reloads(orchard, service).reload()
        async with in_background(service.run()), app_client(service, settings) as client:
            together = await asyncio.gather(*(client.post("/v1/recommend", json=body) for _ in range(5)))
            return [*together, await client.post("/v1/recommend", json=body)]

    answers = [response.json() for response in asyncio.run(ask())]
    told = [(answer["tier"], answer["degraded_reason"]) for answer in answers]
    assert told == [*[("model", None)] * 3, *[("empty", "overload")] * 2, ("model", None)]
    assert answers[3]["items"] == []


def test_several_placements_that_cannot_be_read_are_none(orchard, monkeypatch):
    """How many were asked for nobody knows then; the clients take it for no answer and give their own list."""
    monkeypatch.setattr("serving.http.shedding.MOST_OF_A_TURN", 0)
    monkeypatch.setattr(Service, "late", True)

    async def ask():
        settings = Settings(orchard)
        async with app_client(Service(settings), settings) as client:
            return await client.post("/v1/page", json={"session": [], "placements": [{"placement": "p"}]})

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()) == (200, {"placements": []})
