"""Placements as a shopkeeper would judge them, on simulated shops whose truth is known, and on real invoices.

    python -m benchmarks.merchandising 12k 160k online-retail --data ../shared/data

The shipped policy of each log is asked at every moment of the test part right after a main item (phone, laptop, tablet)
was put into the cart, at the page of a dear one, and for every main item of the catalogue alone in the cart. A shop,
its relations and its run are made under WORK/NAME where they are missing. The truth is read by ``benchmarks.truth``,
which shares no code with the product's rules.
"""

# Shapes: Q questions, N items.

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import structs

from benchmarks.logs import LOGS, BenchmarkLog
from benchmarks.policy import POLICIES, make
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.truth import MAIN, RULES, Truth
from tillside.dataset import Sessions, load_dataset
from tillside.policy import Policy, place, read_policy
from tillside.policy.requests import Placement
from tillside.relations import ABOUT, Relations
from training.cli.console import print_table
from training.evaluation.metrics import intervals
from training.evaluation.placements.association_rules import AssociationRules
from training.evaluation.placements.chances import with_model
from training.evaluation.placements.proposals import placement_cases, proposed_cases
from training.evaluation.placements.questions import Ints, Questions
from training.evaluation.placements.rule_check import forbidding
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.placements.systems import MODEL_UNRULED, POLICY, Offer, Rivals, widened
from training.inputs.lookahead import taking
from training.mining.observed import OBSERVED, observations_of
from training.mining.stored import relations_of
from training.model.checkpoint import MODEL_FILE, load_model

SLOTS: Final = 4
"""Items shown where attach rates are judged."""
ACCESSORIES: Final = ("complement", "bundle", "gift")
NOBODY: Final = np.zeros(0, np.int64)
DEAR: Final = 0.5
"""A main item is dear that costs more than this share of its category's items."""
PLACEMENTS: Final = ("checkout", "cart")
RETAIL: Final = "online-retail"
UNRULED_ALLOWED: Final = f"{MODEL_UNRULED}-allowed"


def simulated(name: str, *, simulate: Sequence[str], prepare: Sequence[str] = ()) -> BenchmarkLog:
    """The simulated shop with overrides of training.simulate and training.prepare."""
    shop = LOGS["simulated"]
    assert shop.simulate is not None
    return replace(shop, simulate=(*shop.simulate, *simulate), prepare=(*shop.prepare, f"name={name}", *prepare))


SHOPS: Final = {
    # about so many sessions before the test part, which is long enough to tell systems apart
    "12k": simulated(
        "12k",
        simulate=("seed=7", "sessions=48000", "shoppers=14400", "days=240"),
        prepare=("split.validation=.0125", "split.test=.775"),
    ),
    "160k": simulated(
        "160k",
        simulate=("seed=7", "sessions=240000", "shoppers=72000", "days=180"),
        prepare=("split.validation=.033", "split.test=.333"),
    ),
}
TRAIN: Final = {
    "12k": ("trainer.max_epochs=4", "trainer.refit=false"),
    "160k": ("trainer=quick", "trainer.max_epochs=3"),
    RETAIL: ("trainer=quick",),
}

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="*", choices=[*SHOPS, RETAIL], default=[*SHOPS, RETAIL])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the logs")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/merchandising"), help="folder for the shops")
    parser.add_argument("--most", type=int, default=4000, help="questions of one kind at most, evenly spaced")
    given = parser.parse_args(arguments)
    # those of logs that are not measured now stay
    rows: list[Row] = [row for row in read_rows(RESULTS / "merchandising.json") if row["log"] not in given.logs]
    for name in given.logs:
        work = given.work / name
        make_log(name, work, data=given.data)
        shop = Judged.of(name, work)
        own = shop.attach()
        if name in SHOPS:
            own += [*shop.after_carting(most=given.most), *shop.every_main_item(), *shop.pages(most=given.most)]
        rows += [{**row, "told": shop.told()} for row in own]
    told = list(dict.fromkeys(row["told"] for row in rows))
    write_results("merchandising", rows, title="Placements as a shopkeeper would judge them", notes=_notes(told))
    cells = {(row["system"], row["metric"]): row["value"] for row in rows}
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    table = [
        [system, *(f"{cells[system, each]:.4f}" if (system, each) in cells else "" for each in metrics)]
        for system in dict.fromkeys(row["system"] for row in rows)
    ]
    print_table("merchandising", ["system", *metrics], table, numbers=metrics)


