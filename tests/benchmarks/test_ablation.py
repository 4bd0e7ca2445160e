"""The ablation's figures by hand; its variants are commands that compose."""

import pytest

import training.train  # noqa: F401 (registers the schema)
from benchmarks.ablation import FIGURES, OPENINGS, VARIANTS, rows_of
from training.cli.command import check_overrides


def test_a_row_is_the_mean_over_seeds_with_one_standard_deviation() -> None:
    # .2 and .4: mean .3, deviations .1 each, sample variance (.01 + .01) / 1, standard deviation .1414
    rows = rows_of("shop", "full", [dict.fromkeys(FIGURES, 0.2), dict.fromkeys(FIGURES, 0.4)])
    assert [row["metric"] for row in rows] == list(FIGURES)
    assert rows[0] | {"low": 0, "high": 0} == {
        "log": "shop",
        "system": "full",
        "metric": "val/mrr@20",
        "value": pytest.approx(0.3),
        "seeds": 2,
        "low": 0,
        "high": 0,
    }
    assert (rows[0]["low"], rows[0]["high"]) == (pytest.approx(0.3 - 0.1414, abs=1e-4), pytest.approx(0.4414, abs=1e-4))


def test_one_seed_has_no_deviation() -> None:
    assert "low" not in rows_of("shop", "full", [dict.fromkeys(FIGURES, 0.2)])[0]


def test_openings_stand_where_a_variant_has_them() -> None:
    rows = rows_of("shop", "history", [dict.fromkeys([*FIGURES, *OPENINGS], 0.2)])
    assert [row["metric"] for row in rows] == [*FIGURES, *OPENINGS]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_a_setting_that_exists(variant: str) -> None:
    check_overrides("train", list(VARIANTS[variant]))
