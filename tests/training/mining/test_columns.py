"""The columns of mining's tables: distinct, and accepted by the engine as they are."""

import numpy as np

from training.data.engine import open_engine
from training.mining import columns

NAMES = [value for name, value in vars(columns).items() if name.isupper()]


def test_a_table_may_have_all_columns_at_once(tmp_path):
    """No two are one for SQL, which takes upper and lower case for the same, and none needs quotes of ours."""
    assert len({name.lower() for name in NAMES}) == len(NAMES) > 9
    with open_engine(tmp_path) as engine:
        table = engine.given({name: np.array([place]) for place, name in enumerate(NAMES)})
        kept = engine.keep(table.mutate(**{name: table[name] + 1 for name in NAMES}).order_by(NAMES))
        found = engine.arrays(kept, NAMES)
    assert {name: array.tolist() for name, array in found.items()} == {n: [p + 1] for p, n in enumerate(NAMES)}
