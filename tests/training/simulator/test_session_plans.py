"""What a session wants before its first click, and the visits that follow a purchase."""

from tests.training.simulated import Shop
from tillside.events import SESSION_ID, TIMESTAMP, USER_ID


def test_later_visits_follow_a_purchase_of_the_same_shopper(shop: Shop) -> None:
    truth = shop.truth["intent"]
    follows = truth[truth["follows"].notna()]
    session = shop.events.groupby(SESSION_ID).agg(user=(USER_ID, "first"), begin=(TIMESTAMP, "min"))
    then, now = session.loc[follows["follows"]], session.loc[follows[SESSION_ID]]
    assert len(follows) > 100
    assert (then["user"].to_numpy() == now["user"].to_numpy()).all()
    assert (then["begin"].to_numpy() < now["begin"].to_numpy()).all()
