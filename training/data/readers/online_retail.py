"""UCI Online Retail: invoices of a gift wholesaler; each invoice is a session, each of its lines a purchase.

Returns (negative quantity, or invoice number starting with C) and non-product lines (postage, bank charges, vouchers,
samples, corrections) are skipped, not rejected. A product code starts with five digits or DCGS, or is PADS.
"""

from typing import Final

import ibis.expr.types as ir

from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, in_order, publisher_behaviours, read_log
from training.data.parsing.publisher_files import read_events
from training.data.parsing.source_file import open_source
from training.data.parsing.text_tables import delimited
from training.data.parsing.values import number, words
from training.settings.data import OnlineRetailConfig

COLUMNS: Final = ("invoice", "stock_code", "quantity", "invoice_date", "unit_price", "customer_id")
PRODUCT: Final = r"^(\d{5}|DCGS|PADS$)"


@read_log.register
def read_online_retail_log(config: OnlineRetailConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table; product codes are case-insensitive."""
    behaviours = publisher_behaviours(config, allowed=("purchase",))
    source = open_source(config.path, engine.scratch)
    text = delimited(engine, source)
    text.need(*COLUMNS)
    events = read_events(engine, text, _raw, file=0, behaviours=behaviours, behaviour_map={})
    return Log(in_order(events), behaviours, [source])


def _raw(table: ir.Table) -> RawEvents:
    code = words(table.stock_code).upper()
    quantity = number(table.quantity)
    returned = words(table.invoice).startswith("C") | (quantity < 0)
    return RawEvents(
        session_id=table.invoice,
        user_id=table.customer_id,
        item_id=code,
        timestamp=table.invoice_date,
        timestamp_format="iso",
        price=table.unit_price,
        quantity=table.quantity,
        skip=[(returned.fill_null(False), "return"), (~code.re_search(PRODUCT).fill_null(True), "not a product")],
    )
