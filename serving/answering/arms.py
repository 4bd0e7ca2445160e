"""Arms of experiments in the server: whom a request is from decides which policy answers it, or that none does.

Assignment is ``tillside.experiments``' own, without state, so every worker and every server gives a shopper the same
arm. Who is held out gets an answer without items, written down like any other: without it nobody could say later what
the recommendations were worth.
"""

from dataclasses import replace

from msgspec import UNSET, UnsetType, structs

from serving.answering.outcome import Outcome
from serving.answering.recommender import Recommender
from serving.policy.assortment import Assortment
from serving.protocol.messages import RecommendRequest
from tillside.experiments.assignment import NOT_ASSIGNED, Assignment, assign


def assigned(assortment: Assortment | None, request: RecommendRequest, *, now_ms: int) -> Assignment:
    """What the request's shopper is in, at the placement asked for.

    Args:
        now_ms: of the server; a shopper cannot choose the day by the request's own time.
    """
    experiments = None if assortment is None else assortment.loaded.experiments
    if experiments is None:
        return NOT_ASSIGNED
    return assign(
        experiments,
        shopper=_given(request.shopper_id),
        session=_given(request.session_id),
        placement=_given(request.placement),
        now_ms=now_ms,
    )


def chosen(recommender: Recommender, assignment: Assignment) -> tuple[Recommender, Assortment | None]:
    """The recommender and the assortment that answer an assignment: those of its arms' bundle and policy."""
    assortment = recommender.assortment
    if assortment is None or not assignment.arms:
        return recommender, assortment
    bundle = next((term.bundle for _, _, term in assignment.arms if term.bundle is not None), None)
    if bundle is not None:
        recommender, assortment = recommender.others[bundle], assortment.others[bundle]
    changing = tuple((name, arm) for name, arm, term in assignment.arms if term.policy is not None)
    return recommender, assortment.of_arms(changing) if changing else assortment


def marked(outcome: Outcome, assignment: Assignment) -> Outcome:
    """The outcome with its experiment and arm, for the shop and for the log; as it is where there are none."""
    experiment, arm = assignment.experiment, assignment.arm
    if experiment is None or arm is None:
        return outcome
    return replace(outcome, answer=structs.replace(outcome.answer, experiment=experiment, arm=arm))


def _given(value: str | UnsetType) -> str | None:
    return None if value is UNSET else value
