"""The application without a socket, and the check of a problem document."""

import httpx

from serving.http.api import make_app
from serving.service import Service
from serving.settings import Settings


def refused(response: httpx.Response, status: int, *, field: str | None = None) -> str:
    """Check that ``response`` is a problem document and return its sentence."""
    problem = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"].startswith("urn:tillside:problem:")
    assert problem["title"]
    assert problem.get("field") == field
    return problem["detail"]


def app_client(service: Service, settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(make_app(settings, service)), base_url="http://server")
