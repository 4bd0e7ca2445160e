"""What is typed is answered with how it is written, or with what was meant."""

import os
import shlex

import pytest

from training.cli.arguments import Known, check, datasets_here, parse, take_action, written
from training.cli.keys import Key

KNOWN = Known(
    "train",
    [
        Key("dataset", "text or null", "null", ""),
        Key("seed", "integer", "0", ""),
        Key("trainer.max_epochs", "integer or null", "null", ""),
        Key("trainer.precision", "name", "auto", "", ("auto", "fp32", "bf16")),
        Key("loss.softmax", "name", "auto", "", ("auto", "full", "sampled")),
        Key("data.behaviour_map", "anything", "null", ""),
        Key("baselines", "list of names", "[]", "", ("item_knn", "popularity")),
    ],
    [Key("data", "name of a group", "events", "", ("events", "rees46")), Key("trainer", "", "", "", ("quick",))],
)


def refused(*arguments: str, several: bool = False) -> str:
    with pytest.raises(ValueError) as caught:
        check(KNOWN, arguments, several=several)
    return str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["dataset=shop", "seed=3", "trainer=quick", "trainer.max_epochs=null"],
        ["data.behaviour_map.view=click", "data.behaviour_map={view: click, add: null}"],
        ["trainer={max_epochs: 3}", "baselines=[item_knn]", "+seed=1", "~seed"],
        ["--cfg", "job", "seed=1", "-m", "--info=all", "hydra.verbose=true", "hydra/launcher=basic"],
        ["dataset=C:\\logs\\shop", "dataset=my shop", "dataset=a-b_c.d/e"],
    ],
)
def test_what_is_written_well_passes(arguments):
    check(KNOWN, arguments, several=False)


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("trainer.max_epoch=3", "trainer.max_epochs"),
        ("max_epochs=3", "trainer.max_epochs"),
        ("max_epoch=3", "trainer.max_epochs"),
        ("loss.max_epochs=3", "trainer.max_epochs"),
        ("trianer.precision=fp32", "trainer.precision"),
        ("datset=shop", "dataset"),
        ("+sed=3", "seed"),
        ("data=rees64", "rees46"),
        ("trainer=quik", "quick"),
        ("loss.softmax=ful", "full"),
        ("trainer.precision=FP32", "fp32"),
        ("baselines=[item-knn]", "item_knn"),
        ("trainer={max_epoch: 3}", "trainer.max_epochs"),
        ("--multirn", "--multirun"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_one_that_was_meant(argument, meant):
    assert f"did you mean {meant}?" in refused(argument)


def test_a_name_like_no_other_is_answered_with_what_is_allowed_there():
    assert refused("zebra=1") == (
        "zebra is not a key of train; allowed here: baselines, data, dataset, loss, seed, trainer"
    )
    assert refused("trainer.zebra=1").endswith("; allowed here: max_epochs, precision")


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["--dataset", "shop"], "dataset=shop"),
        (["--dataset=shop"], "dataset=shop"),
        (["--datset", "shop"], "dataset=shop"),
        (["--max-epochs", "3"], "trainer.max_epochs=3"),
        (["dataset", "shop"], "dataset=shop"),
        (["dataset:", "shop"], "dataset=shop"),
        (["dataset:shop"], "dataset=shop"),
        (["dataset", "=", "shop"], "dataset=shop"),
        (["dataset", "=shop"], "dataset=shop"),
        (["dataset="[:-1]], "dataset=VALUE"),
        (["dataset=my", "shop"], "'dataset=my shop'"),
        (["dataset=a=b"], "'dataset=\"a=b\"'"),
        (["dataset=shop(1)"], "'dataset=\"shop(1)\"'"),
        (["dataset=a,b"], "'dataset=\"a,b\"'"),
        (['dataset=a"b'], '\'dataset="a\\"b"\''),
        (["dataset={a"], "'dataset=\"{a\"'"),
        (["'dataset=my"], '"dataset=DIR"'),
    ],
)
def test_another_way_of_writing_is_answered_with_the_right_one(arguments, right):
    assert right in refused(*arguments)


def test_a_path_alone_is_answered_with_its_key(tmp_path):
    (tmp_path / "dataset.json").touch()
    assert f"dataset={tmp_path}" in refused(str(tmp_path))


def test_several_values_are_for_a_sweep_alone():
    assert "-m" in refused("seed=1,2")
    check(KNOWN, ["seed=1,2", "loss.softmax=choice(full,sampled)"], several=True)


@pytest.mark.parametrize(
    "value", ["plain", "my shop", "a=b", "a,b", 'a"b', "a'b", "(x)", "C:\\x\\", "{a: 1}", "[x]", "a: b"]
)
def test_what_is_offered_is_read_back_as_the_same_value(value):
    """Through the shell's reading of quotes and then Hydra's."""
    [word] = shlex.split(written("dataset", value))
    assert str(parse(word).value()) == value


def test_data_sets_of_the_working_folder_are_found_the_newest_first(tmp_path):
    for time, name in enumerate(["demo/old", "new", "too/deep/down"], 1):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "dataset.json").touch()
        os.utime(tmp_path / name / "dataset.json", (time, time))
    assert [str(path) for path in datasets_here(tmp_path)] == ["new", "demo/old"]


def test_an_action_s_name_is_short_for_its_key():
    for typed, read in (
        (["plan", "out=x"], ["do=plan", "out=x"]),
        (["do=read"], ["do=read"]),
        (["--help"], ["--help"]),
        ([], []),
    ):
        take_action(typed, ["plan", "read"], of="experiments")
        assert typed == read


def test_another_word_is_answered_with_what_can_be_done():
    with pytest.raises(
        ValueError, match=r"'plam' is nothing to do with a policy; did you mean plan\?; there are plan, read"
    ):
        take_action(["plam"], ["plan", "read"], of="a policy")
