"""Files that ship are reached by their names; a file of the user's own by its path, as ever."""

from pathlib import Path

import pytest

from tillside.cli.shipped import existing_or_shipped, file_or_shipped, shipped_directory, shipped_names
from tillside.policy import read_policy

POLICIES = ["electronics", "live_fashion", "online_retail"]


def test_the_names_are_those_of_the_files() -> None:
    assert shipped_names("policy") == POLICIES
    assert shipped_names("compatibility") == ["electronics"]
    assert shipped_names("nothing") == []


@pytest.mark.parametrize("name", POLICIES)
def test_a_name_gives_the_file_that_ships_wherever_one_works(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()  # a folder is no file of that name
    path = file_or_shipped("policy", name)
    assert path == shipped_directory() / f"policy/{name}.yaml"
    assert read_policy(path).placements


def test_a_file_that_is_there_is_meant_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("electronics").touch()
    assert file_or_shipped("policy", "electronics") == Path("electronics")


@pytest.mark.parametrize("given", ["missing.yaml", "folder/electronics", "electronics.yml", "/nowhere/electronics"])
def test_what_looks_like_a_path_is_one_there_or_not(given: str) -> None:
    assert file_or_shipped("policy", given) == Path(given)


def test_an_unknown_name_is_answered_with_the_names() -> None:
    names = "electronics, live_fashion, online_retail"
    with pytest.raises(ValueError, match="policy must be") as refused:
        file_or_shipped("policy", "electronic")
    assert str(refused.value) == (
        f"policy must be a file or one of those that ship, {names}; got 'electronic'; did you mean electronics?"
    )
    with pytest.raises(ValueError, match=r"got 'xyzzy'$"):
        file_or_shipped("policy", "xyzzy")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("nope.yaml", ""),
        ("electronic.yaml", "; did you mean electronics?"),
        ("live-fashion.yml", "; did you mean live_fashion?"),
    ],
)
def test_a_file_that_must_be_there_and_is_not_is_answered_with_the_names_that_ship(
    given: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    allowed = "a file, or the name of one that ships: electronics, live_fashion, online_retail"
    with pytest.raises(ValueError, match="does not exist") as refused:
        existing_or_shipped("policy", given)
    assert str(refused.value) == f"policy {given} does not exist, seen from {tmp_path}; allowed: {allowed}{meant}"
    with pytest.raises(ValueError, match=f"policy {tmp_path} is a folder; allowed: a file, or the name"):
        existing_or_shipped("policy", tmp_path)
    (tmp_path / given).touch()
    assert existing_or_shipped("policy", given) == Path(given)
    assert existing_or_shipped("policy", "electronics").is_file()
