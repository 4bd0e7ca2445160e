"""Relating a whole data set: planted pairs are found, others are not, and the order of the rows is nothing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from tests.bundles import encoder
from tests.datasets import START_MS, make_catalogue, make_dataset, make_sessions, same_relations
from tests.models import CONFIG, make_trained
from tillside import bundle
from tillside.catalogue import Catalogue
from tillside.dataset import Dataset, Sessions, load_dataset, write_dataset
from tillside.events import Behaviours
from tillside.relations import ABOUT, ALWAYS, Relations
from training.bundle import write
from training.relate import main
from training.settings.relate import RelateConfig
from training.stages.relate import relate, run

DAY = 86_400_000
PHONES, CASES, TOYS = range(4), range(4, 8), range(8, 20)
"""Phone i goes with case i + 4; phones 0 and 1 are a series, and so are 2 and 3."""
ITEMS = 20
TOKENS = [
    *[["category=shop", "category=shop.phone", "brand=a", f"series=s{item // 2}"] for item in PHONES],
    *[["category=shop", "category=shop.case", f"fits=s{(item - 4) // 2}"] for item in CASES],
    *[["category=shop", f"category=shop.toy{item}"] for item in TOYS],
]
PRICES = [100.0, 150.0, 300.0, 500.0, 10.0, 12.0, 14.0, 16.0, *[40.0] * 12]
RULES = """\
rules:
  - name: made for
    one: {category: shop.phone, attribute: series}
    other: {category: shop.case, attribute: fits}
"""


def rows(count: int = 400, seed: int = 0) -> list[list[tuple[int, str, int]]]:
    """Sessions that compare the phones of a series, and buy a phone with its case, or a toy or two."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        now = START_MS + number * DAY // 8
        phone, toys = int(rng.integers(4)), rng.choice(list(TOYS), 2, replace=False).tolist()
        if number % 2:
            other = phone ^ 1
            case = phone + 4 if rng.random() < 0.8 else int(rng.choice(list(CASES)))
            events = [(phone, "click"), (other, "click"), (phone, "cart"), (case, "cart"), (phone, "purchase")]
        else:
            events = [(toys[0], "click"), (int(rng.integers(4)), "click"), (toys[0], "cart"), (toys[1], "cart")]
        made.append([(item, behaviour, now + place * 60_000) for place, (item, behaviour) in enumerate(events)])
    return made


def dataset_of(folder: Path, sessions: Sessions, *, train: int, validation: int = 0) -> Dataset:
    """A data set with scenes, shoppers, attributes and prices."""
    folder.mkdir()
    made = make_catalogue(sessions, trained=ITEMS, tokens=TOKENS)
    catalogue: Catalogue = replace(made, prices_N=np.array(PRICES, np.float32))
    write_dataset(
        folder,
        sessions=sessions,
        catalogue=catalogue,
        behaviours=Behaviours(),
        parts={
            "train": (0, train),
            "validation": (train, train + validation),
            "test": (train + validation, len(sessions)),
        },
        test_cases="every",
        about={"name": "made", "config": {}, "counts": {}},
    )
    return load_dataset(folder)


def with_extras(sessions: Sessions, *, order: np.ndarray | None = None) -> Sessions:
    """The same, every tenth session in one live room, each of its own shopper."""
    scenes_S = np.where(np.arange(len(sessions)) % 10 == 1, 3, -1)
    users_S = np.arange(len(sessions))
    if order is not None:
        scenes_S, users_S = scenes_S[order], users_S[order]
    scenes_E = np.repeat(scenes_S, np.diff(sessions.offsets))
    return replace(sessions, optional={"scenes": scenes_E, "users": users_S})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    test = [[(0, "cart", START_MS + 90 * DAY), (19, "cart", START_MS + 90 * DAY + n)] for n in range(1, 60)]
    sessions = with_extras(make_sessions([*rows(), *test]))
    return dataset_of(tmp_path_factory.mktemp("data") / "d", sessions, train=400)


@pytest.fixture(scope="module")
def related(dataset):
    return relate(RelateConfig(dataset="-"), dataset)


def pairs_of(relations: Relations, name: str) -> set[tuple[int, int]]:
    table = relations.tables[name]
    return set(zip(table.anchors.tolist(), table.items.tolist(), strict=True))


