"""What fits what, as a document: nothing is lost on the way, and what is none of it is refused."""

import pytest

from tillside.fitting.rules import Kin, Rule, Side, Terms

MADE_FOR = Rule("made for", Side("tech.phone", "series"), Side("tech.case", "fits"), unknown="refused", strength=0.2)


def test_a_document_holds_all_of_it() -> None:
    terms = Terms((MADE_FOR, Rule("used with", Side("a"), Side("b"))), (Kin("tech.phone", "tech.case", 0.3, 2.0),))
    assert Terms.of_document(terms.document()) == terms


def test_a_rule_without_attributes_refuses_nothing() -> None:
    assert MADE_FOR.compares
    assert not Rule("used with", Side("tech.phone"), Side("tech.case")).compares


@pytest.mark.parametrize(
    "document", [[], {"rules": [{"name": "x"}]}, {"kin": [{"one": "a", "other": "b", "strength": 0}]}]
)
def test_another_document_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="`"):
        Terms.of_document(document)
