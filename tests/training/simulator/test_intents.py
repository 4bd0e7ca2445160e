"""Latent intents: distributions, and arrays in one order."""

import numpy as np

from training.simulator import intents
from training.simulator.intents import INTENTS, Mode


def test_shares_and_modes_are_distributions() -> None:
    # 0.13 + 0.32 + 0.34 + 0.09 + 0.07 + 0.05 = 1
    assert intents.SHARES[-1] == 1.0 or abs(intents.SHARES[-1] - 1) < 1e-12
    np.testing.assert_allclose(intents.MODES[:, -1], 1)
    # decided: 0.18, + 0.36, + 0.11, + 0.07, + 0.16, + 0.12
    np.testing.assert_allclose(intents.MODES[intents.DECIDED], [0.18, 0.54, 0.65, 0.72, 0.88, 1.0])
    assert intents.MODES.shape == (len(INTENTS), len(Mode))
    assert (np.diff(intents.MODES, axis=1) > 0).all()


def test_every_array_is_in_the_order_of_the_names() -> None:
    for name in intents.NAMES:
        number = getattr(intents, name.upper())
        intent = INTENTS[number]
        assert intent.name == name
        logs = [np.exp(array[number]) for array in (intents.CART, intents.BUY, intents.LEAVE)]
        np.testing.assert_allclose(logs, [intent.cart, intent.buy, intent.leave])
        assert (intents.DIRECT[number], intents.GOES_WITH[number]) == (intent.direct, intent.goes_with)
    assert len(intents.REVISITS) == len(INTENTS)
