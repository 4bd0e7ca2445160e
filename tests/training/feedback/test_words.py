"""Both languages say the same."""

import re

from training.feedback.words import CHINESE, ENGLISH


def test_every_word_stands_in_both_languages_with_the_same_gaps():
    assert set(ENGLISH) == set(CHINESE)
    for key, text in ENGLISH.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", CHINESE[key])), key


def test_no_word_is_markup():
    assert not [text for words in (ENGLISH, CHINESE) for text in words.values() if re.search("[<>&]", text)]
