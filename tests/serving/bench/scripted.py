"""A server of a few lines for the load generator."""

import asyncio
import contextlib
import json

import numpy as np

from serving.bench.load import Load
from serving.bench.shoppers import as_http
from serving.bench.summary import Summary

ANSWER = {"items": [], "tier": "model", "degraded_reason": None}


def http(document, status="200 OK", *, close=False):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    end = "connection: close\r\n" if close else ""
    return f"HTTP/1.1 {status}\r\n{end}content-length: {len(body)}\r\n\r\n".encode() + body


class Scripted:
    """A server that gives the n-th request the n-th of its answers, and the last one from then on; None hangs up."""

    def __init__(self, *answers):
        self.answers, self.requests, self.connections, self.handlers = answers, [], 0, []

    async def serve(self, reader, writer):
        self.connections += 1
        self.handlers.append(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
                self.requests.append((head, body))
                if answer is None:
                    break
                writer.write(answer)
                if b"connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def under(self, due, *, connections=1, timeout=30.0, payloads=None):
        """The summary and the ledger of a load on it."""

        async def run():
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            requests = payloads or [as_http("/v1/recommend", host="shop", document={"session": []}, token="t")]
            load = Load(url, requests, np.array(due), connections=connections, timeout=timeout)
            ledger = await load.run()
            server.close()
            await asyncio.gather(*self.handlers)
            return ledger

        ledger = asyncio.run(run())
        return Summary.of(ledger, rate=1, seconds=1), ledger
