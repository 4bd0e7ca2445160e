"""What is written beside the log: the truth that no log tells."""

import pytest

from tests.training.simulated import Shop
from tillside.events import SESSION_ID


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
