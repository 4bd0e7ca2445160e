"""User sequences in the format of papers on sequential recommendation: per line a user, then items, oldest first.

Events are ordered but have no timestamps, so the only split is leave-one-out. A line is a session.
"""

import json
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from tillside.events import ITEM_ID, Behaviours
from training.data.columns import LINE, POSITION, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, canonical, in_order, read_log
from training.data.parsing.irregular import MALFORMED
from training.data.parsing.source_file import SourceFile, open_source
from training.data.parsing.text_tables import keep_rows, note_bad, text_lines
from training.settings.data import SequencesConfig

ATTRIBUTE: Final = "attribute"
"""Attribute name for the tokens of the attribute file."""
SEQUENCE_LINE: Final = r"^ *[^\t ]+( +[^\t ]+)+ *$"


@read_log.register
def read_sequences_log(config: SequencesConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table."""
    behaviours = Behaviours(tuple(config.behaviours))
    if len(behaviours) != 1:
        raise ValueError(f"data.behaviours must hold one name for a sequences log, got {config.behaviours}")
    sources = [open_source(config.path, engine.scratch)]
    lines = keep_rows(engine, text_lines(engine, sources[0]))
    sound = lines[LINE].re_search(SEQUENCE_LINE)
    bad = engine.arrays(lines.filter(~sound).order_by(RECORD), [RECORD])[RECORD]
    note_bad(sources[0], records=np.asarray(bad, np.int64), reasons=[MALFORMED] * len(bad))
    good = lines.filter(sound)
    words = good[LINE].split(" ").filter(lambda word: word != "")
    listed = good.select(RECORD, words=words)
    pairs = listed.select(
        RECORD, user=listed.words[0], pair=listed.words.zip(ibis.range(listed.words.length())).unnest()
    )
    pairs = pairs.filter(pairs.pair.f2 > 0)
    table = pairs.mutate(**{POSITION: pairs.pair.f2})
    raw = RawEvents(session_id=table[RECORD].cast("string"), user_id=table.user, item_id=table.pair.f1, timestamp=None)
    shaped = engine.keep(canonical(table, raw, file=0, behaviours=behaviours, behaviour_map={}))
    items = None
    if config.attributes is not None:
        sources.append(open_source(config.attributes, engine.scratch, field="data.attributes"))
        items = _attributes(engine, sources[1])
    return Log(in_order(shaped), behaviours, sources, items=items)


def _attributes(engine: QueryEngine, source: SourceFile) -> ir.Table:
    try:
        given = json.loads(source.plain.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"data.attributes: {source.path} is not JSON ({error})") from None
    if not isinstance(given, dict) or not given or not all(isinstance(values, list) for values in given.values()):
        raise ValueError(f"data.attributes: {source.path} must hold one JSON object of item to a list of attributes")
    source.rows = len(given)
    attributes = pa.array([[str(value) for value in values] for values in given.values()], pa.list_(pa.string()))
    return engine.keep(ibis.memtable(pa.table({ITEM_ID: pa.array([*given], pa.string()), ATTRIBUTE: attributes})))
