"""Relations: what partners says at a moment, by hand, and that files come back equal or are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.tillside.relations.test_tables import table
from tillside.fitting.rules import Kin, Rule, Side, Terms
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable
from tillside.relations.lifts import Lifts

NOON, ALWAYS = 1000, (-(2**63), 2**63 - 1)


def relations(*manual, complement: RelationTable | None = None, bundles: Bundles | None = None) -> Relations:
    empty = Relations.empty(items=5)
    tables = dict(empty.tables) | ({"complement": complement} if complement else {})
    rows = [(*row, *ALWAYS) if len(row) == 5 else row for row in manual]
    return Relations(tables, ManualPairs.of(rows), bundles or empty.bundles, {"dataset": "d"})


def partners(found: Relations, item: int = 0, now: int = NOON) -> list[tuple[int, float, bool]]:
    got = found.partners("complement", item, now_ms=now)
    columns = got.items.tolist(), got.strengths.round(4).astype(float).round(4).tolist(), got.pinned.tolist()
    return list(zip(*columns, strict=True))


MINED = table((0, 3, 0.2), (0, 1, 0.5), (0, 4, 0.2), (2, 0, 1.0))


def test_partners_come_strongest_first_and_equal_ones_in_catalogue_order():
    assert partners(relations(complement=MINED)) == [(1, 0.5, False), (3, 0.2, False), (4, 0.2, False)]
    assert partners(relations(complement=MINED), 2) == [(0, 1.0, False)]


def test_a_pair_has_a_direction():
    assert partners(relations(complement=MINED), 1) == []


def test_an_item_past_the_catalogue_has_no_partners():
    for item in (5, 10**9, -1):
        assert partners(relations(complement=MINED), item) == []


def test_only_the_strongest_are_kept():
    kept = table((0, 3, 0.2), (0, 1, 0.5), (0, 4, 0.2), (2, 0, 1.0), most=2)
    assert partners(relations(complement=kept)) == [(1, 0.5, False), (3, 0.2, False)]
    assert kept.anchors.tolist() == [0, 0, 2]


def test_the_strongest_are_cut_behind_those_that_are_level():
    table = relations(complement=MINED).tables["complement"]  # of item 0: .5, then .2 twice
    assert [table.strongest(0, most)[0].tolist() for most in (1, 2, 3, 9)] == [[1], [1, 3, 4], [1, 3, 4], [1, 3, 4]]
    assert [len(table.strongest(item, 2)[0]) for item in (-1, 10**6)] == [0, 0]


def test_pins_come_first_adds_by_strength_and_bans_are_gone():
    manual = [
        ("complement", 0, 4, "pin", 0.1),
        ("complement", 0, 2, "add", 0.3),
        ("complement", 0, 1, "ban", None),
        ("complement", 0, 3, "add", None),
        ("substitute", 0, 2, "ban", None),
    ]
    # 4 is pinned; 3 counts 1.0 instead of the mined 0.2; 2 is added with 0.3; 1 is banned
    assert partners(relations(*manual, complement=MINED)) == [(4, 0.1, True), (3, 1.0, False), (2, 0.3, False)]


def test_a_ban_is_stronger_than_a_pin_and_a_pin_than_an_add_in_any_order():
    manual = [("complement", 0, 4, action, None) for action in ("ban", "pin")]
    both = [("complement", 0, 2, "pin", 0.4), ("complement", 0, 2, "add", 0.9)]
    for rows in ([*manual, *both], [*both[::-1], *manual[::-1]]):
        assert partners(relations(*rows)) == [(2, 0.4, True)]


def test_manual_pairs_hold_from_their_first_moment_until_before_their_last():
    found = relations(("complement", 0, 2, "pin", None, 1000, 2000), complement=table((0, 1, 0.5)))
    mined = [(1, 0.5, False)]
    assert [partners(found, now=now) for now in (999, 1000, 1999, 2000)] == [
        mined,
        [(2, 1.0, True), *mined],
        [(2, 1.0, True), *mined],
        mined,
    ]


def test_an_unknown_relation_is_named_with_the_allowed_ones():
    with pytest.raises(ValueError, match="relation 'friend' is unknown; allowed: complement, substitute"):
        Relations.empty(items=2).partners("friend", 0, now_ms=0)


def full() -> Relations:
    manual = [("gift", 1, 2, "pin", 0.25, 5, 6), ("complement", 0, 4, "ban", None)]
    return relations(*manual, complement=MINED, bundles=Bundles.from_sets([(0, 1, 2), (3, 4)], [0.5, 0.25]))


def test_what_was_saved_loads_equal(tmp_path):
    saved = full()
    saved.save(tmp_path)
    loaded = Relations.load(tmp_path, items=5)
    assert loaded.about == {"dataset": "d"}
    for name in RELATIONS:
        for array in ("offsets", "items", "strengths"):
            np.testing.assert_array_equal(getattr(loaded.tables[name], array), getattr(saved.tables[name], array))
    for array in ("relations", "anchors", "items", "actions", "strengths", "from_ms", "until_ms"):
        np.testing.assert_array_equal(getattr(loaded.manual, array), getattr(saved.manual, array))
    assert [row.tolist() for row in loaded.bundles] == [[0, 1, 2], [3, 4]]
    assert partners(loaded) == partners(saved) == [(1, 0.5, False), (3, 0.2, False)]


def test_what_fits_what_and_pairs_that_wait_come_back(tmp_path):
    later = [("gift", "i0", "new", "add", 0.5, *ALWAYS)]
    terms = Terms((Rule("r", Side("a", "b"), Side("c", "d")),), (Kin("a", "c", 0.5),))
    lifts = Lifts(("a",), np.array([[0.5]], np.float32))
    found = replace(relations(), fitting=terms, lifts=lifts, manual=ManualPairs.of([], later))
    found.save(tmp_path)
    back = Relations.load(tmp_path, items=5)
    assert (back.fitting, back.manual.later) == (terms, tuple(later))
    assert (back.lifts.paths, back.lifts.logs_PP.tolist()) == (("a",), [[0.5]])
    (tmp_path / "fitting.json").write_text('{"rules": [{}]}')
    with pytest.raises(ValueError, match=r"fitting\.json cannot be read: .*; relate again"):
        Relations.load(tmp_path, items=5)
    (tmp_path / "fitting.json").unlink()  # relations made before there were rules in them
    assert Relations.load(tmp_path, items=5).fitting == Terms()


def test_nothing_saves_and_loads_as_nothing(tmp_path):
    Relations.empty(items=3).save(tmp_path)
    loaded = Relations.load(tmp_path, items=3)
    assert len(loaded.bundles) == len(loaded.manual) == sum(map(len, loaded.tables.values())) == 0


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        ("complement/items.npy", np.array([9, 3, 4, 0], np.int32), "complement: a partner is none of the 5 items"),
        ("complement/items.npy", np.array([1, 3, 4, 0], np.int64), "complement: the arrays do not fit"),
        ("complement/offsets.npy", np.array([0, 3, 2, 4, 4, 4]), "complement: the arrays do not fit"),
        ("complement/strengths.npy", np.array([0.1, 0.5, 0.2, 1], np.float32), "not the strongest first"),
        ("complement/strengths.npy", np.array([np.nan, 0.5, 0.2, 1], np.float32), "strength"),
        ("bundles/items.npy", np.array([0, 0, 2, 3, 4], np.int32), "bundles: the items of a bundle must be distinct"),
        ("bundles/offsets.npy", np.array([0, 1, 5]), "bundles: a bundle must hold 2 to 4 items"),
        ("manual/actions.npy", np.array([0, 3], np.int8), "manual: actions must be from 0 to 2"),
        ("manual/items.npy", np.array([5, 0], np.int32), "manual: items must be from 0 to 4"),
        ("manual/from_ms.npy", np.zeros(3, np.int64), "manual: the columns do not fit"),
    ],
)
def test_damaged_arrays_are_refused_by_name(tmp_path, file, array, message):
    full().save(tmp_path)
    np.save(tmp_path / file, array)
    with pytest.raises(ValueError, match=message):
        Relations.load(tmp_path, items=5)


def test_missing_files_and_other_catalogues_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no relations .*training\.relate"):
        Relations.load(tmp_path, items=5)
    full().save(tmp_path)
    with pytest.raises(ValueError, match="another catalogue, not of 6 items"):
        Relations.load(tmp_path, items=6)
    (tmp_path / "brand" / "items.npy").unlink()
    with pytest.raises(ValueError, match=r"brand/items\.npy cannot be read"):
        Relations.load(tmp_path, items=5)
    about = tmp_path / "relations.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"format_version": 9}))
    with pytest.raises(ValueError, match="only format_version 1"):
        Relations.load(tmp_path, items=5)
