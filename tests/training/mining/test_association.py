"""Association rules: by hand, and equal to what mlxtend makes of the same baskets by itself."""

import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.mining.test_itemsets import taken_of
from training.data.engine import open_engine
from training.mining.association import FIGURES, association_rules, least_sessions, refuse_form, write_rules
from training.mining.itemsets import frequent_sets

# of ten sessions 1 is taken in 4, 2 in 5, both in 3, 7 in 2, and 1 2 7 in 2
COUNTED = {(1,): 4, (2,): 5, (7,): 2, (1, 2): 3, (1, 7): 2, (2, 7): 2, (1, 2, 7): 2}


def test_the_figures_of_a_rule_by_hand():
    found = association_rules(COUNTED, sessions=10, confidence=0.6).to_dict("records")
    rules = {(each["antecedents"], each["consequents"]): each for each in found}
    rule = rules[(1,), (2,)]
    assert rule["sessions"] == 3
    # leverage .3 - .4 * .5; conviction (1 - .5) / (1 - .75)
    assert [rule[name] for name in FIGURES] == pytest.approx([0.4, 0.5, 0.3, 0.75, 1.5, 0.1, 2.0])
    assert rules[(7,), (1, 2)]["confidence"] == 1.0
    assert np.isinf(rules[(7,), (1, 2)]["conviction"])
    assert ((1,), (7,)) not in rules  # 2 of 4


def test_the_surest_stand_first_and_then_the_most_frequent():
    rules = association_rules(COUNTED, sessions=10, confidence=0.0)
    assert rules["confidence"].is_monotonic_decreasing
    assert rules["antecedents"].tolist()[:5] == [(1, 7), (2, 7), (7,), (7,), (7,)]
    assert len(rules) == 3 * 2 + 6  # three pairs and a set of three


def test_rules_are_those_that_mlxtend_finds_in_the_same_baskets():
    rng = np.random.default_rng(0)
    baskets = [set(rng.choice(12, rng.integers(1, 7), replace=False).tolist()) for _ in range(300)]
    with warnings.catch_warnings():
        from mlxtend import frequent_patterns, preprocessing

        warnings.simplefilter("ignore")
        encoder = preprocessing.TransactionEncoder()
        frame = pd.DataFrame(encoder.fit(baskets).transform(baskets), columns=encoder.columns_)
        sets = frequent_patterns.apriori(frame, min_support=0.03, use_colnames=True, max_len=4)
        theirs = frequent_patterns.association_rules(sets, len(baskets), metric="confidence", min_threshold=0.3)
    with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch)) as engine:
        counted = frequent_sets(engine, taken_of(engine, baskets), floor=least_sessions(0.03, sessions=300))
    ours = association_rules(counted, sessions=300, confidence=0.3)
    assert len(ours) == len(theirs) > 100
    key = ["antecedents", "consequents"]
    for side in key:
        theirs[side] = [tuple(sorted(each)) for each in theirs[side]]
    ours, theirs = ours.set_index(key).sort_index(), theirs.set_index(key).sort_index()
    assert ours.index.equals(theirs.index)
    np.testing.assert_allclose(ours[[*FIGURES]].to_numpy(), theirs[[*FIGURES]].to_numpy())


def test_a_log_without_a_pair_has_no_rules():
    rules = association_rules({(1,): 3}, sessions=5, confidence=0.1)
    assert (len(rules), rules.columns[0], rules.columns[3]) == (0, "antecedents", "antecedent support")


@pytest.mark.parametrize(
    ("support", "sessions", "least"), [(0.03, 300, 9), (0.001, 999, 1), (0.001, 1001, 2), (1, 7, 7)]
)
def test_a_support_is_at_least_so_many_sessions(support, sessions, least):
    assert least_sessions(support, sessions=sessions) == least


def test_a_table_names_items_in_both_forms(tmp_path):
    rules, names = association_rules({(0,): 2, (1,): 2, (0, 1): 2}, sessions=2, confidence=0.5), ["=a, b", "c"]
    write_rules(rules, names, tmp_path / "rules.csv")
    write_rules(rules, names, tmp_path / "new" / "rules.parquet")
    csv, parquet = pd.read_csv(tmp_path / "rules.csv"), pd.read_parquet(tmp_path / "new" / "rules.parquet")
    assert [json.loads(each) for each in csv["antecedents"]] == [["=a, b"], ["c"]]
    assert [list(each) for each in parquet["consequents"]] == [["c"], ["=a, b"]]
    assert csv["sessions"].tolist() == parquet["sessions"].tolist() == [2, 2]
    assert sorted(each.name for each in tmp_path.rglob("*") if each.is_file()) == ["rules.csv", "rules.parquet"]


def test_a_name_that_says_no_form_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^rules_out must end with \.csv or \.parquet, got 'rules\.txt'$"):
        refuse_form(tmp_path / "rules.txt")
