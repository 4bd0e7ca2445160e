"""Orders to forget: they say up to when, and do not keep the key."""

from tillside.feedback.forgetting import Order, decode_order, digest_of, encode_order, orders_in
from tillside.feedback.segments import SegmentWriter


def test_an_order_is_written_and_read_back(tmp_path):
    order = Order([digest_of("ann").hex()], 1_700_000_000_000)
    assert decode_order(encode_order(order)) == order
    writer = SegmentWriter(tmp_path)
    writer.append([encode_order(order)])
    assert list(orders_in(tmp_path)) == [order]
    assert list(orders_in(tmp_path / "nowhere")) == []


def test_a_digest_is_of_one_key_and_does_not_hold_it():
    assert digest_of("ann") == digest_of("ann") != digest_of("ann ")
    assert len(digest_of("ann")) == 16
    assert b"ann" not in encode_order(Order([digest_of("ann").hex()], 5))
    assert digest_of("\ud800")  # a lone surrogate, as JSON may hold
