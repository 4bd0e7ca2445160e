"""Pre-split train and test files in the format of papers on session-based recommendation.

A train line is a session of space-separated items, oldest first; a test line is one evaluation case: prefix, tab,
target item. Events are ordered but have no timestamps. A test line becomes a test session with only its last item as
target.
"""

import ibis
import ibis.expr.types as ir
import numpy as np

from tillside.events import Behaviours
from training.data.columns import LINE, POSITION, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, canonical, in_order, read_log
from training.data.parsing.irregular import MALFORMED
from training.data.parsing.source_file import open_source
from training.data.parsing.text_tables import keep_rows, note_bad, text_lines
from training.settings.data import SessionsSplitConfig

TEST_LINE = r"^[^\t]*[^\t ][^\t]*\t *[^\t ]+ *$"
TRAIN_LINE = r"^[^\t]+$"


@read_log.register
def read_sessions_split_log(config: SessionsSplitConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table with PART."""
    behaviours = Behaviours(tuple(config.behaviours))
    if len(behaviours) != 1:
        raise ValueError(f"data.behaviours must hold one name for a sessions_split log, got {config.behaviours}")
    sources = [
        open_source(config.train, engine.scratch, field="data.train"),
        open_source(config.test, engine.scratch, field="data.test"),
    ]
    tables: list[ir.Table] = []
    for file, (source, pattern, part) in enumerate(zip(sources, (TRAIN_LINE, TEST_LINE), (0, 2), strict=True)):
        lines = keep_rows(engine, text_lines(engine, source))
        bad = engine.arrays(lines.filter(~lines[LINE].re_search(pattern)).order_by(RECORD), [RECORD])[RECORD]
        note_bad(source, records=np.asarray(bad, np.int64), reasons=[MALFORMED] * len(bad))
        good = lines.filter(lines[LINE].re_search(pattern))
        items = good[LINE].replace("\t", " ").split(" ").filter(lambda word: word.strip() != "")
        listed = good.select(RECORD, items=items)
        pairs = listed.select(RECORD, pair=listed.items.zip(ibis.range(listed.items.length())).unnest())
        table = pairs.mutate(**{POSITION: pairs.pair.f2})
        raw = RawEvents(
            session_id=ibis.literal(f"{file}-") + table[RECORD].cast("string"),
            item_id=table.pair.f1,
            timestamp=None,
            part=ibis.literal(part),
        )
        shaped = canonical(table, raw, file=file, behaviours=behaviours, behaviour_map={})
        tables.append(engine.keep(shaped))
    return Log(in_order(*tables), behaviours, sources)
