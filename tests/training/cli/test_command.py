"""How a command starts: a typed config, and one sentence and exit code 2 for whatever is wrong with it."""

import sys

import pytest

import training.cli.command
from training.cli.command import command, refuse_no_feedback
from training.settings.evaluate import EvaluateConfig
from training.settings.export import ExportConfig
from training.settings.retrain import RetrainConfig
from training.settings.train import TrainConfig


class Started:
    """Runs a command in this process as if typed, and remembers what its body got."""

    def __init__(self, monkeypatch, capsys) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.config = None
        self.error: BaseException | None = None

    def body(self, config) -> float:
        self.config = config
        if self.error is not None:
            raise self.error
        return 0.5

    def __call__(self, *arguments: str, name: str = "train", schema: type = TrainConfig):
        self.monkeypatch.setattr(sys, "argv", [f"training.{name}", *arguments])
        command(name, schema)(self.body)()
        return self.config

    def refused(self, *arguments: str, **which) -> str:
        """The sentence on stderr."""
        with pytest.raises(SystemExit) as caught:
            self(*arguments, **which)
        assert caught.value.code == 2
        output = self.capsys.readouterr()
        assert output.out == ""
        lines = output.err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


@pytest.fixture
def start(monkeypatch, capsys, tmp_path) -> Started:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.chdir(tmp_path)
    return Started(monkeypatch, capsys)


def test_the_body_gets_the_dataclass_with_what_was_typed(start, tmp_path):
    config = start("dataset=shop", "model=small", "model.dropout=0.3", "loss=sampled", "trainer.precision=bf16")
    assert isinstance(config, TrainConfig)
    assert config.dataset == "shop"
    assert (config.model.dim, config.model.dropout) == (32, 0.3)
    assert (config.loss.softmax.value, config.loss.pool) == ("sampled", 1536)
    assert config.trainer.precision.value == "bf16"
    assert list(tmp_path.iterdir()) == []  # and Hydra leaves no folder of its own behind


def test_a_policy_is_given_by_its_path_although_a_folder_of_configs_has_its_name(start, tmp_path):
    (tmp_path / "configs" / "policy").mkdir(parents=True)
    (tmp_path / "configs" / "policy" / "electronics.yaml").touch()
    judged = start("run=r", "policy=configs/policy/electronics.yaml", "k=7", name="evaluate", schema=EvaluateConfig)
    assert (judged.run, judged.policy, judged.k) == ("r", "configs/policy/electronics.yaml", 7)
    assert start("run=r", "policy=null", name="evaluate", schema=EvaluateConfig).policy is None
    assert start("run=r", name="evaluate", schema=EvaluateConfig).policy is None
    assert "policy" in start.refused("dataset=shop", "policy=p.yaml")  # training has no such key


def test_a_key_may_be_a_word_of_python(start):
    words = ("from=models:/tillside@champion", "data=events", "data.path=log.csv")
    assert start(*words, name="retrain", schema=RetrainConfig).from_ == "models:/tillside@champion"
    said = start.refused("data=events", "data.path=log.csv", name="retrain", schema=RetrainConfig)
    assert said == "from must be given, as from=models:/NAME@champion"


def test_a_command_can_be_started_twice_in_one_process(start):
    assert start("seed=1").seed == 1
    assert start("seed=2").seed == 2
    assert start("run=a", "out=b", name="export", schema=ExportConfig).run == "a"


def test_a_mistyped_key_is_answered_with_what_is_allowed_there(start):
    sentence = start.refused("model.dmi=64")
    assert "dmi" in sentence
    settings = (
        "companions, dim, dropout, heads, history, id_dropout, item_dropout, layers, max_length, network, temperature"
    )
    assert f"allowed here: {settings}" in sentence
    sentence = start.refused("sed=1")
    assert "sed" in sentence
    assert "seed" in sentence.partition("allowed here: ")[2].split(", ")
    assert start.config is None


