"""``python -m serving.bundles.fetching models:/NAME@ALIAS LINK``: fetch a registered bundle and point LINK at it.

The only module of the serving package that imports MLflow, and only in the subprocess that ``--model`` starts. The
downloaded manifest must match the SHA-256 that the registry holds for the version, and every file must match the
manifest. Bundles are cached in folders named by version; one that is already there is verified, not fetched again.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tillside.bundle import MANIFEST, REGISTERED, SHA256_TAG, VERSION_TAG, manifest_sha256, open_bundle
from tillside.cli.secrets import without_secrets

DEFAULT_STORE: Final = Path("runs/mlflow.db")
"""Default tracking store of training, relative to the checkout."""
IMPATIENT: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}


def store_uri() -> str:
    """MLFLOW_REGISTRY_URI, else MLFLOW_TRACKING_URI, else training's default store if it exists here.

    Raises:
        ValueError: none of them is there.
    """
    given = os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    if given:
        return given
    if not DEFAULT_STORE.exists():
        raise ValueError(f"which registry? Set MLFLOW_TRACKING_URI to its address; {DEFAULT_STORE} is not here either")
    return f"sqlite:///{DEFAULT_STORE.absolute()}"


def fetch(uri: str, link: Path) -> Path:
    """Resolve ``uri``, download the bundle unless cached, and atomically point ``link`` at it.

    Returns:
        The bundle's folder.

    Raises:
        ValueError: the bundle cannot be fetched or fails verification; the sentence says why.
    """
    found = REGISTERED.fullmatch(uri)
    assert found is not None  # checked by RegisteredModel
    store = store_uri()
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise ValueError(f"{uri} needs MLflow, which is not installed here: pip install 'tillside[registry]'") from None
    try:
        client = mlflow.MlflowClient(store, store)
        version = (
            client.get_model_version_by_alias(found["name"], found["alias"])
            if found["alias"]
            else client.get_model_version(found["name"], found["version"])
        )
        source = client.get_model_version_download_uri(found["name"], version.version)
        folder = _cached(link.parent, version.tags)
        if folder is None:
            folder = _download(source, store, link.parent, version.tags, f"{uri}, version {version.version}")
    except (MlflowException, OSError) as error:
        sentence = str(getattr(error, "message", error)).strip().partition("\n")[0]
        raise ValueError(without_secrets(f"{uri} cannot be fetched from {store}: {sentence}")) from None
    with contextlib.suppress(FileNotFoundError):
        if link.readlink() == Path(folder.name):
            return folder
    fresh = link.parent / f".{link.name}-{os.getpid()}"
    fresh.symlink_to(folder.name)
    fresh.replace(link)
    return folder


def _cached(shelf: Path, tags: dict[str, str]) -> Path | None:
    """Folder of the cached bundle with these tags; None if it is absent or fails verification."""
    version = tags.get(VERSION_TAG, "")
    folder = shelf / version
    if not version.isalnum() or not folder.is_dir():
        return None
    try:
        _verify(folder, tags, str(folder))
    except ValueError:
        return None
    return folder


def _download(source: str, store: str, shelf: Path, tags: dict[str, str], name: str) -> Path:
    from mlflow.artifacts import download_artifacts

    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".fetching-") as partial:
        arrived = Path(download_artifacts(artifact_uri=source, dst_path=partial, tracking_uri=store))
        if arrived.resolve().parent != Path(partial).resolve():  # a local store returns its own folder, uncopied
            raise ValueError(f"{name} was not copied into the cache but lies in {arrived}")
        version = _verify(arrived, tags, name)
        folder = shelf / version
        if folder.exists():  # a damaged copy, or one that does not match the registry's hash
            folder.rename(Path(partial) / "replaced")
        arrived.rename(folder)
    return folder


def _verify(folder: Path, tags: dict[str, str], name: str) -> str:
    """Version of the bundle in ``folder``, after checking every hash; ValueError if one differs."""
    bundle = open_bundle(folder)
    found = manifest_sha256(folder)
    expected: Any = tags.get(SHA256_TAG)
    if expected != found:
        raise ValueError(f"{name}: {MANIFEST} has the SHA-256 {found[:12]}, the registry says {str(expected)[:12]}")
    return bundle.version


def main() -> None:
    """Fetch, and print the bundle's folder."""
    for name, value in IMPATIENT.items():
        os.environ.setdefault(name, value)
    try:
        print(fetch(sys.argv[1], Path(sys.argv[2])))
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
