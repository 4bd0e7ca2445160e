"""A port's connections hold so much together; beside it only those that owe nobody an answer are given up.

What that means on real sockets is asked by test_connection.
"""

import pytest

from serving.http import room
from serving.http.room import Room


class Held:
    """A connection that notes its end and leaves its room, as a real one does."""

    def __init__(self, place: Room, *, waiting: bool = True) -> None:
        self.place, self.ended = place, False
        if waiting:
            place.waiting[self] = None

    def abort(self) -> None:
        self.ended = True
        self.place.leave(self)


@pytest.fixture
def place(monkeypatch) -> Room:
    """Ten bytes of bodies, and ten of answers."""
    monkeypatch.setattr(room, "HELD_BYTES", 10)
    monkeypatch.setattr(room, "UNSENT_BYTES", 10)
    return Room(3)


def test_the_one_that_has_waited_longest_makes_room(place):
    busy, first, second = Held(place, waiting=False), Held(place), Held(place)
    assert place.make_room()
    assert (busy.ended, first.ended, second.ended) == (False, True, False)
    assert place.make_room()
    assert not place.make_room()  # whoever is being answered stays
    assert not busy.ended


def test_of_bodies_the_oldest_that_still_arrives_is_given_up(place):
    answered, first, second = Held(place, waiting=False), Held(place), Held(place)
    for each in (answered, first, second):
        place.hold(each, 3)
    place.hold(second, 1)
    assert not first.ended  # ten is as much as may be
    place.hold(second, 1)
    assert (answered.ended, first.ended, second.ended) == (False, True, False)
    place.let_go(answered)
    place.hold(second, 5)
    assert not second.ended


def test_of_answers_the_one_blocked_longest_is_given_up(place):
    first, second = Held(place), Held(place)
    place.block(first, 6)
    place.block(second, 4)
    place.block(second, 4)  # what it does not read now, not a sum
    assert not first.ended
    place.block(second, 5)
    assert (first.ended, second.ended) == (True, False)
    place.unblock(second)
    place.block(second, 10)
    assert not second.ended
