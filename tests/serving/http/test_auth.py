"""A token opens what it guards."""

import asyncio

import httpx

from serving.http.api import make_app
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import refused


def test_a_token_opens_what_it_guards_and_probes_are_open(tmp_path):
    settings = Settings(tmp_path, token="open-sesame")

    async def page() -> bytes:
        return b""

    async def ask():
        app = make_app(settings, Service(settings), page=page)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
            for wrong in ({}, {"authorization": "Bearer open-sesam"}, {"authorization": "Basic open-sesame"}):
                for response in (
                    await client.post("/v1/recommend", json={"session": []}, headers=wrong),
                    await client.get("/v1/model", headers=wrong),
                    await client.get("/metrics", headers=wrong),
                ):
                    assert "Bearer" in refused(response, 401, field="authorization")
                    assert response.headers["www-authenticate"] == "Bearer"
            right = {"authorization": "bearer open-sesame"}
            assert (await client.post("/v1/recommend", json={"session": []}, headers=right)).status_code == 200
            assert (await client.get("/metrics", headers=right)).status_code == 200
            assert (await client.get("/health/live")).status_code == 200
            assert (await client.get("/openapi.json")).status_code == 200

    asyncio.run(ask())
