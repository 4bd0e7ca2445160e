"""A log's answers are asked again, and the policy that gave them finds the very probabilities that it drew with."""

import json
from collections import Counter

import msgspec
import pytest

from serving.bundles.loading import load_recommender
from serving.feedback import retrace as retracing
from serving.feedback.answered import MOST_REQUEST_BYTES, Answered, exposure_of
from serving.feedback.retrace import NO_PLACEMENT, NO_REQUEST, NOT_AN_EXPOSURE, OF_LOAD, main, retrace
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from tests.tills import till
from tillside.feedback.exposures import NOT_KEPT, encode_exposure
from tillside.feedback.segments import SegmentWriter

POLICY = """\
placements:
  product:
    behaviour: click
    sources: {{complement: 1, model: 1}}
    slots: 3
    explore: {explore}
    rules: {{age_limits: [{{category: drinks.wine, years: 18}}]}}
"""
ASKS = [
    {"session": [{"item_id": "phone"}]},
    {"session": [{"item_id": "coat"}, {"item_id": "phone"}], "shopper_id": "ann", "session_id": "visit", "age": 30},
    {"session": [{"item_id": "unheard of"}]},
    {"session": [{"item_id": "film"}], "k": 2, "exclude": ["case"]},
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return till(tmp_path_factory.mktemp("till") / "bundle")


def policy(folder, explore, name="policy.yaml", placement="product"):
    path = folder / name
    path.write_text(POLICY.format(explore=explore).replace("product", placement))
    return path


def logged(bundle, path, *, times=6, requests=1.0):
    """The exposures of some answers, as the server's log of them is written."""
    recommender = load_recommender(bundle, Limits(), policy=path)
    exposures = []
    for number in range(times):
        for ask in ASKS:
            request = decode_request(json.dumps(ask | {"placement": "product"}).encode(), Limits())
            answered = Answered(1.78e9 + number, request, "product", recommender.answer(request))
            exposures.append(exposure_of(answered, str.upper, requests=requests))
    return exposures


def written(folder, exposures):
    writer = SegmentWriter(folder / "exposures")
    writer.append([each if isinstance(each, bytes) else encode_exposure(each) for each in exposures])
    writer.close()
    return folder


@pytest.mark.parametrize("explore", ["{share: 0.5}", "{share: 0.7, of: slots, temperature: 3}"])
def test_the_policy_that_answered_finds_its_own_propensities(bundle, tmp_path, explore):
    """Known and unknown sessions, fewer slots and exclusions included; all in one batch."""
    path = policy(tmp_path, explore)
    exposures = logged(bundle, path)
    left = Counter()
    lines = list(retrace(written(tmp_path, exposures), load_recommender(bundle, Limits(), policy=path), left))
    assert [line.recommendation_id for line in lines] == [each.recommendation_id for each in exposures]
    for line, exposure in zip(lines, exposures, strict=True):
        assert line.chances == pytest.approx([slot.propensity for slot in exposure.slots])
        assert line.slots == len(exposure.slots)
        assert line.own
    assert any(chance < 1 for line in lines for chance in line.chances)
    assert not +left


def test_another_policy_s_probabilities_by_hand(bundle, tmp_path):
    """One that draws nothing shows its best for sure: 1 where the log's slots are those, 0 where they are not."""
    exposures = logged(bundle, policy(tmp_path, "{share: 1, temperature: 20}"), times=10)
    plain = load_recommender(bundle, Limits(), policy=policy(tmp_path, "null", "plain.yaml"))
    best = {}
    for ask in ASKS:
        answer = plain.answer(decode_request(json.dumps(ask | {"placement": "product"}).encode(), Limits())).answer
        best[ask["session"][-1]["item_id"], len(ask["session"])] = [item.item_id for item in answer.items]
    lines = list(retrace(written(tmp_path, exposures), plain, Counter()))
    firsts = Counter()
    for line, exposure in zip(lines, exposures, strict=True):
        session = json.loads(bytes(exposure.request))["session"]
        usual = best[session[-1]["item_id"], len(session)]
        shown = [slot.item for slot in exposure.slots]
        assert line.chances[0] == (shown[0] == usual[0])
        assert line.spread[0] == {usual[0]: 1.0}
        assert not line.own
        firsts[line.chances[0]] += 1
    assert set(firsts) == {0, 1}


def test_a_request_is_kept_without_keys_for_its_share_and_only_where_something_is_drawn(bundle, tmp_path):
    path = policy(tmp_path, "{share: 0.5}")
    kept = logged(bundle, path)
    assert (kept[1].shopper, kept[1].session) == ("ANN", "VISIT")
    assert json.loads(bytes(kept[1].request)) == {
        "session": [{"item_id": "coat"}, {"item_id": "phone"}],
        "placement": "product",
        "age": 30,
        "timestamp": 1_780_000_000_000,
    }
    assert b"request" not in encode_exposure(logged(bundle, path, times=1, requests=0.0)[0])
    halves = [bool(bytes(each.request)) for each in logged(bundle, path, times=40, requests=0.5)]
    assert 40 < sum(halves) < 120, "160 ids, each kept with probability .5: 80, give or take 6.3"
    plain = logged(bundle, policy(tmp_path, "null", "plain.yaml"), times=1)
    assert not any(bytes(each.request) for each in plain)


def test_a_long_request_is_not_kept(bundle, tmp_path):
    recommender = load_recommender(bundle, Limits(), policy=policy(tmp_path, "{share: 1}"))
    ask = {"session": [{"item_id": "phone"}] * 900, "placement": "product", "exclude": ["x" * 250] * 90}
    request = decode_request(json.dumps(ask).encode(), Limits())
    assert len(msgspec.json.encode(request)) > MOST_REQUEST_BYTES
    found = exposure_of(Answered(1.0, request, "product", recommender.answer(request)), str, requests=1.0)
    assert found.request == NOT_KEPT


def test_what_cannot_be_asked_again_is_counted(bundle, tmp_path, capfdbinary):
    path = policy(tmp_path, "{share: 1, temperature: 20}")
    good, *others = logged(bundle, path)
    drawn = next(each for each in others if any(slot.propensity < 1 for slot in each.slots))
    broken = [
        b"{]",
        encode_exposure(msgspec.structs.replace(drawn, request=NOT_KEPT)),
        encode_exposure(msgspec.structs.replace(drawn, reason="overload")),
        encode_exposure(msgspec.structs.replace(drawn, request=msgspec.Raw(b'{"session":[],"placement":"till"}'))),
        encode_exposure(msgspec.structs.replace(drawn, request=msgspec.Raw(b'{"session":3}'))),
    ]
    main([str(written(tmp_path, [good, *broken])), "--bundle", str(bundle), "--policy", str(path)])
    line, about = map(json.loads, capfdbinary.readouterr().out.splitlines())
    assert line["recommendation_id"] == good.recommendation_id
    assert about["left"] == {
        NOT_AN_EXPOSURE: 1,
        NO_REQUEST: 1,
        OF_LOAD: 1,
        NO_PLACEMENT: 1,
        retracing.OTHERWISE: 1,
    }


def test_a_mistake_is_a_sentence(bundle, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--bundle", str(bundle), "--policy", str(tmp_path / "none.yaml")])
    assert capsys.readouterr().err.startswith("error: ")
