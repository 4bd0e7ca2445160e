"""What is wrong with a change that was made by hand, and what is odd about it, told against what the shop has."""

import re
from collections.abc import Sequence
from typing import Final

from serving.policy.assortment import Assortment
from serving.policy.policy_file import PUT_POLICY
from tillside.policy import ConflictError, ItemFacts
from tillside.policy.file.names import policy_mistakes, unknown_names
from tillside.policy.file.values import TermError, local_day
from tillside.policy.idle import idle_settings
from tillside.policy.merchandising import ByHand, known_names
from tillside.policy.needs import unmet_needs
from tillside.policy.row_remarks import row_remarks

MOST_MISTAKES: Final = 20
"""Unknown names that are told at once."""
IN_POLICY: Final = re.compile(rf"^{re.escape(PUT_POLICY)}:\d+: ")


def remarks_on(
    made: Assortment | None, by_hand: ByHand, changed: str | None, take_unknown: bool, *, now_ms: int
) -> list[str]:
    """What of the names in a revision the shop lacks, which of its rows do nothing today, and what the policy below
    them says in vain; of another policy, what it needs and will not find, too.

    Whatever was changed, the remarks are on the whole: a price may make a bundle dear that was set before.

    Raises:
        ConflictError: the changed field has such names, and they are not to be taken.
    """
    if made is None:
        return ["there is no policy, so nothing that is set by hand is shown; PUT /v1/policy brings one"]
    known = known_names(made.facts)
    told = [] if by_hand.policy is None else unknown_names(by_hand.policy, known, name=PUT_POLICY)
    rows = by_hand.mistakes(known, placements=made.loaded.policy.placements)
    own = told if changed == "policy" else [each for each in rows if each.startswith(f"{changed}[")]
    if own and changed and not take_unknown:
        raise ConflictError(_first(own), field=_field(own[0]))
    policy = made.loaded.policy
    rows += row_remarks(by_hand, policy, made.facts, day=local_day(now_ms, policy.utc_offset_hours))
    needs = (unmet_needs if changed == "policy" else idle_settings)(policy, made.facts, made.placed_relations)
    return [*told, *rows, *needs][:MOST_MISTAKES]


def refuse_policy(text: str, facts: ItemFacts, behaviours: Sequence[str], error: ValueError) -> None:
    """Tell all mistakes of a policy at once, those in names too.

    Args:
        facts, behaviours: what the shop has.
        error: those in the language, as they were found before.

    Raises:
        TermError: the policy has any; a ConflictError if those in the language are one.
    """
    found = policy_mistakes(text, known_names(facts), name=PUT_POLICY, behaviours=behaviours)
    if not found:
        return
    field, allowed = _field(found[0]), ""
    if isinstance(error, TermError) and found[0] == str(error).partition("\n")[0]:
        field, allowed = error.field, error.allowed
    kind = ConflictError if isinstance(error, ConflictError) else TermError
    raise kind(_first(found), field=field, allowed=allowed)


def _field(mistake: str) -> str:
    """Path of the field that a sentence on a name begins with, in a policy behind its line; none of a file's syntax."""
    path = IN_POLICY.sub("", mistake).partition(": ")[0]
    return "" if " " in path else path


def _first(mistakes: Sequence[str]) -> str:
    """The first mistakes, one a line, and how many more there are."""
    more = [f"and {len(mistakes) - MOST_MISTAKES} more"] if len(mistakes) > MOST_MISTAKES else []
    return "\n".join([*mistakes[:MOST_MISTAKES], *more])
