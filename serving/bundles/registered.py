"""A bundle named in the MLflow registry: ``--model models:/NAME@ALIAS``, or ``models:/NAME/VERSION``.

Every reload resolves the name again, fetches the bundle into a cache folder, and points a symbolic link there at it;
from then on the link is a bundle like any other. Surprising: MLflow runs in a short-lived subprocess, because importing
it takes seconds and 200 MB, which the server must not pay. An unreachable registry does not keep a server down: at
start the copy fetched last is used, and the log says so.
"""

import asyncio
from pathlib import Path
from typing import Final

from tillside.bundle import REGISTERED, REGISTERED_FORMS
from tillside.cli.modules import module_command

FETCH_SECONDS: Final = 900


class RegisteredModel:
    """A registered model and the symbolic link to its bundle.

    Attributes:
        link: path of the bundle after :meth:`fetch`.

    Raises:
        ValueError: ``uri`` does not have the allowed form.
    """

    def __init__(self, uri: str, cache: Path) -> None:
        found = REGISTERED.fullmatch(uri)
        if found is None:
            raise ValueError(f"model must be {REGISTERED_FORMS}, got {uri[:100]!r}")
        self.uri = uri
        self.link = cache.absolute() / found["name"] / (found["alias"] or f"version-{found['version']}")

    async def fetch(self) -> None:
        """Fetch the bundle that the name resolves to now, and update the link.

        Raises:
            ValueError: the registry does not answer, has no such version, or its bundle is refused; the link is
                unchanged.
        """
        command = module_command("serving.bundles.fetching", self.uri, str(self.link))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, said = await asyncio.wait_for(process.communicate(), FETCH_SECONDS)
        except TimeoutError:
            raise ValueError(f"{self.uri} was not fetched within {FETCH_SECONDS} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
            raise ValueError(lines[-1].removeprefix("error: "))