def test_planted_pairs_are_found_with_their_direction(related):
    """The case comes after the phone; the test part, where 0 goes with 19, is not looked at."""
    found = pairs_of(related.relations, "complement")
    assert {(phone, phone + 4) for phone in PHONES} <= found
    assert not {(phone + 4, phone) for phone in PHONES} & found
    assert (0, 19) not in found
    assert not {pair for pair in found if pair[0] in TOYS}


def test_substitutes_ladders_and_gifts_follow_from_planted_pairs(related):
    relations = related.relations
    assert pairs_of(relations, "substitute") == {(0, 1), (1, 0), (2, 3), (3, 2)}
    assert pairs_of(relations, "upsell") == {(0, 1), (2, 3)}  # 1.5 and 1.67 times as dear
    assert pairs_of(relations, "downsell") == {(1, 0), (3, 2)}
    assert pairs_of(relations, "gift") == {pair for pair in pairs_of(relations, "complement") if pair[1] in CASES}
    assert pairs_of(relations, "series") == {(0, 1), (1, 0), (2, 3), (3, 2)}
    assert pairs_of(relations, "brand") == {(a, b) for a in PHONES for b in PHONES if a != b}
    assert {(phone, phone + 4) for phone in PHONES} <= pairs_of(relations, "bundle")
    assert relations.bundles[0].tolist() in [[phone, phone + 4] for phone in PHONES]


def test_no_item_is_its_own_partner_and_strengths_fall(related):
    for table in related.relations.tables.values():
        assert table.fault(items=ITEMS) is None  # own partners, repeats, order, range: see tillside.relations.tables


def test_what_validation_shows_can_be_left_out(tmp_path):
    """0 goes with 19 in the validation part alone."""
    late = [[(0, "cart", START_MS + 60 * DAY + n), (19, "cart", START_MS + 60 * DAY + n)] for n in range(60)]
    sessions = with_extras(make_sessions([*rows(), *late, *rows(10, seed=1)]))
    dataset = dataset_of(tmp_path / "d", sessions, train=400, validation=60)
    assert (0, 19) in pairs_of(relate(RelateConfig(dataset="-"), dataset).relations, "complement")
    without = relate(RelateConfig(dataset="-", validation=False), dataset).relations
    assert (0, 19) not in pairs_of(without, "complement")
    assert without.about["settings"]["validation"] is False


def test_two_runs_and_any_order_of_the_sessions_give_the_same(dataset, related, tmp_path):
    same_relations(relate(RelateConfig(dataset="-"), dataset).relations, related.relations)
    plain = rows()
    order = np.random.default_rng(1).permutation(len(plain))
    shuffled = with_extras(make_sessions([plain[number] for number in order]), order=order)
    again = dataset_of(tmp_path / "d", shuffled, train=400)
    same_relations(relate(RelateConfig(dataset="-"), again).relations, related.relations)


def test_what_was_taken_lately_is_stronger(tmp_path):
    """Case 4 goes with phone 0 in the first half, case 5 as often in the second."""
    made = []
    for number, row in enumerate(rows()):
        case = 4 if number < 200 else 5
        phone = row[0][0] in PHONES
        made.append([((0 if i in PHONES else case) if phone else i, b, t) for i, b, t in row] if number % 2 else row)
    dataset = dataset_of(tmp_path / "d", with_extras(make_sessions(made)), train=400)
    strengths = {}
    for half_life in (5.0, 5000.0):
        found = relate(RelateConfig(dataset="-", half_life_days=half_life, faintest=0.0), dataset)
        items, values = found.relations.tables["complement"].partners(0)
        strengths[half_life] = dict(zip(items.tolist(), values.tolist(), strict=True))
    assert strengths[5.0][5] > 2 * strengths[5.0][4]
    assert strengths[5000.0][5] == pytest.approx(strengths[5000.0][4], rel=0.05)


def test_what_does_not_fit_is_no_complement_and_in_no_bundle(dataset, related, tmp_path):
    wrong = (0, 6)  # phone 0 is of series 0, case 6 is made for series 1
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    swapped = tmp_path / "swapped.yaml"
    swapped.write_text(RULES.replace("attribute: series", "attribute: brand"))  # no case is made for a brand
    fitting = relate(RelateConfig(dataset="-", rules=str(path)), dataset).relations
    assert wrong not in pairs_of(fitting, "complement")
    assert (0, 4) in pairs_of(fitting, "complement")
    nothing = relate(RelateConfig(dataset="-", rules=str(swapped)), dataset).relations
    for name in ("complement", "gift", "bundle"):
        assert not {pair for pair in pairs_of(nothing, name) if pair[0] in PHONES and pair[1] in CASES}
    assert (0, 4) in pairs_of(related.relations, "complement")


