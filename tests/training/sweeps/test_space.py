"""A sweep's space: Hydra's grammar becomes what Optuna draws from, and what cannot be searched is one sentence."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from training.sweeps.space import read_space


def test_each_form_of_hydras_grammar_becomes_its_distribution():
    space = read_space(
        [
            "dataset=a shop",
            "model=small,sasrec",
            "model.dim=choice(16,32)",
            "seed=range(1,4)",
            "model.dropout=interval(0,0.5)",
            "model.layers=int(interval(1,4))",
            "optimizer.learning_rate=tag(log, interval(1e-4, 1e-2))",
        ]
    )
    assert space.fixed == ("dataset=a shop",)
    assert dict(space.searched) == {
        "model": CategoricalDistribution(("small", "sasrec")),
        "model.dim": CategoricalDistribution(("16", "32")),
        "seed": CategoricalDistribution(("1", "2", "3")),
        "model.dropout": FloatDistribution(0, 0.5),
        "model.layers": IntDistribution(1, 4),
        "optimizer.learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    }
    assert space.combinations is None


def test_the_last_of_a_key_counts_whether_it_varies_or_not():
    space = read_space(["model.dim=16,32", "seed=0", "model.dim=64", "seed=1,2"])
    assert space.fixed == ("model.dim=64",)
    assert list(space.searched) == ["seed"]


def test_a_grid_is_every_combination_the_last_key_fastest():
    space = read_space(["seed=0,1", "trainer=quick", "model.dim=16,32"])
    assert space.combinations == [
        {"seed": "0", "model.dim": "16"},
        {"seed": "0", "model.dim": "32"},
        {"seed": "1", "model.dim": "16"},
        {"seed": "1", "model.dim": "32"},
    ]
    assert space.overrides({"seed": "1", "model.dim": "32"}) == ["trainer=quick", "seed=1", "model.dim=32"]


def test_examples_show_every_choice_and_both_ends_of_a_range():
    space = read_space(["model.dim=16,32,64", "model.dropout=interval(0,0.5)"])
    assert space.examples() == [
        ["model.dim=16", "model.dropout=0.0"],
        ["model.dim=32", "model.dropout=0.0"],
        ["model.dim=64", "model.dropout=0.0"],
        ["model.dim=16", "model.dropout=0.5"],
    ]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "model.dropout=interval(0.5,0.1)",
            r"model\.dropout: the start of interval\(0\.5, 0\.1\) must be below its end",
        ),
        ("a=tag(log,interval(0,1))", r"must be above 0 and below its end"),
        ("model=glob(*)", r"model: .*allowed in a sweep: a,b, choice, range and interval"),
        ("seed=range(3,3)", r"seed=range\(3,3\) has no values"),
        ("model.dim=[", r"model\.dim=\[ cannot be read as an override"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(override, words):
    with pytest.raises(ValueError, match=words):
        read_space([override])
