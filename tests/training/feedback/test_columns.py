"""The schemas hold what the joins need, whatever is written."""

from training.feedback.columns import JOINED_SCHEMAS, OUTCOMES, STAGED, STAGED_SCHEMAS, TABLES


def test_every_table_has_a_schema_with_a_day_and_a_time():
    assert set(STAGED_SCHEMAS) == set(STAGED)
    assert set(JOINED_SCHEMAS) == set(TABLES)
    assert all({"day", "time"} <= set(schema.names) for schema in (*STAGED_SCHEMAS.values(), *JOINED_SCHEMAS.values()))


def test_an_outcome_tells_what_off_policy_evaluation_needs():
    assert {"propensity", "position", "policy", "arm", "seen", "clicked", "revenue"} <= set(
        JOINED_SCHEMAS[OUTCOMES].names
    )
