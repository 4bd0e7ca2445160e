"""Logs that quality is measured on: how each is prepared, and what its cases are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchmarkLog:
    """A log to measure on.

    Attributes:
        title: of its table.
        prepare: arguments of ``training.prepare``; ``{data}`` is the folder of the logs, ``{work}`` the folder of this
            one's data set and runs.
        cases: what a case is, in a sentence or two.
        simulate: arguments of ``training.simulate``, which runs first, if the log is a simulated one.
    """

    title: str
    prepare: tuple[str, ...]
    cases: str
    simulate: tuple[str, ...] | None = None


EVERY_EVENT = "A case is an event after the first of a test session; the test part is the last tenth of the sessions."

LOGS = {
    "rees46": BenchmarkLog(
        "REES46, first hours of 2019-10-01",
        ("data=rees46", "data.path={data}/rees46_2019oct_head/events.csv.gz", "min_item_support=2"),
        EVERY_EVENT,
    ),
    "diginetica": BenchmarkLog(
        "Diginetica, the published split of SR-GNN and GCE-GNN",
        (
            "data=sessions_split",
            "data.train={data}/diginetica_gce/train_sessions.txt.gz",
            "data.test={data}/diginetica_gce/test_prefix_tab_target.txt.gz",
        ),
        "A case is a prefix and its next item, as published; items of the prefix are ranked like all others.",
    ),
    "beauty": BenchmarkLog(
        "Amazon Beauty in the version of S3-Rec, leave-one-out",
        (
            "data=sequences",
            "data.path={data}/amazon_beauty/sequences.txt.gz",
            "data.attributes={data}/amazon_beauty/item_attributes.json.gz",
        ),
        "A case is the last item of a user after all others; the one before it is for validation. No user has an item "
        "twice.",
    ),
    "online-retail": BenchmarkLog(
        "UCI Online Retail, a wholesaler's invoices",
        ("data=online_retail", "data.path={data}/online_retail/online_retail.csv.gz"),
        "An invoice is a session, every line of it a purchase; its lines share one timestamp and come in the order of "
        "the file. " + EVERY_EVENT + " So a case asks for the next line of an invoice, and half of the cases stand in "
        "the longest tenth of the invoices.",
    ),
    "completejourney": BenchmarkLog(
        "dunnhumby's Complete Journey, a grocer's year",
        (
            "data=events",
            "data.path={data}/completejourney/transactions.parquet",
            "data.columns.session_id=basket_id",
            "data.columns.user_id=household_id",
            "data.columns.item_id=product_id",
            "data.columns.timestamp=transaction_timestamp",
            "data.items={data}/completejourney/products.parquet",
            "data.item_columns.item_id=product_id",
            "data.item_columns.category=product_category",
            "data.behaviours=[purchase]",
        ),
        "A basket is a session of its household, every line of it a purchase; its lines share one timestamp and come "
        "in the order of the file. " + EVERY_EVENT + " So a case asks for the next line of a basket. Departments, "
        "categories, types, manufacturers and package sizes of the products are attributes.",
    ),
    "simulated": BenchmarkLog(
        "The simulated shop, default settings",
        ("data=events", "data.path={work}/shop/events.parquet", "data.items={work}/shop/items.parquet"),
        EVERY_EVENT,
        simulate=("out={work}/shop",),
    ),
    "trivago": BenchmarkLog(
        "Trivago, RecSys Challenge 2019: two days of hotel searches, a clickout as the purchase",
        (
            "data=events",
            "data.path={data}/trivago/trivago_val_100k.parquet",
            "data.columns.item_id=reference",
            "data.columns.behaviour=action_type",
            "data.behaviours=[click,purchase]",
            "data.behaviour_map={{interaction item image: click, interaction item info: click, interaction item rating:"
            " click, interaction item deals: click, search for item: click, clickout item: purchase, filter selection:"
            " null, search for destination: null, change of sort order: null, search for poi: null}}",
            "min_item_support=2",
        ),
        EVERY_EVENT,
    ),
}
