"""What a broken bundle is refused with."""

from pathlib import Path

import pytest

from serving.bundles.loading import load_recommender
from serving.protocol.limits import Limits
from tests.bundles import about_tiny
from tillside.bundle import MANIFEST, seal


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        load_recommender(path, Limits())
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def resealed(bundle: Path) -> Path:
    (bundle / MANIFEST).unlink()
    seal(bundle, about_tiny())
    return bundle