def test_pairs_set_by_hand_override_mined_ones(dataset, tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(
        "relation,item_id,other_id,action,strength,from,until\n"
        "complement,i0,i4,ban,,,\ncomplement,i0,i15,pin,,2030-01-01,\n"
    )
    relations = relate(RelateConfig(dataset="-", manual=str(path)), dataset).relations
    before, after = (relations.partners("complement", 0, now_ms=now) for now in (START_MS, ALWAYS[1] - 1))
    assert 4 not in before.items
    assert 15 not in before.items
    assert (after.items[0], after.pinned[0]) == (15, True)


def test_a_log_without_purchases_clock_users_or_attributes_has_what_it_can(tmp_path):
    plain = make_dataset(tmp_path / "d", train=[[0, 1, 2], [1, 0], [3, 4]] * 30, trained=5, clock=False)
    relations = relate(RelateConfig(dataset="-"), plain).relations
    assert {(0, 1), (1, 0)} <= pairs_of(relations, "substitute")
    assert sum(len(relations.tables[name]) for name in ("complement", "bundle", "brand", "scene", "gift")) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"false_share": 0.9}, "false_share must be from 1e-12 to 0.5, got 0.9"),
        ({"price_step": 3.0}, "price_step must be from 1 to 2, got 3"),
        ({"half_life_days": 0.0}, "half_life_days must be above 0 or null"),
        ({"taken": ["buy"]}, "behaviour 'buy' is unknown; allowed: click, cart, purchase"),
        ({"taken": []}, "taken must name a behaviour or be null; allowed: click, cart, purchase"),
    ],
)
def test_settings_out_of_range_are_refused(dataset, settings, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        relate(RelateConfig(dataset="-", **settings), dataset)


def test_the_command_s_output_stands_in_the_bundle_and_loads_back_equal(dataset, related, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["relate", f"dataset={dataset.path}"])
    main()
    report = (dataset.path / "relations" / "report.md").read_text()
    assert "| item 0 | item 4 |" in report
    # torch takes 15 s to write an encoder, which is nothing to relations: one made by hand stands in
    by_hand = encoder(np.zeros((len(dataset.behaviours), CONFIG.dim + 1), np.float32))
    monkeypatch.setattr(write, "write_encoder", lambda _, path: onnx.save(by_hand, path))
    monkeypatch.setattr(write, "check_parity", lambda *_: {})
    out = tmp_path / "bundle"
    metrics = {"systems": {"tillside": {"all": {"recall@20": {"value": 0.5}}}}}
    write.export_run(make_trained(dataset), dataset, out, metrics=metrics, run_id="r")
    opened = bundle.open_bundle(out)
    same_relations(opened.relations, related.relations)
    assert opened.relations.about == related.relations.about
    assert opened.relations.about["dataset"]["digest"] == dataset.digest
    assert opened.relations.about["counts"]["complement"] == len(related.relations.tables["complement"])


def test_association_rules_are_written_where_they_are_asked_for(dataset, tmp_path):
    """Every other session takes one of four phones, and the case of a phone is taken with it often."""
    table = tmp_path / "rules.csv"
    run(RelateConfig(str(dataset.path), out=str(tmp_path / "out"), rules_out=str(table), rules_confidence=0.3))
    rules = pd.read_csv(table)
    found = {
        (*json.loads(one), *json.loads(other))
        for one, other in zip(rules["antecedents"], rules["consequents"], strict=True)
    }
    ids = dataset.catalogue.item_ids
    assert {(ids[phone], ids[phone + 4]) for phone in PHONES} <= found
    assert rules["confidence"].min() >= 0.3
    assert "rules_out" not in (tmp_path / "out" / ABOUT).read_text()


def test_a_table_of_no_known_form_is_refused_before_anything_is_mined(dataset, tmp_path):
    with pytest.raises(ValueError, match="rules_out must end with"):
        run(RelateConfig(dataset=str(dataset.path), out=str(tmp_path / "out"), rules_out="rules.xls"))
    assert not (tmp_path / "out").exists()
