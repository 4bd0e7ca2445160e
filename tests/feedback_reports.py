"""A report made by hand, whose every text is hostile."""

import pyarrow as pa

from training.feedback.report import Report

HOSTILE = "<img src=//evil.example/x onerror=alert(1)>"


def effect(dimension, value, metric, estimate, low=None, high=None):
    return {
        "dimension": dimension, "value": value, "metric": metric, "subjects": 9, "above": 1.0, "below": 10.0,
        "estimate": estimate, "low": low, "high": high,
    }  # fmt: skip


def hand_made() -> Report:
    effects = [
        effect("all", "all", "click_rate", 0.1, 0.05, 0.2), effect("placement", HOSTILE, "click_rate", 0.1, 0.05, 0.2),
        effect("placement", "cart", "click_rate", 0.2), effect("placement", "cart", "add_rate", 0.2),
        effect("day", "2026-01-01", "click_rate", 0.1, 0.0, 0.2), effect("day", "2026-01-03", "click_rate",
        0.3, 0.2, 0.4),
    ]  # fmt: skip
    lift = {
        "experiment": HOSTILE, "who": "shoppers", "arm": HOSTILE, "reference": "holdout",
        "metric": "revenue_per_shopper",
        "subjects": 5, "reference_subjects": 5, "value": 20.0, "reference_value": 10.0, "difference": 10.0, "low": 5.0,
        "high": 15.0, "relative": 1.0, "relative_low": 0.5, "relative_high": 1.5, "moved_subjects": 2,
    }  # fmt: skip
    pair = {"placement": HOSTILE, "source": HOSTILE, "anchor": HOSTILE, "item": HOSTILE, "seen": 100, "clicks": 3}
    pair |= {name: 0.5 for rate in ("click_rate", "conversion") for name in (rate, f"usual_{rate}")}
    pair |= {"revenue": 10.0, "diagnosis": "display or item; annoys"}
    attached = {
        "anchor": HOSTILE, "other": "case", "orders": 5, "attach_rate": 0.5, "low": 0.2, "high": 0.8, "lift": 2.0,
        "trend": "rising",
    }  # fmt: skip
    seller = {"category": HOSTILE, "rank": 1, "item": "case", "quantity": 5, "revenue": 9.0, "with_tillside": 0.5}
    bundle = {"first": HOSTILE, "second": "case", "orders": 5, "lift": 2.0, "revenue": 9.0}
    gift = {"gift": HOSTILE, "full": "case", "taken": 0, "followed": 0, "share": None, "low": None, "high": None}
    order = effect("orders", "with", "order_value", 20.0, 15.0, 25.0)
    rows = {
        "effects": effects, "order_value": [order], "lift": [lift], "pairs": [pair], "best_sellers": [seller],
        "sold_together": [attached], "category_pairs": [attached], "bundles": [bundle], "gifts": [gift],
    }  # fmt: skip
    counts = dict.fromkeys(("slots", "seen", "clicked", "answers", "shoppers", "orders"), 1234)
    tables = {name: pa.Table.from_pylist(each) for name, each in rows.items()}
    return Report(tables, True, False, ("2026-01-01", "2026-01-03"), {"case": HOSTILE}, counts)
