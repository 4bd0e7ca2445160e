"""Every change is a revision of its own; going back makes a new one, and a folder holds them all."""

import pytest

from serving.policy.revisions import KEPT, Revisions, packed, unpacked
from tillside.policy.merchandising import ByHand, PlacedPin


def by_hand(name: str) -> ByHand:
    return ByHand(pins=(PlacedPin(name=name, item="a"),))


def test_going_back_twice_goes_back_two_changes_and_the_numbers_only_rise(tmp_path):
    revisions = Revisions(tmp_path)
    for name in ("one", "two", "three"):
        revisions.keep(revisions.changed("pins", by_hand(name)))
    for expected in ("two", "one"):
        revisions.keep(revisions.undone())
        assert revisions.current.by_hand == by_hand(expected)
    assert (revisions.current.revision, revisions.current.change) == (5, "rollback to 1")
    revisions.keep(revisions.undone())
    assert revisions.current.by_hand == ByHand()
    with pytest.raises(ValueError, match="nothing was set by hand before this"):
        revisions.undone()
    with pytest.raises(ValueError, match=r"revision must be one of 0, 1, 2, 3, 4, 5, 6, got 9"):
        revisions.undone(9)
    again = Revisions(tmp_path)
    assert again.current == revisions.current
    assert again.listed() == revisions.listed()
    assert again.undone(3).by_hand == by_hand("three")


def test_old_revisions_are_removed_in_the_end(tmp_path):
    revisions = Revisions(tmp_path)
    for number in range(KEPT + 5):
        revisions.keep(revisions.changed("pins", by_hand(str(number))))
    assert len(list(tmp_path.rglob("*.json"))) == KEPT
    assert Revisions(tmp_path).current.revision == KEPT + 5


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "by-hand").mkdir()
    (tmp_path / "by-hand" / "000000001.json").write_text("{")
    with pytest.raises(ValueError, match=r"000000001\.json is no revision of this server's .* remove it"):
        Revisions(tmp_path)


def test_a_revision_is_the_same_on_the_other_side_of_the_channel():
    revision = Revisions().changed("pins", by_hand("sûr ☂"))
    assert unpacked(packed(revision)) == revision
