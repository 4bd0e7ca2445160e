"""What was meant is what difflib finds among all names, found without comparing all, and for the first names only."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillside.policy.file.spelling import ALIKE, SEARCHED, STEPS, SUGGESTED, Spelling, Suggestions, same_part

MANY = [f"p-{number:06d}" for number in range(110_000)]
WORDS = st.text("abcñ-1\U0001f600", min_size=1, max_size=9)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The known names that are compared in full."""
    names: list[str] = []
    ratio = difflib.SequenceMatcher.ratio

    def noted(matcher: difflib.SequenceMatcher[str]) -> float:
        names.append(str(matcher.a))
        return ratio(matcher)

    monkeypatch.setattr(difflib.SequenceMatcher, "ratio", noted)
    return names


@given(st.sets(WORDS, min_size=1, max_size=30), WORDS)
def test_the_nearest_is_the_one_that_comparing_all_in_full_finds(known: set[str], name: str) -> None:
    assert Spelling(known).nearest(name) == next(iter(difflib.get_close_matches(name, known, 1, ALIKE)), None)


def test_case_is_no_difference_and_the_name_is_told_as_the_shop_writes_it() -> None:
    assert Spelling(["Aster", "Bellis"]).nearest("ASTRE") == "Aster"
    assert Spelling(["Aster"]).nearest("") is None
    assert Spelling([]).nearest("Aster") is None


def test_of_very_many_names_those_that_begin_alike_are_compared() -> None:
    assert len(MANY) > SEARCHED
    assert Spelling(MANY).nearest("p-0123O5") == "p-012395"  # of equals the last
    assert Spelling(MANY).nearest("P-0123O5") == "p-012395"
    assert Spelling(MANY).nearest("zebra") is None


def test_few_of_all_names_are_compared_in_full(compared: list[str]) -> None:
    names = [f"{word} {number}" for word in ("blue hat", "red sock", "wool scarf") for number in range(1000)]
    assert Spelling(names).nearest("wol scarf 7") == "wool scarf 7"
    assert len(compared) < 30


def test_names_that_are_all_alike_end_the_comparing_after_so_many_letters(compared: list[str]) -> None:
    names = [f"{'ab' * n}{'ba' * (25 - n)}{'ab' * m}{'ba' * (25 - m)}" for n in range(25) for m in range(25)]
    assert Spelling(names).nearest("ab" * 49 + "bb") in names
    assert len(compared) == -(-STEPS // 100**2) < len(set(names))


def test_a_name_of_any_length_and_any_letters_is_looked_up() -> None:
    spelling = Spelling([*MANY, "\udc80lone"])
    assert spelling.nearest("p" * 1_000_000) is None
    assert spelling.nearest("\udc80lane") == "\udc80lone"


def test_only_the_first_names_are_looked_up_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Spelling, "nearest", lambda _, name: asked.append(name))
    suggestions = Suggestions()
    for number in range(10_000):
        assert suggestions.meant("item", f"x{number % 5000}", MANY) == ""
    assert asked == [f"x{number}" for number in range(SUGGESTED)]


def test_a_kind_is_looked_up_among_its_own() -> None:
    suggestions = Suggestions()
    assert suggestions.meant("item", "hatt", ["hat"]) == "; did you mean hat?"
    assert suggestions.meant("brand", "hatt", ["Hatty"]) == "; did you mean Hatty?"
    assert suggestions.meant("item", "hatt", ["hat"]) == "; did you mean hat?"


ELECTRONICS = ["electronics", "electronics.phones", "electronics.phones.smartphone", "electronics.cases", "toys.dolls"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("phone", "electronics.phones"),  # the plural of it
        ("Phones", "electronics.phones"),
        ("tech.phone", "electronics.phones"),
        ("tech.mobile.smart-phones", "electronics.phones.smartphone"),  # the singular of it
        ("smart", "electronics.phones.smartphone"),  # contained in it
        ("electronics.phones.dolls", "toys.dolls"),
        ("el", None),  # too short to be looked for inside others
        ("electronics.", None),
        ("garden", None),
    ],
)
def test_a_category_is_meant_by_its_last_part_wherever_it_hangs(written: str, meant: str | None) -> None:
    assert same_part(written, ELECTRONICS) == same_part(written, ELECTRONICS[::-1]) == meant


def test_of_several_paths_that_end_alike_the_one_that_begins_alike_is_meant_then_the_shortest() -> None:
    paths = ["toys.phones", "tech.mobile.phone", "tech.phone", "tech.phone.smartphone"]
    assert same_part("tech.phones", paths) == "tech.phone"
    assert same_part("shop.phones", paths) == "tech.phone"  # as short as toys.phones, and the first of the alphabet
    assert same_part("tech.mobile.phones", paths) == "tech.mobile.phone"
    assert same_part("batteries", ["power.battery"]) == "power.battery"
    assert same_part("dress", ["fashion.dresses"]) == "fashion.dresses"
    assert same_part("手机", ["电器.智能手机"]) == "电器.智能手机"


def test_only_categories_have_parts_and_what_no_part_tells_the_spelling_does() -> None:
    suggestions = Suggestions()
    assert suggestions.meant("category", "tech.phone", ELECTRONICS) == "; did you mean electronics.phones?"
    assert suggestions.meant("category", "electronics.caess", ELECTRONICS) == "; did you mean electronics.cases?"
    assert suggestions.meant("item", "phone", ELECTRONICS) == ""
