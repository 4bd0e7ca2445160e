"""A command's config: its keys and groups as composed, and one sentence for what is missing."""

import pytest

import training.cli.command
import training.prepare
import training.retrain  # noqa: F401
from training.cli.compose import composed, groups, keys, located, must_be_given, sentence, without_files


def test_keys_are_those_of_the_chosen_group_with_its_values():
    names = {key.name: key.default for key in keys(composed("prepare", ["data=yoochoose"]))}
    assert names["data.behaviours"] == "[click,purchase]"
    assert names["data.path"] is None
    assert "data.columns.item_id" not in names
    assert "data.columns.item_id" in {key.name for key in keys(composed("prepare", []))}


def test_a_key_that_is_a_word_of_python_is_typed_without_its_underscore():
    assert "from" in {key.name for key in keys(composed("retrain", []))}


def test_groups_are_those_of_the_command_with_its_own_choice():
    assert {group.name: group.default for group in groups("retrain")} == {
        "data": "events", "loss": "auto", "trainer": "default",
    }  # fmt: skip
    assert [group.name for group in groups("prepare")] == ["data"]


def test_a_missing_key_says_how_it_is_given():
    assert must_be_given("dataset") == "dataset must be given, as dataset=DIR"
    assert must_be_given("data.path") == "data.path must be given, as data.path=FILE"
    assert must_be_given("run") == "run must be given, as run=RUN_ID, or run=latest for the newest"


def test_files_bypass_hydra_and_may_be_shipped_ones():
    assert without_files(["policy=a.yaml", "k=3", "from=x"]) == (["k=3", "from_=x"], {"policy": "a.yaml"})
    found = located({"policy": "electronics", "rules": None})
    assert str(found["policy"]).endswith("policy/electronics.yaml")
    assert found["rules"] is None
    with pytest.raises(ValueError, match=r"policy nope.yaml does not exist, .* electronics, .*"):
        located({"before": "nope.yaml"})


def test_a_sentence_leaves_out_what_is_for_developers():
    with pytest.raises(ValueError) as caught:
        composed("prepare", ["seed=few"])
    assert "full_key" not in str(caught.value)
    assert sentence(ValueError("two\n  lines")) == "two lines"
    assert (
        sentence(FileNotFoundError(2, "No such file or directory", "feed.jsonl"))
        == "feed.jsonl: no such file or directory"
    )
