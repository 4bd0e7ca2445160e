"""Malformed requests: valid ones with bits flipped and bytes cut, doubled, randomised and spliced with what parsers
stumble over, in the body or in the head of the request.

Shapes: R requests.
"""

import asyncio
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.faults import HANG_SECONDS, Figures, Setting
from benchmarks.servers import Server
from serving.bench.load import Load, address_of
from serving.bench.schedule import due_times
from serving.bench.shoppers import LoadShop, as_http, draw_requests

SCHEMATHESIS_SECONDS: Final = 300

MORSELS: Final = (
    b"null", b"true", b"-1", b"0", b"1e999", b"-0.0", b"NaN", b"Infinity", b"9" * 400, b"18446744073709551616", b'""',
    b'"' + b"x" * 3000 + b'"', b"[" * 2000, b'{"a":' * 2000, b"]", b"}", b",", b":", b"\x00", b"\xff\xfe",
    b"\xed\xa0\x80", b'"\\ud800"', b'"\\u0000"', b'"session":[],', b'"k":5,', b'"deadline_ms":1,', b'{"item_id":1},',
    b'"history":[{"item_id":"a"}],', b"\r\n\r\n", b"\r\n", b"transfer-encoding: chunked\r\n", b"content-length: 5\r\n",
    b"expect: 100-continue\r\n", b"\xf0\x9f\x9b\x92",
)  # fmt: skip


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """``data`` after one to four random mutations."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        start, size = int(rng.integers(len(changed) + 1)), int(rng.geometric(0.2))
        match int(rng.integers(5)):
            case 0 if start < len(changed):
                changed[start] ^= 1 << int(rng.integers(8))
            case 1:
                del changed[start : start + size]
            case 2:
                changed[start:start] = changed[start : start + 10 * size]
            case 3:
                changed[start : start + size] = rng.bytes(size)
            case _:
                changed[start:start] = MORSELS[int(rng.integers(len(MORSELS)))]
    return bytes(changed)


def mutated_bodies(bodies: Sequence[bytes], *, count: int, path: str, host: str, seed: int) -> list[bytes]:
    """Requests with valid heads and mutated bodies."""
    rng = np.random.default_rng(seed)
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    found = [mutate(bodies[int(rng.integers(len(bodies)))], rng) for _ in range(count)]
    return [head.encode() % len(body) + body for body in found]


def mutated_heads(requests: Sequence[bytes], *, count: int, seed: int) -> list[bytes]:
    """Requests with mutated heads and intact bodies."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        head, blank, body = requests[int(rng.integers(len(requests)))].partition(b"\r\n\r\n")
        found.append(mutate(head + blank, rng) + body)
    return found


def fuzz(setting: Setting, *, requests: int, schemathesis: str | None = None) -> Figures:
    """Send mutated bodies over keep-alive connections, mutated heads over one each, and run schemathesis if given."""
    with setting.server() as server:
        host, port = address_of(server.url)
        shop = LoadShop.of_bundle(setting.bundle)
        documents = draw_requests(shop, count=200, k=20, rng=np.random.default_rng(0))
        bodies = [json.dumps(document).encode() for document in documents]
        heads = requests // 5
        sound = [as_http(server.path, host=f"{host}:{port}", document=document) for document in documents]
        payloads = mutated_bodies(bodies, count=requests - heads, path=server.path, host=f"{host}:{port}", seed=0)
        load = Load(
            server.url,
            payloads,
            due_times(
                setting.rate, seconds=len(payloads) / setting.rate, arrivals="constant", rng=np.random.default_rng(0)
            ),
            connections=setting.connections,
            timeout=HANG_SECONDS,
        )
        ledger = setting.run(load.run())
        statuses = setting.run(_send_all(host, port, mutated_heads(sound, count=heads, seed=1)))
        figures = {
            "requests": float(ledger.taken().sum() + len(statuses)),
            "5xx": float((ledger.status_R >= 500).sum() + sum(status >= 500 for status in statuses)),
            "hangs": float(ledger.count(ledger.error_R, ledger.taken()).get("timeout", 0) + statuses.count(-1)),
            "dropped": float((ledger.error_R > 0).sum()),
        }
        if schemathesis is not None:
            figures |= _schemathesis(schemathesis, server, setting.work / "logs" / "schemathesis.log")
        figures["alive"] = float(server.get("/health/ready")[0] == 200)
    return figures


async def _send_all(host: str, port: int, payloads: Sequence[bytes]) -> list[int]:
    """Status of each payload, sent over its own, then half-closed connection; 0 for none, -1 for a hang."""
    gate = asyncio.Semaphore(16)

    async def send(payload: bytes) -> int:
        async with gate:
            try:
                async with asyncio.timeout(HANG_SECONDS):
                    reader, writer = await asyncio.open_connection(host, port)
                    try:
                        writer.write(payload)
                        writer.write_eof()
                        line = await reader.readline()
                    finally:
                        writer.close()
            except TimeoutError:
                return -1
            except OSError:
                return 0
        words = line.split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    return list(await asyncio.gather(*map(send, payloads)))


def _schemathesis(program: str, server: Server, log: Path) -> Figures:
    """Run schemathesis on the server's OpenAPI document: requests and 5xx as the server counts them, its exit code."""
    before = _responses(server)
    command = [shutil.which(program) or program, "run", f"{server.url}/openapi.json", "--checks", "not_a_server_error"]
    command += ["--max-examples", "2000", "--max-time", str(SCHEMATHESIS_SECONDS)]
    with log.open("wb") as file:
        ended = subprocess.run(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=log.parent.absolute(),
            timeout=3 * SCHEMATHESIS_SECONDS,
            check=False,
        )
    made = {status: times - before.get(status, 0.0) for status, times in _responses(server).items()}
    return {
        "schemathesis_requests": sum(made.values()),
        "schemathesis_5xx": sum(times for status, times in made.items() if status.startswith("5")),
        "schemathesis_exit_code": float(ended.returncode),
    }


def _responses(server: Server) -> dict[str, float]:
    """Number of responses by status, from the server's Prometheus page."""
    with urllib.request.urlopen((server.admin or server.url) + "/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    marks = [line.split() for line in lines if line.startswith("tillside_responses_total{")]
    return {name.partition('status="')[2].partition('"')[0]: float(value) for name, value in marks}
