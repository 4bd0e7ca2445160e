"""A valid request gets a valid answer, whatever happens to the bundle or the model."""

import asyncio

import pytest

from serving.bundles.reloading import Reloads
from serving.process.lifecycle import in_background
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client, refused

ITEM_ID = "an-id-that-no-log-may-hold"


def test_until_a_bundle_is_proven_the_server_is_live_and_not_ready_and_answers(tmp_path):
    """The shop's own list without what is excluded, or else an empty answer; never an error."""
    settings = Settings(tmp_path)

    async def ask(*static: str, **fields) -> dict:
        service = Service(settings, static=static)  # which nobody gives a bundle
        async with app_client(service, settings) as client:
            assert (await client.get("/health/live")).status_code == 200
            for response in (await client.get("/health/ready"), await client.get("/v1/model")):
                assert refused(response, 503).startswith("no bundle answers yet")
            body = {"session": [{"item_id": "a"}], "behaviour": "buy", "k": 2, "exclude": ["best"], **fields}
            response = await client.post("/v1/recommend", json=body)
            assert response.status_code == 200
            return response.json()

    answer = asyncio.run(ask("best", "good", "fair", "poor"))
    assert (answer["tier"], answer["degraded_reason"], answer["bundle"]) == ("static", "not_ready", None)
    assert [(item["item_id"], item["source"]) for item in answer["items"]] == [("good", "static"), ("fair", "static")]
    answer = asyncio.run(ask("best", "a", "fair", "poor"))
    assert [(item["item_id"], item["seen"]) for item in answer["items"]] == [("a", True), ("fair", False)]
    answer = asyncio.run(ask("best", "a", "fair", "poor", hide_seen=True))
    assert [(item["item_id"], item["seen"]) for item in answer["items"]] == [("fair", False), ("poor", False)]
    answer = asyncio.run(ask())
    assert (answer["tier"], answer["degraded_reason"], answer["items"]) == ("empty", "not_ready", [])


@pytest.mark.parametrize("broken", ["answer_questions", "degraded", "read"])
def test_a_bug_is_answered_too_and_its_log_holds_no_ids(orchard, monkeypatch, caplog, broken):
    def fail(recommender, *_, **__):
        raise KeyError(ITEM_ID)

    async def ask():
        settings = Settings(orchard)
        service = Service(settings, static=["fallback"])
        await Reloads(orchard, service).reload()
        monkeypatch.setattr(f"serving.answering.recommender.Recommender.{broken}", fail)
        async with in_background(service.run()), app_client(service, settings) as client:
            session = [] if broken == "degraded" else [{"item_id": "pear"}]
            return await client.post("/v1/recommend", json={"session": session})

    response = asyncio.run(ask())
    assert response.status_code == 200
    answer = response.json()
    assert answer["degraded_reason"] == "model_failed"
    expected = ("popularity", "apple") if broken == "answer_questions" else ("static", "fallback")
    assert (answer["tier"], answer["items"][0]["item_id"]) == expected
    assert "KeyError" in caplog.text
    assert ITEM_ID not in caplog.text
