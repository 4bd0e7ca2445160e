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
