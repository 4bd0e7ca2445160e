"""The simulated shop keeps its promises: repeatable, a lawful funnel, and a ground truth that shows in the events."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tillside.events import BEHAVIOUR, CATEGORY, ITEM_ID, PRICE, QUANTITY, SCENE_ID, SESSION_ID, TIMESTAMP, USER_ID
from training.simulate import SimulateConfig, simulate

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SMALL = SimulateConfig(items=300, sessions=3000, shoppers=800, days=30)


class Shop:
    """What was written, read back; events by session and time."""

    def __init__(self, path: Path, config: SimulateConfig) -> None:
        self.config = config
        self.log = pd.read_parquet(path / "events.parquet")
        self.events = self.log.sort_values([SESSION_ID, TIMESTAMP], kind="stable").reset_index(drop=True)
        self.items = pd.read_parquet(path / "items.parquet").set_index(ITEM_ID)
        self.truth = {file.stem: pd.read_parquet(file) for file in (path / "truth").glob("*.parquet")}

    def of(self, behaviour: str) -> pd.DataFrame:
        return self.events[self.events[BEHAVIOUR] == behaviour]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    config = SimulateConfig(items=400, sessions=20_000, shoppers=4000, days=60, out_of_stock=0.1)
    config.out = str(tmp_path_factory.mktemp("shop") / "out")
    simulate(config)
    return Shop(Path(config.out), config)


def digest(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True))


def together(frame: pd.DataFrame) -> pd.DataFrame:
    """Ordered pairs of distinct items of one session."""
    items = frame[[SESSION_ID, ITEM_ID]].drop_duplicates()
    both = items.merge(items, on=SESSION_ID)
    return both[both["item_id_x"] != both["item_id_y"]]


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(replace(SMALL, out=str(tmp_path / name), seed=seed))
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert set(first) == set(other)
    assert all(first[name] != other[name] for name in ("events.parquet", "items.parquet", "truth/intent.parquet"))


def test_the_log_is_in_order_of_time_and_inside_its_range(shop: Shop) -> None:
    times = shop.log[TIMESTAMP].to_numpy()
    assert (np.diff(times) >= 0).all()
    assert times[0] >= START_MS
    assert times[-1] < START_MS + shop.config.days * DAY_MS
    same_session = shop.events[SESSION_ID].to_numpy()[1:] == shop.events[SESSION_ID].to_numpy()[:-1]
    assert (np.diff(shop.events[TIMESTAMP])[same_session] > 0).all()


def test_columns_hold_what_they_should(shop: Shop) -> None:
    events = shop.events
    assert list(shop.log.columns) == [
        SESSION_ID, ITEM_ID, BEHAVIOUR, TIMESTAMP, USER_ID, PRICE, QUANTITY, SCENE_ID,
    ]  # fmt: skip
    assert (events[PRICE] > 0).all()
    assert (events[PRICE].to_numpy() == shop.items[PRICE].loc[events[ITEM_ID]].to_numpy()).all()
    assert events[QUANTITY].between(1, 3).all()
    assert events.groupby(SESSION_ID)[[USER_ID, SCENE_ID]].nunique().max().max() == 1
    assert shop.items["name"].is_unique
    assert len(shop.items) == shop.config.items
    assert 0.05 < events[SCENE_ID].notna().mean() < 0.2
    assert events[USER_ID].isna().mean() > 0.1


def test_cart_follows_click_and_purchase_follows_cart(shop: Shop) -> None:
    first = shop.events.groupby([SESSION_ID, ITEM_ID, BEHAVIOUR])[TIMESTAMP].min().unstack()
    carted, bought = first[first["cart"].notna()], first[first["purchase"].notna()]
    assert len(bought) > 1000
    assert (carted["click"] < carted["cart"]).all()
    assert (bought["cart"] < bought["purchase"]).all()
    times = shop.events.groupby([SESSION_ID, ITEM_ID, BEHAVIOUR]).size().unstack(fill_value=0)
    assert (times["purchase"] <= times["cart"]).all()
    quantities = shop.events[shop.events[BEHAVIOUR] != "click"].groupby([SESSION_ID, ITEM_ID])[QUANTITY].nunique()
    assert quantities.max() == 1


def test_nothing_happens_to_an_item_that_is_not_on_sale(shop: Shop) -> None:
    launch = shop.items["launch"].loc[shop.events[ITEM_ID]].to_numpy()
    assert (shop.events[TIMESTAMP].to_numpy() >= launch).all()
    assert (shop.items["launch"] > START_MS + DAY_MS).any()
    spells = shop.truth["stock"]
    assert len(spells) > 100
    assert (spells["from"] < spells["until"]).all()
    both = shop.events[[ITEM_ID, TIMESTAMP]].merge(spells, on=ITEM_ID)
    assert not both[TIMESTAMP].between(both["from"], both["until"], inclusive="left").any()


def test_new_items_are_taken_up_after_their_launch(shop: Shop) -> None:
    late = shop.items.index[shop.items["launch"].between(START_MS, START_MS + 30 * DAY_MS)]
    assert shop.events[ITEM_ID].isin(late).sum() > 100


def test_complements_are_bought_together_far_above_chance(shop: Shop) -> None:
    bought = together(shop.of("purchase"))
    truth = shop.truth["complements"]
    known = pairs(truth) | {(other, item) for item, other in pairs(truth)}
    hits = sum(pair in known for pair in zip(bought["item_id_x"], bought["item_id_y"], strict=True))
    by_chance = len(known) / (len(shop.items) * (len(shop.items) - 1))
    assert hits / len(bought) > 10 * by_chance
    named = truth[truth["sold"] > 0]
    assert len(named) > 100
    assert pairs(named) <= set(zip(bought["item_id_x"], bought["item_id_y"], strict=True))
    category = shop.items[CATEGORY]
    assert (category.loc[truth[ITEM_ID]].to_numpy() != category.loc[truth["other_id"]].to_numpy()).all()


def test_an_accessory_fits_what_it_complements(shop: Shop) -> None:
    truth = shop.truth["complements"]
    items = shop.items[["series", "fits", "connector"]].fillna("")
    for kind, mine, theirs in (("connector", "connector", "connector"), ("series", "series", "series")):
        chosen = truth[truth["kind"] == kind]
        assert len(chosen) > 10
        assert (items[mine].loc[chosen[ITEM_ID]].to_numpy() == items[theirs].loc[chosen["other_id"]].to_numpy()).all()
    chosen = truth[truth["kind"] == "fits"]
    mine, theirs = items.loc[chosen[ITEM_ID]], items.loc[chosen["other_id"]]
    fits = theirs["fits"].to_numpy()
    assert ((fits == mine["series"].to_numpy()) | (fits == mine["fits"].to_numpy())).all()


def test_substitutes_are_looked_at_together_and_of_one_category(shop: Shop) -> None:
    truth = shop.truth["substitutes"]
    category = shop.items[CATEGORY]
    assert (category.loc[truth[ITEM_ID]].to_numpy() == category.loc[truth["other_id"]].to_numpy()).all()
    seen = together(shop.of("click"))
    known = pairs(truth)
    hits = len(seen.merge(truth, left_on=["item_id_x", "item_id_y"], right_on=[ITEM_ID, "other_id"]))
    assert hits / len(seen) > 10 * len(known) / (len(shop.items) * (len(shop.items) - 1))


def test_ladders_rise_in_price_within_a_series(shop: Shop) -> None:
    truth = shop.truth["ladders"]
    below, above = shop.items.loc[truth[ITEM_ID]], shop.items.loc[truth["up_id"]]
    assert len(truth) > 50
    assert (below[PRICE].to_numpy() < above[PRICE].to_numpy()).all()
    assert (below["series"].to_numpy() == above["series"].to_numpy()).all()


def test_shares_look_like_a_shop(shop: Shop) -> None:
    by_session = shop.events.groupby(SESSION_ID)
    buyers = shop.of("purchase")[SESSION_ID].nunique() / by_session.ngroups
    later = len(shop.events) - by_session.ngroups
    repeats = shop.events.duplicated([SESSION_ID, ITEM_ID]).sum() / later
    assert 0.05 < buyers < 0.25
    assert 0.2 < repeats < 0.4
    assert shop.events[ITEM_ID].value_counts().head(4).sum() / len(shop.events) < 0.1


def test_intent_tells_who_buys(shop: Shop) -> None:
    truth = shop.truth["intent"].set_index(SESSION_ID)
    bought = truth.index.isin(shop.of("purchase")[SESSION_ID].unique())
    assert (truth["will_purchase"].to_numpy() == bought).all()
    sizes = shop.events.groupby(SESSION_ID).size().loc[truth.index]
    assert (truth["probabilities"].map(len).to_numpy() == sizes.to_numpy()).all()
    share = truth.groupby("intent")["will_purchase"].mean()
    assert share["decided"] > 2 * share["comparing"] > 2 * share["browsing"]
    # states are calibrated on themselves, so the mean is the share of buyers up to rounding
    assert truth["probability"].mean() == pytest.approx(truth["will_purchase"].mean(), abs=1e-3)
    assert truth.loc[bought, "probability"].mean() > truth.loc[~bought, "probability"].mean() + 0.1


def test_later_visits_follow_a_purchase_of_the_same_shopper(shop: Shop) -> None:
    truth = shop.truth["intent"]
    follows = truth[truth["follows"].notna()]
    session = shop.events.groupby(SESSION_ID).agg(user=(USER_ID, "first"), begin=(TIMESTAMP, "min"))
    then, now = session.loc[follows["follows"]], session.loc[follows[SESSION_ID]]
    assert len(follows) > 100
    assert (then["user"].to_numpy() == now["user"].to_numpy()).all()
    assert (then["begin"].to_numpy() < now["begin"].to_numpy()).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"items": 100, "sessions": 1, "shoppers": 1, "days": 1},
        {"noise": 1.0, "attach": 1.0, "revisit": 1.0, "follow_up": 1.0, "anonymous": 0.0, "scenes": 1.0},
        {"noise": 0.0, "attach": 0.0, "revisit": 0.0, "follow_up": 0.0, "anonymous": 1.0, "scenes": 0.0},
        {"new_items": 1.0, "out_of_stock": 1.0, "days": 400, "start": "2024-02-29", "seed": 2**63 - 1},
    ],
)
def test_corners_of_the_config_run(tmp_path: Path, changes: dict[str, int | float | str]) -> None:
    config = replace(SMALL, sessions=400, out=str(tmp_path / "out"))
    summary = simulate(replace(config, **changes))  # type: ignore[arg-type]
    log = pd.read_parquet(tmp_path / "out" / "events.parquet")
    assert len(log) == summary["events"] >= summary["sessions"] == log[SESSION_ID].nunique()


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("items", 0, "from 100 to"),
        ("sessions", -1, "from 1 to"),
        ("shoppers", 0, "from 1 to"),
        ("days", 0, "from 1 to"),
        ("seed", -1, "from 0 to"),
        ("noise", 1.5, "from 0 to 1"),
        ("attach", float("nan"), "from 0 to 1"),
        ("start", "yesterday", "such as 2026-01-01"),
    ],
)
def test_a_senseless_setting_is_named_with_what_is_allowed(
    tmp_path: Path, name: str, value: int | float | str, allowed: str
) -> None:
    config = replace(SMALL, out=str(tmp_path / "out"), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{name} must be .*{allowed}.*got '?{value}"):
        simulate(config)
    assert not list(tmp_path.iterdir())


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds other files and no truth/shop\.json"):
        simulate(replace(SMALL, out=str(tmp_path)))
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_command_says_what_to_type_next(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.simulate", f"out={tmp_path}/shop", "items=100"]
    done = subprocess.run([*command, "sessions=50"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"python -m training.prepare data=events data.path={tmp_path}/shop/events.parquet" in done.stdout
    wrong = subprocess.run([*command, "sessions=-1"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr == "error: sessions must be a whole number from 1 to 100000000, got -1\n"
