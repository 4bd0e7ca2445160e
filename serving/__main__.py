"""``python -m serving --bundle DIR``: listen, load the bundle behind the probes, answer until SIGTERM, exit 0.

A bundle that is refused ends the process with one sentence on stderr and exit code 2: with nothing to fall back on,
and no way yet to be given another bundle, staying up would only hide the sentence.
"""

import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from serving.api import make_app
from serving.settings import Settings, parse_settings

log = logging.getLogger("serving")


class GracefulServer(uvicorn.Server):
    """uvicorn, but a signal that was obeyed is not raised again: a clean stop is exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM or SIGINT; requests in flight are finished first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def main() -> None:
    """Run the server until it is told to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    settings = parse_settings(sys.argv[1:], os.environ)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        listener = listen(settings)
    except OSError as error:
        sys.exit(_failed(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}"))
    refusals: list[str] = []

    def refuse(sentence: str) -> None:
        refusals.append(sentence)
        server.should_exit = True

    config = uvicorn.Config(
        make_app(settings, on_refusal=refuse),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    server = GracefulServer(config)
    log.info("listening on http://%s:%d", settings.host, listener.getsockname()[1])
    server.run(sockets=[listener])
    if refusals:
        sys.exit(_failed(refusals[0]))


def listen(settings: Settings) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the address is taken or cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=2048)


def _failed(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
