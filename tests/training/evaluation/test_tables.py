"""The printed tables of a metrics document hold its figures."""

from training.evaluation.tables import brief_table, metrics_table


def value(mean: float, half: float = 0.01) -> dict[str, float]:
    return {"value": mean, "low": mean - half, "high": mean + half}


def figures(mean: float) -> dict[str, object]:
    return {"cases": 1234, **{name: value(mean) for name in ("recall@5", "recall@20", "mrr@20", "ndcg@20")}}


def document() -> dict[str, object]:
    by_behaviour = {"click": figures(0.3), "purchase": figures(0.4)}
    return {
        "cases": 1234,
        "unseen_target_share": 0.0125,
        "new_target_share": 0.25,
        "systems": {"tillside": {"all": figures(0.5), "by_behaviour": by_behaviour, "openings": figures(0.2)}},
    }


def cells(said: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in said.splitlines() if line[:1] == "│"]


def test_every_slice_has_a_row_with_half_the_width_of_its_interval(capsys):
    metrics_table(document(), title="shop")
    said = capsys.readouterr().out
    assert said.splitlines()[0].strip() == "shop, 1,234 cases"
    expected = [("all", 0.5), ("click", 0.3), ("purchase", 0.4), ("openings", 0.2)]
    assert cells(said) == [["tillside", name, "1,234", *[f"{mean:.4f} ±0.0100"] * 4] for name, mean in expected]
    assert (
        "targets that are new, without an event before the test part: 25.0%; 1.2% cannot be ranked and stay as misses"
        in said
    )
    assert "purchase intent" not in said


def test_intent_and_the_questions_asked_are_told_where_they_were_judged(capsys):
    lost = {"mrr@20": value(0.2, half=0.1)}
    unsure = {"mrr@20": value(0.05, half=0.1)}
    row = {"cases": 9, "click": {"mrr@20": value(0.5)}, "cart": {"mrr@20": value(0.3), "lost": lost}}
    row |= {"purchase": {"mrr@20": value(0.45), "lost": unsure}}
    intent = {"auc": 0.75, "calibration_error": 0.0125, "base_rate": 0.5}
    intent["boosting"] = {"auc": 0.7, "calibration_error": 0.02}
    metrics_table(document() | {"intent": intent, "asked": {"look_ahead": {"click": row}}}, title="shop")
    said = capsys.readouterr().out
    assert "mrr@20 of look-ahead cases by question" in said
    assert cells(said)[-1] == ["click", "9", "0.5000 ±0.0100", "0.3000 ±0.0100*", "0.4500 ±0.0100"]
    assert "purchase intent: AUC 0.750, calibration error 0.0125, base rate 0.500" in said
    assert "gradient boosting on session features: AUC 0.700, calibration error 0.0200" in said


def test_intent_that_cannot_be_told_is_said_with_the_reason(capsys):
    brief_table(document() | {"intent_unknown": "no training session holds a purchase"}, title="shop")
    said = " ".join(capsys.readouterr().out.split())
    assert "purchase intent is unknown, and answers say null: no training session holds a purchase" in said


def test_the_summary_has_one_row_a_system_the_best_first(capsys):
    systems = {name: {"all": figures(mean), "by_behaviour": {}} for name, mean in (("popularity", 0.1), ("ours", 0.5))}
    brief_table(document() | {"systems": systems}, title="shop [1]")
    said = capsys.readouterr().out
    assert said.startswith("shop [1], 1,234 cases")
    assert cells(said) == [
        ["ours", "0.5000 ±0.0100", "0.5000 ±0.0100"],
        ["popularity", "0.1000 ±0.0100", "0.1000 ±0.0100"],
    ]
