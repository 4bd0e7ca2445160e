"""What all sources give, merged; the main source of all items at once is that of each alone."""

from typing import get_args

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tillside.policy.candidates import SOURCES, _merged
from tillside.policy.file.terms import SourceName

ITEMS = 6
ENTRIES = st.lists(
    st.tuples(st.integers(0, ITEMS - 1), st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from(range(len(SOURCES)))),
    max_size=30,
)


@given(ENTRIES)
def test_the_main_source_of_all_items_is_that_of_each(entries):
    made = [(np.array([item]), np.array([strength]), 1.0, source, -1) for item, strength, source in entries]
    found = _merged(made, np.ones(len(SOURCES)), frozenset(), ITEMS, odds=False)
    assert found.items_U.tolist() == sorted({item for item, _, _ in entries})
    mains = [found.main(row)[0] for row in range(len(found.items_U))]
    for source in get_args(SourceName):
        assert found.mainly(source).tolist() == [main == source for main in mains]