def make_log(name: str, work: Path, *, data: Path) -> None:
    """Make a log's data set, relations and run where they are missing."""
    log, rules = (SHOPS[name], [f"rules={RULES}"]) if name in SHOPS else (LOGS[name], [])
    make(log, data=data, work=work, relate=rules, related=(ABOUT, OBSERVED), train=("export=false", *TRAIN[name]))


@dataclass(frozen=True)
class Judged:
    """A log with its run, its relations and its policy."""

    name: str
    shop: OfflineShop
    relations: Relations
    policy: Policy
    rules: AssociationRules
    truth: Truth | None
    run: str

    @classmethod
    def of(cls, name: str, work: Path) -> "Judged":
        """Open what :func:`make_log` made."""
        dataset = load_dataset(work / "dataset")
        run = (work / "runs" / "latest").resolve()
        trained = load_model(run / MODEL_FILE, dataset)
        relations = with_model(relations_of(dataset), trained, observations_of(dataset))
        assert relations is not None
        taken = taking(len(dataset.behaviours))
        return cls(
            name,
            OfflineShop.of(trained, dataset, fitting=relations.fitting),
            relations,
            read_policy(Path(POLICIES["simulated" if name in SHOPS else name])),
            AssociationRules.fit(dataset, taken=taken, refit=trained.refitted),
            Truth.of(work / "shop", dataset) if name in SHOPS else None,
            run.name,
        )

    def told(self) -> str:
        """The log in words."""
        parts = self.shop.dataset.parts
        sizes = ", ".join(f"{end - start:,} {part}" for part, (start, end) in parts.items())
        return f"{self.name}: sessions {sizes}; run {self.run[:8]}"

    def row(self, system: str, metric: str, values_Q: Sequence[float], sessions_Q: Any = None) -> Row:
        """Mean of one figure, with a 95 % interval by bootstrap over sessions."""
        values = np.asarray(values_Q, float)
        sessions = np.arange(len(values)) if sessions_Q is None else np.asarray(sessions_Q)
        told = intervals({"mean": values}, sessions, seed=0)["mean"] if len(values) else {"value": 0.0}
        return {"log": self.name, "system": system, "metric": metric, "seeds": 1, "cases": len(values), **told}

    def attach(self) -> list[Row]:
        """Attach rates of the policy and its rivals at SLOTS slots, and the policy's paired lead over each."""
        rows = []
        policy = widened(self.policy, SLOTS)
        for placement in PLACEMENTS:
            if placement not in policy.placements:
                continue
            cases = placement_cases(self.shop, policy, placement, part="test", k=SLOTS)
            rivals = Rivals(policy, self.shop.shelves_B[cases.ask], self.relations, self.rules)
            offers = rivals.offers(cases.requests, cases.proposals, k=SLOTS)
            answers, facts = cases.questions.answers, self.shop.facts
            offers[UNRULED_ALLOWED] = [
                Offer(tuple(item for item in offer.items if not forbidding(item, policy, request, facts)), ())
                for offer, request in zip(offers[MODEL_UNRULED], cases.requests, strict=True)
            ]
            sessions_Q = cases.questions.sessions_Q
            hits = {
                system: np.array(
                    [np.isin(offer.items, answer).any() for offer, answer in zip(given, answers, strict=True)],
                    float,
                )
                for system, given in offers.items()
            }
            for system, hit_Q in hits.items():
                own = f"{placement}-{self.name}" + ("" if system == POLICY else f"/{system}")
                rows.append(self.row(own, f"attach@{SLOTS}", hit_Q, sessions_Q))
                if system != POLICY:
                    rows.append(self.row(own, "policy ahead by", hits[POLICY] - hit_Q, sessions_Q))
                if system == MODEL_UNRULED:
                    taken = [
                        (item, item not in allowed.items)
                        for offer, allowed, answer in zip(offers[system], offers[UNRULED_ALLOWED], answers, strict=True)
                        for item in offer.items
                        if item in answer
                    ]
                    rows.append(self.row(own, "forbidden_hits", [forbidden for _, forbidden in taken]))
                    if self.truth is not None:
                        rows.append(self.row(own, "rival_hits", [self.truth.categories[it] in MAIN for it, _ in taken]))
        return rows

    def after_carting(self, *, most: int) -> list[Row]:
        """What is shown right after a main item was put into the cart, at checkout, cart and the product's page."""
        assert self.truth is not None
        truth, rows = self.truth, []
        sessions = self.shop.dataset.part("test")
        cart = self.shop.dataset.behaviours.index("cart")
        mains = np.zeros(len(truth.items), bool)
        mains[truth.mains()] = True
        moments = np.flatnonzero(mains[np.asarray(sessions.items)] & (np.asarray(sessions.behaviours) == cart))
        asked = self._questions(moments, most=most)
        for placement in (*PLACEMENTS, "product"):
            answers = self._answers(placement, asked, sessions)
            shown = [
                (each.item, held.tolist())
                for answer, held in zip(answers, asked.carts, strict=True)
                for each in answer.items
            ]
            system = f"{placement}-{self.name}"
            rows.append(self.row(system, "rivals_share", [truth.categories[item] in MAIN for item, _ in shown]))
            rows.append(self.row(system, "misfit_share", [truth.misfit(item, held) for item, held in shown]))
            if placement in PLACEMENTS:
                values = [truth.true(item, held) for item, held in shown]
                rows.append(self.row(system, "true_complement_share", values))
            else:
                values = [truth.categories[item] != truth.categories[held[-1]] for item, held in shown]
                rows.append(self.row(system, "cross_sell_share", values))
        return rows

    def every_main_item(self) -> list[Row]:
        """Of all phones, laptops and tablets, each alone in the cart: those with three or more that go with them."""
        assert self.truth is not None
        truth, mains = self.truth, np.array(self.truth.mains())
        size = 3 * len(mains)  # looked at, put into the cart, and one event more, before which the session is cut
        cart = self.shop.dataset.behaviours.index("cart")
        last = int(np.asarray(self.shop.dataset.part("test").times).max())
        sessions = Sessions(
            np.repeat(mains, 3).astype(np.int32),
            np.tile(np.array([0, cart, 0], np.uint8), len(mains)),
            last + 30_000 * np.arange(size),
            np.arange(0, size + 1, 3),
            {},
        )
        carts = [np.array([main]) for main in mains.tolist()]
        asked = Questions(np.arange(2, size, 3), np.arange(len(mains)), carts, [NOBODY] * len(mains))
        alone = replace(self.shop, spec=replace(self.shop.spec, history=0))
        rows = []
        for placement in PLACEMENTS:
            answers = self._answers(placement, asked, sessions, shop=alone)
            for metric, goes in (("anchors_with_3", truth.related), ("anchors_with_3_true", truth.listed)):
                three = [
                    sum(goes(each.item, main) for each in answer.items) >= 3
                    for main, answer in zip(mains.tolist(), answers, strict=True)
                ]
                rows.append(self.row(f"{placement}-{self.name}", metric, three))
        return rows

    def pages(self, *, most: int) -> list[Row]:
        """At the page of a dear main item: whether a down-sell partner that is shown is named one."""
        assert self.truth is not None
        truth, named = self.truth, []
        prices = self.shop.facts.prices_N
        dear = np.zeros(len(truth.items), bool)
        for category in MAIN:
            own = [item for item in truth.mains() if truth.categories[item] == category]
            dear[own] = prices[own] > np.quantile(prices[own], DEAR)
        sessions = self.shop.dataset.part("test")
        moments = np.flatnonzero(dear[np.asarray(sessions.items)] & (np.asarray(sessions.behaviours) == 0))
        asked = self._questions(moments, most=most)
        items_E = np.asarray(sessions.items)
        for event, answer in zip(asked.events_Q.tolist(), self._answers("product", asked, sessions), strict=True):
            partners = set(self.relations.tables["downsell"].partners(int(items_E[event - 1]))[0].tolist())
            shown = [each for each in answer.items if each.item in partners]
            if shown:
                named.append(any(each.source == "downsell" for each in shown))
        rows = [self.row(f"product-{self.name}", "downsell_named", named)]
        for intent in (0.0, 0.9):
            answers = self._answers("product", asked, sessions, intent=intent)
            sources = [each.source for answer in answers for each in answer.items]
            system = f"product-{self.name}/intent-{intent:g}"
            rows.append(self.row(system, "downsell_share", [each == "downsell" for each in sources]))
            rows.append(self.row(system, "accessories_share", [each in ACCESSORIES for each in sources]))
        return rows

    def _questions(self, moments: Ints, *, most: int) -> Questions:
        """Questions right after events of the test part, with the cart as it is then."""
        sessions = self.shop.dataset.part("test")
        items, behaviours = np.asarray(sessions.items), np.asarray(sessions.behaviours)
        offsets = np.asarray(sessions.offsets)
        moments = moments[~np.isin(moments + 1, offsets)]  # of sessions that go on: an event more is to be there
        moments = moments[:: max(1, -(-len(moments) // most))]
        cart, goal = self.shop.dataset.behaviours.index("cart"), len(self.shop.dataset.behaviours) - 1
        numbers = np.searchsorted(offsets, moments, side="right") - 1
        carts = []
        for moment, session in zip(moments.tolist(), numbers.tolist(), strict=True):
            held: dict[int, None] = {}
            for event in range(int(offsets[session]), moment + 1):
                item = int(items[event])
                if behaviours[event] in (cart, goal):
                    held.pop(item, None)
                if behaviours[event] == cart:
                    held[item] = None
            carts.append(np.array(list(held), np.int64))
        return Questions(moments + 1, numbers, carts, [NOBODY] * len(moments))

    def _answers(
        self,
        placement: str,
        asked: Questions,
        sessions: Sessions,
        *,
        shop: OfflineShop | None = None,
        intent: float | None = None,
    ) -> list[Placement]:
        """Answers of the policy, as the server would give them.

        Args:
            intent: in place of the model's own.
        """
        shop, slots = self.shop if shop is None else shop, self.policy.placement(placement).slots
        first = shop.dataset.parts["test"][0]
        cases = proposed_cases(shop, self.policy, placement, asked, sessions, first=first, k=slots)
        requests, shelves = cases.requests, shop.shelves_B[cases.ask]
        if intent is not None:
            requests = [structs.replace(request, intent=intent) for request in requests]
        return [
            place(self.policy, request, shelves=shelves, relations=self.relations, model=model)
            for request, model in zip(requests, cases.proposals.candidates, strict=True)
        ]


def _notes(told: Sequence[str]) -> str:
    return (
        f"{'; '.join(told)}. rivals_share, misfit_share, true_complement_share, cross_sell_share: shares of the items "
        "shown right after a phone, laptop or tablet was put into the cart, in test sessions that go on. A rival is a "
        "phone, laptop or tablet; a misfit fits nothing of the cart that a rule speaks of; a true complement is listed "
        "for an item of the cart in the shop's truth file; cross-sell is of another category than the item just put "
        "there. anchors_with_3: share of all phones, laptops and tablets that, alone in the cart, get three or more "
        "items that go with them: listed, fitting by a rule, or of a kind that is used with theirs whatever the model; "
        "anchors_with_3_true: that the truth file lists (four or five of an item). "
        f"attach@{SLOTS}: share of the questions (one of a session, the first half of what it takes being the cart) "
        "with one of the items shown taken later; policy ahead by: at the same questions, its rate less the other "
        "system's. SYSTEM/NAME is another system at that placement: a source of the policy alone, model-top the "
        "model's best that the hard rules allow, model-unruled its best as they come, model-unruled-allowed of these "
        "only what the hard rules allow, which no shop is paid to hide (forbidden_hits: share of the items taken among "
        "model-unruled's that hard rules forbid; rival_hits: that are phones, laptops or tablets), fp-growth rules by "
        "confidence. downsell_named: of the answers at the page of a dear main item (dearer than half of its category) "
        "that show a down-sell partner, those that name it; intent-0 and intent-0.9: the "
        "same pages asked with that purchase intent, downsell_share and accessories_share being shares of the items "
        "shown that down-sell, or complements, bundles and gifts, name. Intervals: 95 %, bootstrap (seed 0) over "
        "sessions for attach rates, else over what is counted, items shown or anchors."
    )


if __name__ == "__main__":
    main()
