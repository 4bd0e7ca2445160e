"""Arms in the server: the shopper's key decides whose policy answers, and the holdout gets an answer without items."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from serving.answering.arms import assigned, chosen, marked
from serving.answering.outcome import Outcome
from serving.bundles.loading import load_recommender, merchandised, restock
from serving.bundles.reloading import Reloads
from serving.process.lifecycle import in_background
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import Answer
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client
from tests.tills import NOW_MS, POLICY, ask, feed, in_stock, till
from tillside.experiments.assignment import NOT_ASSIGNED, arm_of, held_out
from tillside.experiments.reader import parse_experiments
from tillside.policy import read_feed
from tillside.policy.merchandising import ByHand

FILE = """\
holdout: {share: 0.2}
experiments:
  slots:
    placements: [checkout]
    arms:
      two: {share: 0.5}
      one: {share: 0.5, policy: {placements: {checkout: {slots: 1}}}}
  drawn:
    layer: chance
    placements: [checkout]
    arms:
      not: {share: 0.5}
      all: {share: 0.5, policy: {placements: {checkout: {explore: {share: 1}}}}}
"""
EXPERIMENTS = parse_experiments(FILE)
HELD = next(key for key in map(str, range(100)) if held_out(EXPERIMENTS, key))


def shopper(slots: str, drawn: str) -> str:
    """A key that is in these arms."""
    wanted = {"slots": slots, "drawn": drawn}
    return next(
        key
        for key in map(str, range(1000))
        if not held_out(EXPERIMENTS, key)
        and all(arm_of(name, EXPERIMENTS.experiments[name], key) == arm for name, arm in wanted.items())
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("till")
    (folder / "trial.yaml").write_text(FILE, encoding="utf-8")
    policy = POLICY.replace("      stock: {feed_max_age_minutes: 30}\n", "")
    return till(folder / "bundle", policy=policy), folder / "trial.yaml"


def answers(files: tuple[Path, Path], *bodies: dict[str, Any]) -> list[tuple[dict[str, Any], Outcome]]:
    """What a server answers, and the outcome that its log gets."""
    outcomes: list[Outcome] = []

    async def run() -> list[dict[str, Any]]:
        settings = Settings(files[0], experiments=files[1], deadline_ms=60_000)
        service = Service(settings)
        await Reloads(files[0], service).reload()
        plain = service.answer

        async def kept(request: Any) -> Outcome:
            outcomes.append(await plain(request))
            return outcomes[-1]

        service.answer = kept  # type: ignore[method-assign]
        async with in_background(service.run()), app_client(service, settings) as client:
            return [(await client.post("/v1/recommend", json=body)).json() for body in bodies]

    return list(zip(asyncio.run(run()), outcomes, strict=True))


def test_each_arm_answers_by_its_own_policy(files: tuple[Path, Path]) -> None:
    keys = {arms: shopper(*arms) for arms in (("two", "not"), ("one", "not"), ("two", "all"), ("one", "all"))}
    found = answers(files, *(ask("checkout", "phone", cart=["phone"], shopper_id=key) for key in keys.values()))
    for (slots, drawn), (answer, outcome) in zip(keys, found, strict=True):
        assert (answer["experiment"], answer["arm"]) == ("slots|drawn", f"{slots}|{drawn}")
        assert (outcome.answer.experiment, outcome.answer.arm) == (answer["experiment"], answer["arm"])
        assert len(answer["items"]) == (1 if slots == "one" else 2)
        assert (outcome.propensities is None) == (drawn == "not")
    assert len({answer["policy"] for answer, _ in found}) == 4
    assert all(0 < each < 1 for each in found[2][1].propensities or ())


def test_who_is_held_out_gets_nothing_and_is_written_down(files: tuple[Path, Path]) -> None:
    body = {"session": [{"item_id": "phone"}], "shopper_id": HELD}
    [(placed, first), (plain, second)] = answers(files, ask("checkout", "phone", shopper_id=HELD), body)
    for answer, outcome in ((placed, first), (plain, second)):
        assert (answer["items"], answer["tier"], answer["degraded_reason"]) == ([], "empty", None)
        assert (answer["experiment"], answer["arm"], outcome.answer.arm) == ("holdout", "holdout", "holdout")


def test_a_visit_is_drawn_by_its_session_and_nobody_by_nothing(files: tuple[Path, Path]) -> None:
    key = shopper("one", "not")
    bodies = [ask("checkout", "phone", **more) for more in ({"session_id": key}, {})]
    [(visit, _), (unknown, _)] = answers(files, *bodies)
    assert visit["arm"] == "one|not"
    assert "experiment" not in unknown


def test_a_refused_name_is_refused_whoever_asks(files: tuple[Path, Path]) -> None:
    """A shop must not find out only through the shoppers that are not held out."""
    [(answer, _)] = answers(files, ask("checkout", "phone", shopper_id=HELD))
    assert answer["items"] == []

    async def refused() -> int:
        settings = Settings(files[0], experiments=files[1])
        service = Service(settings)
        await Reloads(files[0], service).reload()
        async with in_background(service.run()), app_client(service, settings) as client:
            return (await client.post("/v1/recommend", json=ask("chekout", "phone", shopper_id=HELD))).status_code

    assert asyncio.run(refused()) == 422


def test_arms_share_what_they_do_not_change(files: tuple[Path, Path]) -> None:
    """An arm costs a policy in memory, not another catalogue; a control is the assortment itself."""
    recommender = load_recommender(files[0], Limits(), experiments=files[1])
    assortment = recommender.assortment
    assert assortment is not None
    assert len(assortment.loaded.arms) == 3

    def of(*arms: str) -> Any:
        raw = ask("checkout", "phone", shopper_id=shopper(*arms))
        request = decode_request(json.dumps(raw).encode(), Limits())
        return chosen(recommender, assigned(assortment, request, now_ms=NOW_MS))[1]

    assert of("two", "not") is assortment
    assert of("one", "not") is of("one", "not") is not assortment
    assert of("one", "all").shelves_B is assortment.shelves_B
    assert of("one", "all").loaded.version != of("one", "not").loaded.version


def test_without_experiments_nothing_is_marked() -> None:
    answer = Answer([], [], "empty", None, "click", None, [], None, None)  # type: ignore[arg-type]
    outcome = Outcome(answer)
    assert marked(outcome, NOT_ASSIGNED) is outcome


BUNDLES = """\
experiments:
  models:
    arms:
      old: {share: 0.5}
      new: {share: 0.5, bundle: other, policy: {placements: {checkout: {slots: 1}}}}
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle, and an experiments file whose second arm is another one beside it."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "trial.yaml").write_text(BUNDLES, encoding="utf-8")
    policy = POLICY.replace("      stock: {feed_max_age_minutes: 30}\n", "")
    till(folder / "other", policy=policy.replace("slots: 3", "slots: 2"))
    return till(folder / "bundle", policy=policy), folder / "trial.yaml"


