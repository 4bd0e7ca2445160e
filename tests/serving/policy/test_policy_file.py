"""The policy that a server answers by: the file it was given before the bundle's own, and its version."""

import hashlib
from pathlib import Path

import pytest

from serving.policy.policy_file import load_policy
from tests.bundles import tiny_bundle
from tests.tills import POLICY, till
from tillside.bundle import Bundle, open_bundle

OTHER = "placements: {home: {behaviour: click, sources: {popular: 1}}}"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(till(tmp_path_factory.mktemp("till") / "bundle"))


def test_the_file_given_comes_before_the_bundle_s_own(bundle: Bundle, tmp_path: Path) -> None:
    own = load_policy(bundle, None)
    assert own is not None
    assert (sorted(own.policy.placements), own.file) == (["checkout", "fashion", "product"], "policy.yaml")
    assert own.version == hashlib.sha256(POLICY.encode()).hexdigest()[:12]
    (tmp_path / "shop.yaml").write_text(OTHER, encoding="utf-8")
    given = load_policy(bundle, tmp_path / "shop.yaml")
    assert given is not None
    assert (list(given.policy.placements), given.file) == (["home"], "shop.yaml")
    assert given.version == hashlib.sha256(OTHER.encode()).hexdigest()[:12]


def test_without_either_there_is_none(tmp_path: Path) -> None:
    assert load_policy(open_bundle(tiny_bundle(tmp_path / "bundle")), None) is None


def test_mistakes_are_sentences(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    with pytest.raises(ValueError, match=r"policy .*shop\.yaml cannot be read"):
        load_policy(bundle, path)
    path.write_text(OTHER.replace("click", "like"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"shop\.yaml:1: .*got 'like'; allowed: click, cart, purchase"):
        load_policy(bundle, path)


def test_arms_lie_between_the_file_and_what_is_set_by_hand(bundle: Bundle, tmp_path: Path) -> None:
    """Two experiments in two layers make three policies beside the plain one; of one layer, nobody is in both."""
    one = "  slots:\n    arms: {a: {share: 0.5}, b: {share: 0.5, policy: {placements: {checkout: {slots: 1}}}}}\n"
    two = one.replace("slots:\n", "bundles:\n    layer: other\n").replace("slots: 1", "bundles: 0")
    (tmp_path / "trial.yaml").write_text(f"experiments:\n{one}{two}", encoding="utf-8")
    loaded = load_policy(bundle, None, experiments=tmp_path / "trial.yaml")
    assert loaded is not None
    assert list(loaded.arms) == [(("slots", "b"),), (("bundles", "b"),), (("slots", "b"), ("bundles", "b"))]
    both = loaded.arms[("slots", "b"), ("bundles", "b")].policy.placement("checkout")
    assert (both.slots, both.bundles, loaded.policy.placement("checkout").slots) == (1, 0, 2)
    assert len({loaded.version, *(each.version for each in loaded.arms.values())}) == 4


def test_experiments_that_cannot_be_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"experiments .*none\.yaml cannot be read"):
        load_policy(bundle, None, experiments=tmp_path / "none.yaml")
    text = "experiments:\n  a:\n    arms: {x: {share: 0.5}, y: {share: 0.5, policy: {placements: {new: {slots: 1}}}}}\n"
    (tmp_path / "trial.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"trial\.yaml:3: placements\.new\.sources: is missing"):
        load_policy(bundle, None, experiments=tmp_path / "trial.yaml")
    bare = open_bundle(tiny_bundle(tmp_path / "bundle"))
    with pytest.raises(ValueError, match="need a policy"):
        load_policy(bare, None, experiments=tmp_path / "trial.yaml")
    many = "".join(
        f"  e{n}:\n    layer: l{n}\n    arms: {{x: {{share: 0.5}}, y: {{share: 0.5, policy: {{}}}}}}\n"
        for n in range(9)
    )
    (tmp_path / "trial.yaml").write_text(f"experiments:\n{many}", encoding="utf-8")
    with pytest.raises(ValueError, match="more than 256 ways"):
        load_policy(bundle, None, experiments=tmp_path / "trial.yaml")
