"""Names of runs say what they are."""

from datetime import UTC, datetime

from training.tracking.run_names import part_name, run_name

AT = datetime(2026, 11, 29, 22, 31, 59, tzinfo=UTC)


def test_a_name_is_data_set_model_and_date():
    assert run_name("rees46", "transformer", at=AT) == "rees46 transformer 2026-11-29 22:31"
    assert run_name("rees46", "retrained", at=AT) == "rees46 retrained 2026-11-29 22:31"


def test_without_a_moment_it_is_now():
    assert run_name("shop", "sweep").startswith("shop sweep 20")


def test_a_part_is_named_first_because_a_list_cuts_the_end():
    sweep = run_name("rees46", "sweep", at=AT)
    assert part_name("trial 3", sweep) == "trial 3 of rees46 sweep 2026-11-29 22:31"
