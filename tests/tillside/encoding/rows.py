"""Sessions as the tests of the encoding write them, encoded whole and live."""

from hypothesis import strategies as st

from tests.datasets import make_sessions
from tillside.encoding.batch import Batch
from tillside.encoding.live import encode_session
from tillside.encoding.sessions import encode_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.events import TIME_UNKNOWN

KNOWN = 4
EVENTS = st.tuples(
    st.integers(-1, KNOWN + 1),
    st.sampled_from(["click", "cart"]),
    st.sampled_from([TIME_UNKNOWN, 0, 999, 10**4, 10**9]),
)
SESSIONS = st.lists(st.lists(EVENTS, min_size=0, max_size=7), min_size=1, max_size=4)


def encode(rows, spec: EncodingSpec):
    sessions = make_sessions(rows)
    arrays = (sessions.items, sessions.behaviours, sessions.times, sessions.offsets)
    return sessions, encode_sessions(*arrays, spec=spec, known_items=KNOWN)


def live(row, spec: EncodingSpec) -> Batch:
    sessions = make_sessions([row])
    return encode_session(sessions.items, sessions.behaviours, sessions.times, spec=spec, known_items=KNOWN)


def lists(batch: Batch) -> list[list]:
    return [array.tolist() for array in (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B)]


def counts(batch: Batch) -> list[list]:
    return [array.tolist() for array in batch.counted(2)]