def in_arm(arm: str) -> str:
    experiment = parse_experiments(BUNDLES).experiments["models"]
    return next(key for key in map(str, range(100)) if arm_of("models", experiment, key) == arm)


def test_an_arm_may_be_another_bundle_under_the_same_policy(two: tuple[Path, Path]) -> None:
    """The other bundle's own policy has two slots in fashion; the one in force is that of the server's bundle."""
    bodies = [
        ask(placement, "phone", shopper_id=in_arm(arm))
        for arm in ("old", "new")
        for placement in ("checkout", "fashion")
    ]
    bodies.append({"session": [{"item_id": "phone"}], "shopper_id": in_arm("new")})
    [old, old_fashion, new, new_fashion, plain] = [answer for answer, _ in answers(two, *bodies)]
    assert old["model_version"] == old_fashion["model_version"] != new["model_version"]
    assert new["model_version"] == new_fashion["model_version"] == plain["model_version"]
    assert [len(each["items"]) for each in (old, new, old_fashion, new_fashion)] == [2, 1, 2, 2]
    assert (plain["arm"], plain["tier"]) == ("new", "model")


def test_feeds_and_hands_reach_the_other_bundle(two: tuple[Path, Path]) -> None:
    recommender = load_recommender(two[0], Limits(), experiments=two[1])
    other = recommender.others["other"]
    body = ask("checkout", "phone", cart=["phone"], shopper_id=in_arm("new"))
    request = decode_request(json.dumps(body).encode(), Limits())

    def shown() -> list[str]:
        found, assortment = chosen(recommender, assigned(recommender.assortment, request, now_ms=NOW_MS))
        assert found is other
        answer = found.answer_questions([found.read(request, assortment)])[0].answer
        return [item.item_id for item in answer.items]

    assert shown() == ["case"]
    restocked = restock(recommender, read_feed(feed(*in_stock("case"))))
    assert restocked is not None
    assert restocked.others["other"].facts is not restocked.facts
    assert restocked.others["other"].shelves_B[0].facts.item_ids == restocked.facts.item_ids
    recommender.equip(restocked, None)
    assert shown() == ["film"]  # the case is sold out
    made = merchandised(recommender, None, ByHand(), feed=None, experiments=two[1])
    assert made is not None
    assert list(made.others) == ["other"]


def test_a_bundle_that_is_not_there_refuses_the_load(two: tuple[Path, Path]) -> None:
    (two[1].parent / "gone.yaml").write_text(BUNDLES.replace("bundle: other", "bundle: gone"), encoding="utf-8")
    with pytest.raises(ValueError, match="gone"):
        load_recommender(two[0], Limits(), experiments=two[1].parent / "gone.yaml")
    recommender = load_recommender(two[0], Limits(), experiments=two[1])
    with pytest.raises(ValueError, match="bundle gone is not loaded; a reload of the server loads it"):
        merchandised(recommender, None, ByHand(), feed=None, experiments=two[1].parent / "gone.yaml")
