"""``python -m serving --bundle DIR``: listen, load the bundle while the probes answer, serve until SIGTERM, exit 0.

``--model models:/NAME@ALIAS`` loads a bundle from the MLflow registry instead. A first bundle that is missing or
refused ends the process with exit code 2. With ``--without-bundle stay`` it stays live but not ready, answers from the
shop's static list, and takes the next bundle on SIGHUP or through the admin port. A later one that is refused changes
nothing.
"""

import errno
import logging
import os
import resource
import signal
import socket
import sys

from serving.settings import Settings, parse_settings
from serving.telemetry.logs import json_logs
from serving.telemetry.tracing import tracing
from tillside.cli.secrets import without_secrets
from tillside.cores import usable_cores
from tillside.feedback.segments import EXPOSURES

log = logging.getLogger("serving")
FILES = 1 << 16


def main() -> None:
    """Run the server until SIGTERM or SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = parse_settings(sys.argv[1:], os.environ)
    try:
        with json_logs(), tracing(os.environ, flag=settings.tracing):
            run(settings)
    except ValueError as error:
        sys.exit(_failed(str(error)))


def run(settings: Settings) -> None:
    """Listen and serve until a signal: in this process with one worker, else under a supervisor."""
    import uvloop  # here: --help and a mistyped flag are answered without the server's libraries

    from serving.bundles.loading import read_static
    from serving.feedback.shoppers.redis_visits import check_redis
    from serving.feedback.sinks import check_target
    from serving.process.lifecycle import serve
    from serving.process.supervisor import supervise

    if settings.feedback is not None:
        check_target(settings.feedback, EXPOSURES)  # before workers would fail one after the other
    if settings.shoppers_url is not None:
        check_redis(settings.shoppers_url)
    static = read_static(settings.static, settings.limits) if settings.static else []
    workers = settings.workers or usable_cores()
    listeners = _listen(settings, settings.port, workers)
    admin_listener = None if settings.admin_port is None else _listen(settings, settings.admin_port, admin=True)[0]
    allow_many_connections()
    log.info("listening on http://%s:%d with %d worker(s)", settings.host, listeners[0].getsockname()[1], workers)
    if admin_listener:
        log.info("admin port on http://%s:%d", settings.admin_host, admin_listener.getsockname()[1])
    if workers == 1:
        uvloop.run(serve(settings, listeners[0], admin_listener, static=static))
    else:
        uvloop.run(supervise(settings, listeners, admin_listener))


def allow_many_connections() -> None:
    """Raise the soft limit on open files: every connection is one, and many systems default to 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(settings: Settings, port: int, sockets: int = 1, *, admin: bool = False) -> list[socket.socket]:
    from serving.http.server import listen

    host, prefix = (settings.admin_host, "--admin-") if admin else (settings.host, "--")
    try:
        return listen(host, port, sockets=sockets)
    except OSError as error:
        sys.exit(_failed(f"cannot listen on {host}:{port}: {_reason(error, port, prefix)}"))


def _reason(error: OSError, port: int, prefix: str) -> str:
    """Why a port cannot be listened on, and what to do about it."""
    flag = f"{prefix}port"
    match error.errno:
        case errno.EADDRINUSE:
            return f"another process listens there; stop it, or give another {flag}, or 0 for any free one"
        case errno.EACCES:
            return f"this user may not open port {port}; give a {flag} from 1024 to 65535"
        case errno.EADDRNOTAVAIL | socket.EAI_NONAME | socket.EAI_AGAIN:
            return f"{prefix}host must be an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
    return error.strerror or str(error)


def _failed(sentence: str) -> int:
    print(f"error: {without_secrets(sentence)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
