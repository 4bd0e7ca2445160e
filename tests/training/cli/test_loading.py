"""Libraries are imported without garbage collection, which is as it was afterwards."""

import gc

import pytest

from training.cli.loading import loading, uncollected


def test_nothing_is_collected_within() -> None:
    assert gc.isenabled()
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_failed_import_leaves_it_on() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError("no such library")
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