def test_a_mistyped_key_beside_a_group_is_answered_as_well(start):
    assert "allowed here: companions, dim, " in start.refused("model=small", "model.dmi=64", "trainer.patience=3")


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("model.dim=wide", ["model.dim", "wide", "Integer"]),
        ("model.dropout=high", ["model.dropout", "high", "Float"]),
        ("trainer.precision=fp8", ["trainer.precision", "fp8", "auto, fp32, bf16"]),
        ("export=perhaps", ["export", "perhaps"]),
        ("model.dim=null", ["model.dim"]),
        ("loss.pool={a: 1}", ["pool"]),
    ],
)
def test_a_value_of_the_wrong_type_is_named(start, argument, words):
    sentence = start.refused(argument)
    assert not [word for word in words if word not in sentence], sentence


def test_a_value_out_of_range_is_refused_by_its_dataclass(start):
    assert "model.dim must be a multiple of model.heads (5), got 96" in start.refused("model.heads=5")


def test_an_unknown_choice_is_answered_with_the_choices(start):
    sentence = start.refused("model=huge")
    assert "huge" in sentence
    assert "sasrec" in sentence
    assert "small" in sentence


@pytest.mark.parametrize("argument", ["+model.width=3", "++model.width=3", "+model={width: 3}"])
def test_an_added_key_that_nothing_reads_is_refused(start, argument):
    sentence = start.refused(argument)
    assert "width" in sentence
    assert "allowed here: companions, dim, dropout" in sentence


def test_an_added_key_at_the_top_is_refused(start):
    assert "verbose" in start.refused("+verbose=true")


def test_a_setting_that_must_be_given_is_named(start):
    sentence = start.refused("out=b", name="export", schema=ExportConfig)
    assert sentence == "run must be given, as run=RUN_ID, or run=latest for the newest"


@pytest.mark.parametrize("argument", ["model.dim", "=3", "model.dim=[", "seed=1,2"])
def test_an_argument_that_cannot_be_read_is_one_sentence(start, argument):
    start.refused(argument)


@pytest.mark.parametrize("error", [ValueError("the log is empty"), FileNotFoundError("the log is empty")])
def test_bad_input_found_by_the_body_is_one_sentence(start, error):
    start.error = error
    assert start.refused("seed=1") == "the log is empty"


def test_a_sentence_of_several_lines_becomes_one(start):
    start.error = ValueError("the log is\n  empty")
    assert start.refused("seed=1") == "the log is empty"


def test_an_error_of_ours_is_not_taken_for_bad_input(start, capsys):
    start.error = ZeroDivisionError("our mistake")
    with pytest.raises((ZeroDivisionError, SystemExit)) as caught:
        start("seed=1")
    if isinstance(caught.value, SystemExit):
        assert caught.value.code != 2
        assert "our mistake" in capsys.readouterr().err


def test_the_full_error_can_be_had(start, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    start.error = ValueError("the log is empty")
    with pytest.raises(ValueError, match="the log is empty"):
        start("seed=1")
    with pytest.raises(ValueError, match="dmi"):
        start("model.dmi=1")


def test_an_interrupted_command_says_so(start, capsys):
    start.error = KeyboardInterrupt()
    with pytest.raises(SystemExit) as caught:
        start("seed=1")
    assert caught.value.code == "interrupted"


def test_the_configs_of_the_checkout_are_found():
    assert (training.cli.command.config_directory() / "train.yaml").is_file()


def test_feedback_must_be_a_folder_and_of_a_topic_the_command_that_brings_it_is_named(tmp_path):
    refuse_no_feedback(str(tmp_path))
    with pytest.raises(ValueError, match=f"feedback: there is no folder {tmp_path}/none"):
        refuse_no_feedback(f"{tmp_path}/none")
    told = r"got kafka://h:1/events; python -m serving.feedback.fetch kafka://HOST:PORT/TOPIC"
    with pytest.raises(ValueError, match=told):
        refuse_no_feedback("kafka://h:1/events")
