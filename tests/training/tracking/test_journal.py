"""A run's journal by hand: what waits, what a kill tore, and what is kept when the store is away."""

import json
from pathlib import Path

import pytest

from training.tracking.journal import Journal


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_entry_waits_until_it_is_done(tmp_path):
    path = tmp_path / "run" / "journal.jsonl"
    journal = Journal(path)
    assert not journal.waiting
    assert not path.parent.exists()
    for value in "abc":
        journal.add({"kind": "batch", "tags": [["t", value]]})
    journal.done()
    journal.done(refused="no such run")
    assert lines(path) == [
        {"n": 1, "kind": "batch", "tags": [["t", "a"]]},
        {"n": 2, "kind": "batch", "tags": [["t", "b"]]},
        {"n": 3, "kind": "batch", "tags": [["t", "c"]]},
        {"sent": 1},
        {"sent": 2, "refused": "no such run"},
    ]
    again = Journal(path)
    assert list(again.waiting) == list(journal.waiting) == [(3, {"kind": "batch", "tags": [["t", "c"]]})]
    again.add({"kind": "status"})
    assert lines(path)[-1] == {"n": 4, "kind": "status"}


@pytest.mark.parametrize("torn", ['{"n": 3, "kind": "ba', '{"n": 3, "kind": "é'.encode()[:-1], "{}", "[]", "7", ""])
def test_a_torn_line_is_left_out_and_named_and_the_next_one_stands_alone(tmp_path, torn):
    path = tmp_path / "journal.jsonl"
    whole = '{"n": 1, "kind": "a"}\n{"n": 2, "kind": "b"}\n{"sent": 1}\n'
    path.write_bytes(whole.encode() + (torn.encode() if isinstance(torn, str) else torn))
    journal = Journal(path)
    assert journal.torn == ([4] if torn else [])
    assert list(journal.waiting) == [(2, {"kind": "b"})]
    journal.add({"kind": "c"})
    again = Journal(path)
    assert again.torn == journal.torn
    assert list(again.waiting) == [(2, {"kind": "b"}), (3, {"kind": "c"})]


def test_a_torn_word_of_arrival_means_that_the_entry_is_sent_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"n": 1, "kind": "a"}\n{"se')
    journal = Journal(path)
    assert (journal.torn, list(journal.waiting)) == ([2], [(1, {"kind": "a"})])


def test_two_that_send_the_same_entries_do_not_bring_them_back(tmp_path):
    path = tmp_path / "journal.jsonl"
    first = Journal(path)
    for name in "ab":
        first.add({"kind": name})
    second = Journal(path)
    second.done()
    second.done()
    first.done()  # says 1 after 2 was said
    assert not Journal(path).waiting
