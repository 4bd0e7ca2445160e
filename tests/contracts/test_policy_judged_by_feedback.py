"""A policy is judged by a log that another one left to chance, from the server's exposures to the command's figures.

The placement has one slot, of which the log draws; shoppers click the case whenever it is shown, and nothing else.
"""

import json

import pytest

from serving.bundles.loading import load_recommender
from serving.feedback.answered import Answered, exposure_of
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from tests.feedback_logs import event, write
from tests.tills import till
from tillside.feedback.events import CLICK
from training.feedback.joining import join
from training.settings.evaluate import EvaluateConfig
from training.settings.measure import MeasureConfig
from training.stages.evaluate import evaluate_by_feedback

POLICY = """\
placements:
  product:
    behaviour: click
    sources: {{complement: 1}}
    slots: 1
    fill: false
    explore: {explore}
    rules: {{bans: [{bans}]}}
"""
CASE, FILM = "{name: no case, item: case}", "{name: no film, item: film}"
ASK = json.dumps({"session": [{"item_id": "phone"}], "placement": "product", "age": 30}).encode()
ANSWERS = 600
SECONDS = 1.78e9


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The folder of a bundle, of policies and of a log, with the log's exposures."""
    folder = tmp_path_factory.mktemp("shop")
    till(folder / "bundle")
    policies = {"drawing": ("{share: 1, temperature: 9}", ""), "case": ("null", FILM), "film": ("null", CASE)}
    for name, (explore, bans) in policies.items():
        (folder / f"{name}.yaml").write_text(POLICY.format(explore=explore, bans=bans))
    recommender = load_recommender(folder / "bundle", Limits(), policy=folder / "drawing.yaml")
    exposures = []
    for number in range(ANSWERS):
        request = decode_request(ASK[:-1] + b', "shopper_id": "s%d"}' % (number // 2), Limits())
        answered = Answered(SECONDS + number, request, "product", recommender.answer(request))
        exposures.append(exposure_of(answered, str, requests=1.0))
    clicks = [
        event(f"e{number}", CLICK, "case", each.time, recommendation_id=each.recommendation_id)
        for number, each in enumerate(exposures)
        if each.slots[0].item == "case"
    ]
    write(folder / "feedback", exposures, clicks)
    return folder, exposures


def judged(folder, policy, **given):
    """What is told of the placement, and the figures of clicks by form and estimator."""
    known = {"bundle": str(folder / "bundle"), "feedback": str(folder / "feedback"), "least_effective": 100.0}
    evaluate_by_feedback(EvaluateConfig(policy=str(folder / f"{policy}.yaml"), **(known | given)), folder)
    told = json.loads((folder / "off_policy.json").read_text())["placements"]["product"]
    return told, {(each["form"], each["estimator"]): each for each in told["outcomes"]["clicks"]["estimates"]}


def test_policies_earn_what_they_would_show(shop, capsys):
    """The case alone is clicked: who always shows it earns 1, who never does 0; by IPS the sum of 1 / propensity. The
    policy of the log earns what the log earned."""
    folder, exposures = shop
    weights = [1 / each.slots[0].propensity for each in exposures if each.slots[0].item == "case"]
    assert 100 < len(weights) < ANSWERS - 100
    told, found = judged(folder, "case")
    logged = told["outcomes"]["clicks"]["logged"]
    assert found["prefix", "ips"]["value"] == pytest.approx(sum(weights) / ANSWERS)
    assert told["covered"] == pytest.approx(sum(weights) / ANSWERS), "the log showed the case with a chance each time"
    assert logged["value"] == len(weights) / ANSWERS
    assert found["prefix", "snips"]["value"] == pytest.approx(1)
    assert found["prefix", "dr"]["value"] == pytest.approx(1, abs=0.1)
    assert "product: per answer, of 600" in capsys.readouterr().out

    measured = str(folder / "measured")
    join(MeasureConfig(feedback=str(folder / "feedback"), out=measured))
    assert judged(folder, "film", measured=measured)[1]["answer", "snips"]["value"] == 0
    told, found = judged(folder, "drawing", measured=measured)
    ends = ("value", "low", "high")
    assert [found["slot", "snips"][end] for end in ends] == pytest.approx([logged[end] for end in ends])
    assert (told["own_answers"], told["own_agreeing"]) == (ANSWERS, 1)
    assert found["prefix", "snips"]["effective"] == pytest.approx(ANSWERS)

    few = r"product: the log holds [0-9]+ effective answers for this policy, of 600, and 1000 are needed"
    with pytest.raises(ValueError, match=few):
        judged(folder, "case", measured=measured, least_effective=1000.0)
