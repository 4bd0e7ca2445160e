"""No shipped policy breaks a hard rule, as a checker sees it that shares no code with the product."""

import json
from pathlib import Path

import pytest

from benchmarks.hard_rules import POLICIES, STRICT, check, rows_of
from serving.bundles.loading import load_recommender
from serving.protocol.limits import Limits
from tests.tills import IDS, till
from tillside.policy import read_feed

ROWS = rows_of([*IDS, *(f"late-{number}" for number in range(60))], seed=4)
"""Facts of the till's items and of sixty that the feed alone has."""


@pytest.mark.parametrize("policy", [*(path.stem for path in POLICIES), "strict"])
def test_random_requests_break_no_hard_rule(tmp_path: Path, policy: str):
    """Each answered by the model and by the tiers below it."""
    text = STRICT if policy == "strict" else Path(f"configs/policy/{policy}.yaml").read_text(encoding="utf-8")
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    feed = read_feed("\n".join(map(json.dumps, ROWS)).encode())
    recommender = load_recommender(till(tmp_path / "bundle"), Limits(), policy=file, feed=feed)
    ids = [row["item_id"] for row in ROWS[1:]]
    assert check(recommender, ids, text, ROWS, count=80, seed=5) == {}
