"""``GET /docs``: the OpenAPI document as a page, with a form to send a request.

Surprising: the page is one file without a library, and its Content-Security-Policy names the hashes of its own script
and style. So it loads nothing from another origin, and nothing that a document or an answer holds can run in it.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

PAGE: Final = (Path(__file__).parent / "docs_page.html").read_text(encoding="utf-8")


def headers_of(page: str) -> dict[str, str]:
    """Headers of a page under which only its own inline script and style run, and nothing comes from elsewhere."""
    policy = (
        "default-src 'none'",
        f"script-src {_hash(page, 'script')}",
        f"style-src {_hash(page, 'style')}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }


def _hash(page: str, tag: str) -> str:
    """Source expression of a page's only inline ``tag``."""
    (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


HEADERS: Final = headers_of(PAGE)


async def docs(request: Request) -> Response:
    """The page."""
    return Response(PAGE, media_type="text/html", headers=HEADERS)
