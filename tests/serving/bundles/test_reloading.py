"""Another bundle while shoppers ask: swapped whole, or refused with its reason, and no request ever fails for it."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.bundles.reloading import Reloads
from serving.service import Service
from serving.settings import Settings
from tests.bundles import ASK_AD, GOLDENS_OF_TINY, ITEMS_ND, about_tiny, encoder, scorer, tiny_bundle
from tests.serving.load import load
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess
from tillside.bundle import ENCODER, GOLDENS, ITEMS, MANIFEST, SCORER, seal

TOKEN = {"authorization": "Bearer secret"}


def reseal(bundle: Path) -> None:
    seal(bundle, about_tiny())


def wrong_hash(bundle: Path) -> None:
    content = bytearray((bundle / ITEMS).read_bytes())
    content[-1] ^= 1
    (bundle / ITEMS).write_bytes(content)


def truncated(bundle: Path) -> None:
    (bundle / ENCODER).write_bytes((bundle / ENCODER).read_bytes()[:-10])


def missing_file(bundle: Path) -> None:
    (bundle / SCORER).unlink()


def traversal(bundle: Path) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"]["../good/items.npy"] = manifest["files"][ITEMS]
    (bundle / MANIFEST).write_text(json.dumps(manifest))


def link_outside(bundle: Path) -> None:
    (bundle / ITEMS).unlink()
    (bundle / ITEMS).symlink_to(bundle.parent / "good" / ITEMS)


def other_format(bundle: Path) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps({**manifest, "format_version": 99}))


def nan_vectors(bundle: Path) -> None:
    shutil.rmtree(bundle)
    items_ND = ITEMS_ND.copy()
    items_ND[0, 0] = np.nan
    tiny_bundle(bundle, items_ND=items_ND)


def nan_weights(bundle: Path) -> None:
    onnx.save(encoder(np.full((3, 3), np.nan, np.float32)), bundle / ENCODER)
    reseal(bundle)


def other_answers(bundle: Path) -> None:
    goldens = [{**GOLDENS_OF_TINY[0], "scores": [1.5, 1.0, 1.0]}]
    (bundle / GOLDENS).write_text(json.dumps({"goldens": goldens}))
    reseal(bundle)


def no_graph(bundle: Path) -> None:
    (bundle / ENCODER).write_bytes(b"nonsense")
    reseal(bundle)


def weights_outside(bundle: Path) -> None:
    onnx.save(scorer(bundle / ITEMS, location="/etc/hostname"), bundle / SCORER)
    reseal(bundle)


def not_there(bundle: Path) -> None:
    shutil.rmtree(bundle)


BROKEN: dict[Callable[[Path], None], str] = {
    wrong_hash: "does not have the SHA-256",
    truncated: "bytes, expected",
    missing_file: "scorer.onnx is missing",
    traversal: "leads outside the bundle",
    link_outside: "is a link that leads outside",
    other_format: "format_version 99 cannot be read",
    nan_vectors: "holds values that are not finite",
    nan_weights: "numbers that are not finite",
    other_answers: "expected 1.5",
    no_graph: "cannot be loaded by ONNX Runtime",
    weights_outside: "cannot be loaded by ONNX Runtime",
    not_there: "is not a bundle",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """Two good bundles that answer differently, and one of each broken kind, side by side."""
    folder = tmp_path_factory.mktemp("shelf")
    tiny_bundle(folder / "good")
    tiny_bundle(folder / "better", about={"run": "another"}, ask_AD=ASK_AD)
    for damage in BROKEN:
        shutil.copytree(folder / "good", folder / damage.__name__)
        damage(folder / damage.__name__)
    return folder


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def shop(shelf, tmp_path_factory, request) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    link(shelf, "good")
    flags = ("--admin-port", "0", "--workers", request.param)
    server = ServerProcess(shelf / "current", folder / "log", *flags, variables={"TILLSIDE_ADMIN_TOKEN": "secret"})
    yield server
    server.process.kill()
    server.process.wait()


def link(shelf: Path, name: str) -> None:
    """Point ``current`` at another bundle, as deployments do: at once."""
    (shelf / "next").symlink_to(name)
    os.replace(shelf / "next", shelf / "current")


def admin(shop: ServerProcess, path: str, headers=TOKEN, **body) -> httpx.Response:
    return httpx.post(f"{shop.admin_url}/v1/admin/{path}", json=body or None, headers=headers, timeout=DEADLINE_SECONDS)


def reloads(shop: ServerProcess, result: str) -> float:
    page = httpx.get(f"{shop.admin_url}/metrics", timeout=DEADLINE_SECONDS).text
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return next(s.value for s in samples if s.name == "tillside_bundle_reloads_total" and s.labels["result"] == result)


def model(shop: ServerProcess) -> dict:
    return httpx.get(f"{shop.url}/v1/model", timeout=DEADLINE_SECONDS).json()


def version(shelf: Path, name: str) -> str:
    return json.loads((shelf / name / MANIFEST).read_text())["version"]


def test_no_broken_bundle_fails_a_request_or_answers_one(shelf, shop):
    admin(shop, "reload", bundle="good")
    assert len(BROKEN) >= 10
    before = reloads(shop, "refused")
    with load(shop.port) as shoppers:
        for number, (damage, sentence) in enumerate(BROKEN.items()):
            response = admin(shop, "reload", bundle=damage.__name__)
            assert response.status_code == 409
            assert sentence in response.json()["detail"]
            last = model(shop)["last_reload"]
            assert (last["result"], last["folder"], last["bundle"]) == ("refused", damage.__name__, None)
            assert sentence in last["reason"]
            assert sentence in shop.log
            assert reloads(shop, "refused") == before + number + 1
            assert shop.is_ready()
        seen = shoppers.answered
        shop.wait_for(lambda: shoppers.answered > seen)
    assert shoppers.failed == []
    assert set(shoppers.bundles) == {version(shelf, "good")}
    assert set(shoppers.tiers) == {("model", None)}


def test_a_good_bundle_is_swapped_in_and_rolled_back_under_load(shelf, shop):
    admin(shop, "reload", bundle="good")
    good, better = version(shelf, "good"), version(shelf, "better")
    with load(shop.port) as shoppers:
        shop.wait_for(lambda: shoppers.bundles[good])
        report = admin(shop, "reload", bundle="better").json()
        assert (report["result"], report["bundle"], report["reason"]) == ("loaded", better, None)
        assert model(shop)["bundle"] == better
        shop.wait_for(lambda: shoppers.bundles[better])
        report = admin(shop, "rollback").json()
        assert (report["result"], report["bundle"]) == ("rolled_back", good)
        assert model(shop)["last_reload"] == report
        assert reloads(shop, "rolled_back") >= 1
    assert shoppers.failed == []
    assert set(shoppers.bundles) == {good, better}


def test_sighup_follows_the_link_anew(shelf, shop):
    admin(shop, "reload", bundle="good")
    link(shelf, "better")
    with load(shop.port) as shoppers:
        shop.process.send_signal(signal.SIGHUP)
        shop.wait_for(lambda: model(shop)["bundle"] == version(shelf, "better"))
    assert shoppers.failed == []
    link(shelf, "good")


def test_only_who_has_the_token_changes_the_bundle(shop):
    before = model(shop)["bundle"]
    for headers in ({}, {"authorization": "Bearer secre"}, {"authorization": "secret"}):
        for path in ("reload", "rollback"):
            assert admin(shop, path, headers=headers).status_code == 401
    assert model(shop)["bundle"] == before
    for path in ("reload", "rollback"):  # the main port has no such thing
        assert httpx.post(f"{shop.url}/v1/admin/{path}", headers=TOKEN).status_code == 404


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "/etc", "../shelf", "a\0b", "x" * 300])
def test_a_name_that_leads_elsewhere_is_refused(shop, name):
    response = admin(shop, "reload", bundle=name)
    assert response.status_code == 422
    assert "must be the name of a folder beside the current one" in response.json()["detail"]


def test_orders_that_are_none(shop):
    for body in (b"nonsense", b"[]", b'{"bundle": 3}', b'{"path": "good"}', b"[" * 4000):
        response = httpx.post(f"{shop.admin_url}/v1/admin/reload", content=body, headers=TOKEN)
        assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert admin(shop, "reload", bundle="x" * 5000).status_code == 413
    assert httpx.get(f"{shop.admin_url}/v1/admin/reload").status_code == 405


def test_the_admin_port_has_probes_and_metrics_and_the_main_one_no_metrics(shop):
    assert httpx.get(f"{shop.admin_url}/health/live").status_code == 200
    assert httpx.get(f"{shop.admin_url}/health/ready").json()["bundle"] == model(shop)["bundle"]
    assert httpx.get(f"{shop.admin_url}/metrics").status_code == 200
    assert httpx.get(f"{shop.url}/metrics").status_code == 404
    assert "/metrics" not in httpx.get(f"{shop.url}/openapi.json").json()["paths"]


def test_without_a_token_nobody_changes_anything(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log", "--admin-port", "0")
    for headers in ({}, TOKEN):
        response = admin(server, "reload", headers=headers)
        assert response.status_code == 403
        assert "TILLSIDE_ADMIN_TOKEN" in response.json()["detail"]
    assert server.stop() == 0


def test_a_link_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    report = asyncio.run(Reloads(tmp_path / "a", Service(Settings(tmp_path))).reload())
    assert report["result"] == "refused"
    assert "is not a bundle" in report["reason"]


class Ledger:
    """Answerers that write down what they are told, and refuse folders called bad."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def prepare(self, path: Path) -> str:
        if path.name == "bad":
            raise ValueError("it is bad")
        return f"version of {path.name}"

    async def conclude(self, report) -> None:
        self.lines.append(f"{report['result']} {report['folder']}")


def test_a_rollback_goes_to_what_answered_before_and_twice_is_back_again(tmp_path):
    for name in ("a", "b", "bad"):
        (tmp_path / name).mkdir()

    async def run():
        ledger = Ledger()
        bundles = Reloads(tmp_path / "a", ledger)
        with pytest.raises(ValueError, match="no bundle has answered before"):
            await bundles.rollback()
        for name in (None, "b", "bad", "b"):  # what was refused, or loaded again, is nothing to go back to
            await bundles.reload(name)
        await bundles.rollback()
        await bundles.rollback()
        replacement = Ledger()
        assert await bundles.bring(replacement) == "version of b"
        return ledger.lines, replacement.lines

    lines, replacement = asyncio.run(run())
    assert lines == ["loaded a", "loaded b", "refused bad", "loaded b", "rolled_back a", "rolled_back b"]
    assert replacement == ["rolled_back b"]
