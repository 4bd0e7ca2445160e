"""An order to forget is durable before anybody is told, and is told to all; what is kept nowhere is said."""

import asyncio
import contextlib
import os

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from serving.feedback import erasing
from serving.feedback.shoppers.limits import VisitLimits
from serving.process.forgetting import Forgetting
from serving.protocol.errors import ProblemError
from serving.settings import Settings
from tillside.feedback.forgetting import digest_of, orders_in
from tillside.feedback.subjects import hashed

SALT = b"0123456789abcdef"


@pytest.fixture(autouse=True)
def nobody_erases(monkeypatch):
    """No process is started."""
    monkeypatch.setattr(erasing.Eraser, "_carry_out", lambda self: True)


def take(settings, shopper_id="ann", *, forget=None):
    registry, told = CollectorRegistry(), []

    async def note(order):
        told.append((order, list(orders_in(settings.feedback / "forgotten"))))
        return 3

    async def run():
        with contextlib.closing(Forgetting(settings, forget or note, registry=registry)) as forgetting:
            return await forgetting.take(shopper_id)

    return asyncio.run(run()), told, generate_latest(registry).decode()


def test_the_order_is_on_disk_before_a_worker_is_told(tmp_path):
    report, ((order, before),), page = take(Settings(tmp_path, feedback=tmp_path))
    assert before == [order]
    assert order.keys == [digest_of("ann").hex()]
    assert report == {"time_ms": order.time, "forgotten_events": 3, "pending_orders": 1}
    assert "tillside_forget_asked_total 1.0" in page
    assert "tillside_forget_pending 1.0" in page


def test_with_a_salt_both_forms_are_meant(tmp_path):
    _, ((order, _),), _ = take(Settings(tmp_path, feedback=tmp_path, feedback_salt=SALT))
    assert order.keys == [digest_of(form).hex() for form in ("ann", hashed("ann", SALT))]


def test_an_order_that_cannot_be_kept_is_told_to_nobody(tmp_path, caplog):
    (tmp_path / "forgotten").write_text("in the way")
    with pytest.raises(ProblemError, match="could not be made durable") as refused:
        take(Settings(tmp_path, feedback=tmp_path), forget=None)
    assert refused.value.status == 503
    assert "an order to forget cannot be kept" in caplog.text


def test_without_a_folder_nothing_is_kept(tmp_path):
    with pytest.raises(ProblemError, match=r"it has no --feedback DIR$") as refused:
        take(Settings(tmp_path))
    assert (refused.value.status, refused.value.kind) == (409, "nothing-kept")
    assert os.listdir(tmp_path) == []


def test_what_is_shared_is_forgotten_without_a_folder(tmp_path, caplog):
    shared = Settings(tmp_path, shoppers=VisitLimits(), shoppers_url="redis://somewhere")

    async def forget(order):
        return 4

    report, _, _ = take(shared, forget=forget)
    assert (report["forgotten_events"], report["pending_orders"]) == (4, 0)

    async def fail(order):
        raise OSError("visits cannot be forgotten: TimeoutError")

    with pytest.raises(ProblemError) as refused:
        take(shared, forget=fail)
    assert refused.value.status == 503
    assert "visits cannot be forgotten: TimeoutError" in caplog.text
