"""The command: orders are carried out once, whoever calls, and what cannot be reached stays asked for."""

import json
import threading

import pytest

from serving.feedback import forget
from serving.feedback.forget import CarriedOut, carry_out, main, pending_orders
from tests.serving.feedback.test_compacting import click, order, read, write
from tillside.feedback.forgetting import encode_order
from tillside.feedback.segments import SegmentWriter

NOBODY = CarriedOut(orders=0, records=0, segments=0, bytes_left=0, pending=0)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Orders of these tests lie in the far future of their segments, and nobody has to be waited for."""
    monkeypatch.setattr(forget.time, "sleep", lambda seconds: None)


def asked(folder, *orders):
    writer = SegmentWriter(folder / "forgotten")
    writer.append([encode_order(each) for each in orders])
    writer.sync()
    return writer


def test_an_order_is_carried_out_once(tmp_path):
    write(tmp_path / "events", click(1, shopper="ann"), click(2, shopper="bob"))
    writer = asked(tmp_path, order("ann"))
    assert carry_out(tmp_path) == CarriedOut(orders=1, records=1, segments=1, bytes_left=0, pending=0)
    assert carry_out(tmp_path) == NOBODY
    writer.append([encode_order(order("bob"))])
    writer.sync()
    assert carry_out(tmp_path) == CarriedOut(orders=1, records=1, segments=1, bytes_left=0, pending=0)
    assert read(tmp_path / "events") == []


def test_a_folder_without_orders_is_left_alone(tmp_path):
    write(tmp_path / "events", click(1, shopper="ann"))
    assert carry_out(tmp_path) == NOBODY
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_what_cannot_be_reached_stays_asked_for(tmp_path):
    writer = write(tmp_path / "events", click(1, shopper="ann"), close=False)
    asked(tmp_path, order("ann"))
    assert carry_out(tmp_path, wait_seconds=0) == CarriedOut(0, 0, 0, 0, pending=1)
    assert pending_orders(tmp_path)[0] == [order("ann")]
    writer.close()
    assert carry_out(tmp_path).records == 1
    assert pending_orders(tmp_path)[0] == []


def test_a_writer_that_ends_its_segment_meanwhile_is_waited_for(tmp_path, monkeypatch):
    writer = write(tmp_path / "events", click(1, shopper="ann"), close=False)
    asked(tmp_path, order("ann"))
    monkeypatch.setattr(forget.time, "sleep", lambda seconds: writer.close())
    assert carry_out(tmp_path).records == 1


def test_segments_that_come_back_lose_what_was_asked_before(tmp_path, capsys):
    asked(tmp_path, order("ann"))
    carry_out(tmp_path)
    write(tmp_path / "events", click(1, shopper="ann"))
    assert carry_out(tmp_path) == NOBODY
    main([str(tmp_path), "--all"])
    assert capsys.readouterr().out == "1 orders carried out: 1 records left 1 segments\n"
    assert pending_orders(tmp_path)[0] == []


def test_a_kill_before_the_mark_is_harmless(tmp_path, monkeypatch):
    write(tmp_path / "events", click(1, shopper="ann"), click(2))
    asked(tmp_path, order("ann"))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(forget, "write_text_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            carry_out(tmp_path)
    assert carry_out(tmp_path) == CarriedOut(orders=1, records=0, segments=0, bytes_left=0, pending=0)
    assert read(tmp_path / "events") == [click(2)]


def test_two_calls_at_once_do_it_one_after_the_other(tmp_path):
    write(tmp_path / "events", *(click(number, shopper="ann") for number in range(100)))
    asked(tmp_path, order("ann"))
    done = []
    threads = [threading.Thread(target=lambda: done.append(carry_out(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.records for each in done) == [0, 100]


def test_the_command_says_what_it_did(tmp_path, capsys):
    write(tmp_path / "events", click(1, shopper="ann"))
    asked(tmp_path, order("ann"))
    main([str(tmp_path), "--json"])
    assert json.loads(capsys.readouterr().out) == {
        "orders": 1,
        "records": 1,
        "segments": 1,
        "bytes_left": 0,
        "pending": 0,
    }
    main([str(tmp_path)])
    assert capsys.readouterr().out == "0 orders carried out: 0 records left 0 segments\n"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: there is no folder {tmp_path / 'nowhere'}\n"
