"""A run's description: its first line stands alone, and it stays below what MLflow keeps."""

from dataclasses import replace

from tillside.ranking import Interval
from training.review.champion import Champion
from training.review.description import (
    MOST_COMPARED,
    Made,
    champion_table,
    describe,
    first_sentence,
    rival_of,
)
from training.review.markdown import GAP, LIMIT
from training.review.run_page import metric_name


def value(mean: float, half: float = 0.01) -> dict[str, float]:
    return {"value": mean, "low": mean - half, "high": mean + half}


def system(mean: float) -> dict[str, object]:
    values = {"cases": 10, "recall@20": value(mean), "mrr@20": value(mean / 2), "ndcg@20": value(mean / 4)}
    return {"all": values, "by_behaviour": {"click": values}}


def document(digest: str = "a" * 64, **means: float) -> dict[str, object]:
    systems = {name.replace("_", "-"): system(mean) for name, mean in means.items()}
    return {"systems": systems, "dataset": {"name": "shop", "digest": digest, "test_digest": digest}}


MADE = Made("shop", "a" * 64, 1234, {"training": {"sessions": 5678, "events": 9}}, "a model")


def test_the_first_sentence_compares_with_the_best_baseline_where_there_is_no_champion():
    metrics = document(tillside=0.5, transformer=0.9, bundle=0.9, vmis_knn=0.47, popularity=0.1)
    assert first_sentence(metrics, MADE, None) == (
        "Trained on shop (5,678 sessions, 1,234 items that can be ranked): recall@20 is 0.5000 on the test part, "
        "above the best baseline, vmis-knn (0.4700); the intervals do not overlap."  # 0.49 against 0.48
    )
    assert "with nothing to compare it with." in first_sentence(document(tillside=0.5), MADE, None)


def test_the_first_sentence_compares_with_the_champion_only_on_the_same_data():
    metrics = document(tillside=0.5, popularity=0.1)
    same = Champion("tillside", "7", "run", document(tillside=0.51))
    sentence = first_sentence(metrics, MADE, same)
    assert sentence.endswith("below the champion, tillside version 7 (0.5100); the intervals overlap.")
    text = describe(metrics, MADE, same)
    assert text.splitlines()[0] == sentence
    assert "| all | champion (version 7) | 10 | 0.5100 [0.5000, 0.5200] |" in text.replace(GAP, "")
    other = Champion("tillside", "7", "run", document("b" * 64, tillside=0.51))
    text = describe(metrics, MADE, other)
    assert "above the best baseline, popularity (0.1000)" in text.splitlines()[0]
    assert f"tested on other data (digest {'b' * 12}, here {'a' * 12})" in text
    assert "| champion (version 7) |" not in text
    assert "has no metrics.json" in describe(metrics, MADE, Champion("tillside", "7", "run", None))


def test_a_gain_case_by_case_decides_the_first_sentence():
    """Intervals that overlap may hide a sure gain, and a gain that holds zero is none."""
    metrics, champion = (
        document(tillside=0.5, popularity=0.1),
        Champion("tillside", "7", "run", document(tillside=0.49)),
    )
    sentence = first_sentence(metrics, MADE, champion, Interval(0.01, 0.002, 0.018))
    assert sentence.endswith(
        "above the champion, tillside version 7 (0.4900): +0.0100 (+0.0020 to +0.0180) case by case."
    )
    assert "level with the champion" in first_sentence(metrics, MADE, champion, Interval(0.01, -0.002, 0.022))
    assert "below the champion" in first_sentence(metrics, MADE, champion, Interval(-0.01, -0.02, -0.001))
    assert rival_of(metrics, champion) == "champion (version 7)"
    assert metric_name("champion (version 7)") == "champion"
    assert "level with the parent, tillside version 7" in first_sentence(
        metrics, MADE, replace(champion, role="parent"), Interval(0.0, -0.1, 0.1)
    )
    assert rival_of(metrics, Champion("tillside", "7", "run", document("b" * 64, tillside=0.9))) == "popularity"


def test_of_many_behaviours_the_first_stand_beside_the_champion():
    part = {"cases": 3} | {
        name: {"champion": 0.5, "challenger": 0.25, "gain": {"value": -0.25, "low": -0.5, "high": 0.0}}
        for name in ("recall@20", "mrr@20")
    }
    table = champion_table({f"behaviour {number}": part for number in range(MOST_COMPARED + 3)}, "parent")
    lines = [line.replace(GAP, "") for line in table]
    assert lines[0] == "| asked for | cases | metric | parent | challenger | difference, paired 95 % |"
    assert len([line for line in lines if line.startswith("| behaviour")]) == 2 * MOST_COMPARED
    assert "| behaviour 0 | 3 | mrr@20 | 0.5000 | 0.2500 | -0.2500 (-0.5000 to +0.0000) |" in lines
    assert "3 more behaviours are left out here." in lines


def test_a_description_of_many_behaviours_stays_below_what_mlflow_keeps():
    metrics = document(tillside=0.5, popularity=0.1)
    for each in metrics["systems"].values():
        each["by_behaviour"] = {f"behaviour {number}": each["all"] for number in range(60)}
    text = describe(metrics, MADE, None)
    assert len(text) <= LIMIT
    kept = len({line for line in text.splitlines() if line.startswith("| behaviour") and "tillside" in line})
    assert 10 < kept < 60
    assert f"{60 - kept} more behaviours are in metrics.json." in text
    assert text.splitlines()[-1] == "- a model"


def test_intent_is_told_with_what_happened_or_with_why_it_is_not():
    intent = {"auc": 0.75, "auc_low": 0.7, "auc_high": 0.8, "calibration_error": 0.0125}
    intent |= {"mean_predicted": 0.21, "mean_observed": 0.2, "boosting": {"auc": 0.7}}
    text = describe(document(tillside=0.5) | {"intent": intent}, MADE, None, [])
    assert (
        "Purchase intent: AUC 0.7500, calibration error 0.0125, mean 0.2100 where 0.2000 happened; gradient boosting: "
        "AUC 0.7000." in text
    )
    unknown = {"no known item": {"cases": 2570, "mean_predicted": 0.75, "mean_observed": 0.74}}
    text = describe(document(tillside=0.5) | {"intent": intent | {"by_items": unknown}}, MADE, None, [])
    assert "happened; of 2,570 moments with no known item, mean 0.7500 where 0.7400 happened; gradient" in text
    text = describe(document(tillside=0.5) | {"intent": intent | {"auc_low": 0.49}}, MADE, None, [])
    assert "it does not tell shoppers apart (AUC 0.49 to 0.80)" in text
    text = describe(document(tillside=0.5) | {"intent_unknown": "no training session holds a purchase"}, MADE, None, [])
    assert "Purchase intent is unknown, and answers say null: no training session holds a purchase." in text
