"""The page of effects: one HTML file without scripts and without anything from elsewhere, in English or Chinese.

All that comes from the shop (ids, names, arms) is escaped where it is put in.
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from training.cli.foreign_text import on_terminal
from training.feedback.charts import Bar, bars, forest, line
from training.feedback.effects import DIMENSIONS
from training.feedback.lift import GUARDRAIL
from training.feedback.pairs import weak_pairs
from training.feedback.report import Report, figure
from training.feedback.words import WORDS
from training.settings.effects import EffectsConfig
from training.settings.measure import Language

STYLE: Final = """
body{font:14px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;color:#1c2733;max-width:860px;margin:2rem auto;
padding:0 1rem}
h1{font-size:24px}h2{font-size:18px;margin-top:2.2rem;border-bottom:1px solid #e3e7eb}
h3{font-size:14px;margin:1rem 0 .2rem}p{color:#55606b;margin:.3rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0;width:100%}
td,th{padding:3px 8px;border-bottom:1px solid #e3e7eb;text-align:left;overflow-wrap:break-word;vertical-align:top}
td{max-width:18rem}th{color:#55606b;font-weight:600;vertical-align:bottom}td.n,th.n{text-align:right}
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
.cards{display:flex;flex-wrap:wrap;gap:10px}.card{border:1px solid #e3e7eb;border-radius:8px;padding:8px 14px;
min-width:110px}.card b{display:block;font-size:20px}.card i{color:#55606b;font-style:normal;font-size:12px}
svg{max-width:100%;height:auto;font:12px system-ui,'Noto Sans CJK SC',sans-serif}
svg text{fill:#1c2733}svg .figure{fill:#55606b}
"""
CHARTED: Final = ("click_rate", "conversion")
BY_DAY: Final = ("click_rate", "revenue_per_1000")
GLANCE: Final = ("click_rate", "add_rate", "conversion", "dismiss_rate", "bounce_rate", "attach_rate")
MOST_VALUES: Final = 20
MONEY: Final = ("revenue_per_1000", "margin_per_1000", "order_value", "revenue_per_shopper")
PLAIN: Final = ("lines_per_order", "orders_per_shopper")


def page(report: Report, config: EffectsConfig, language: Language) -> str:
    """The page as text."""
    words = WORDS[language]
    parts = [f"<h1>{words['title']}</h1>"]
    if report.days is None:
        parts.append(_note(words["nothing"]))
    else:
        parts.append(_note(words["span"].format(first=report.days[0], last=report.days[1])))
        parts += _glance(report, words, config)
        parts += _lift(report, words, config)
        parts += _dimensions(report, words)
        parts += _orders(report, words)
        parts += _pairs(report, words, config)
        parts += _baskets(report, words, config)
    lang = {"en": "en", "zh": "zh-CN"}[language.value]
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{words["title"]}</title><style>{STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _glance(report: Report, words: Mapping[str, str], config: EffectsConfig) -> list[str]:
    cards = [(words[name], f"{report.counts[name]:,}") for name in ("answers", "seen", "shoppers", "orders")]
    for name in GLANCE:
        row = figure(report.tables["effects"], name) or figure(report.tables["order_value"], name)
        if row is not None:
            cards.append((words[name], shown(name, row["estimate"])))
    drawn = "".join(f'<div class="card"><b>{value}</b><i>{name}</i></div>' for name, value in cards)
    notes = [words["intervals"].format(confidence=f"{config.confidence:.4g}".replace("0.95", "95 %"))]
    notes += [words["unseen"]] * (not report.seen_is_told) + [words["no_costs"]] * (not report.margin_known)
    return [f"<h2>{words['glance']}</h2>", f'<div class="cards">{drawn}</div>', *map(_note, notes)]


def _lift(report: Report, words: Mapping[str, str], config: EffectsConfig) -> list[str]:
    rows = report.tables["lift"].to_pylist()
    parts = [f"<h2>{words['lift']}</h2>"]
    if not rows:
        return [*parts, _note(words["no_lift"])]
    for key in dict.fromkeys((row["experiment"], row["who"]) for row in rows):
        own = [row for row in rows if (row["experiment"], row["who"]) == key]
        parts.append(f"<h3>{safe(key[0])} · {words[key[1]]}</h3>")
        moved = f"{own[0]['moved_subjects']:,}"
        parts.append(_note(words["lift_note"].format(reference=own[0]["reference"], moved=moved)))
        parts.append(forest([_relative(row, words) for row in own if row["relative"] is not None], title=words["lift"]))
        columns: list[Column] = [
            ("arm", lambda row: row["arm"]), ("metric", lambda row: words[row["metric"]]),
            ("n:value", lambda row: shown(row["metric"], row["value"])),
            ("n:reference", lambda row: shown(row["metric"], row["reference_value"])),
            ("n:interval", lambda row: _between(row["metric"], row, sign=True)),
        ]  # fmt: skip
        parts.append(_table(own, columns, words))
        fell = [row["arm"] for row in own if row["metric"] == GUARDRAIL and row["high"] is not None and row["high"] < 0]
        parts += [_note(words["main_item_fell"].format(arm=arm)) for arm in fell]
    return parts


def _relative(row: Mapping[str, Any], words: Mapping[str, str]) -> Bar:
    text = f"{row['relative']:+.1%} ({row['relative_low']:+.1%}, {row['relative_high']:+.1%})"
    return Bar(
        f"{row['arm']}: {words[row['metric']]}", row["relative"], row["relative_low"], row["relative_high"], text
    )


def _dimensions(report: Report, words: Mapping[str, str]) -> list[str]:
    rows = report.tables["effects"].to_pylist()
    parts = []
    for dimension in DIMENSIONS:
        own = [row for row in rows if row["dimension"] == dimension]
        values = sorted({row["value"] for row in own}, key=_in_order)
        if dimension == "day":
            parts += [f"<h2>{words['by'].format(dimension=words['day'])}</h2>"]
            for metric in BY_DAY:
                parts += [f"<h3>{words[metric]}</h3>", line(_bars(own, metric, values), title=words[metric])]
        elif len({row["value"] for row in own if row["metric"] in CHARTED}) > 1:  # one bar compares nothing
            parts += [f"<h2>{words['by'].format(dimension=words[dimension])}</h2>", _note(words["description"])]
            for metric in CHARTED:
                drawn = _bars(own, metric, values)[:MOST_VALUES]
                parts += [f"<h3>{words[metric]}</h3>", bars(drawn, title=words[metric])]
            parts.append(_wide(own, values[:MOST_VALUES], words))
    return parts


def _in_order(value: str) -> tuple[bool, int, str]:
    """Numbers by size, then words."""
    number = value.isascii() and value.isdigit()
    return not number, int(value) if number else 0, value


def _bars(rows: Sequence[Mapping[str, Any]], metric: str, values: Sequence[str]) -> list[Bar]:
    """Bars by value, each with what it is a share of; a curve of days has no room for that."""
    found = {row["value"]: row for row in rows if row["metric"] == metric}
    drawn = []
    for row in (found[value] for value in values if value in found):
        text = shown(metric, row["estimate"])
        if row["dimension"] != "day":
            text += f"  ({row['below']:,.0f})"
        drawn.append(Bar(row["value"], row["estimate"], row["low"], row["high"], text))
    return drawn


def _wide(rows: Sequence[Mapping[str, Any]], values: Sequence[str], words: Mapping[str, str]) -> str:
    """A row a value, a column a metric."""
    metrics = [name for name in dict.fromkeys(row["metric"] for row in rows) if name not in CHARTED]
    cells = {(row["value"], row["metric"]): shown(row["metric"], row["estimate"]) for row in rows}
    columns: list[Column] = [("value", lambda value: value)]
    columns += [(f"n:{name}", lambda value, name=name: cells.get((value, name), "")) for name in metrics]
    return _table(values, columns, words)


def _orders(report: Report, words: Mapping[str, str]) -> list[str]:
    rows = [row for row in report.tables["order_value"].to_pylist() if row["dimension"] == "orders"]
    drawn = [
        Bar(words[row["value"]], row["estimate"], row["low"], row["high"], _between(row["metric"], row))
        for row in rows
        if row["metric"] == "order_value"
    ]
    title = words["order_value_by"]
    return [f"<h2>{title}</h2>", _note(words["order_note"]), bars(drawn, title=title)]


def _pairs(report: Report, words: Mapping[str, str], config: EffectsConfig) -> list[str]:
    names = report.names
    base: list[Column] = [
        ("anchor", lambda row: _named(row["anchor"], names)), ("item", lambda row: _named(row["item"], names)),
        ("placement", lambda row: row["placement"]), ("source", lambda row: row["source"]),
        ("n:seen", lambda row: f"{row['seen']:,}"), ("n:click_rate", lambda row: _judged("click_rate", row)),
        ("n:clicks", lambda row: f"{row['clicks']:,}"), ("n:conversion", lambda row: _judged("conversion", row)),
    ]  # fmt: skip
    ill: Column = (
        "diagnosis",
        lambda row: "; ".join(words[each] for each in row["diagnosis"].split("; ")),
    )
    best = [row for row in report.tables["pairs"].slice(0, config.shown).to_pylist() if row["revenue"] > 0]
    weak = weak_pairs(report.tables["pairs"])[: config.shown]
    money: Column = ("n:revenue", lambda row: f"{row['revenue']:,.2f}")
    return [
        f"<h2>{words['weak']}</h2>", _note(words["weak_note"].format(share=f"{config.weak_share:.0%}")),
        _table(weak, [*base, ill], words), f"<h2>{words['best']}</h2>", _table(best, [*base, money], words),
    ]  # fmt: skip


def _judged(name: str, row: Mapping[str, Any]) -> str:
    return "" if row[name] is None else f"{row[name]:.1%} / {row[f'usual_{name}']:.1%}"


def _baskets(report: Report, words: Mapping[str, str], config: EffectsConfig) -> list[str]:
    names, shown_rows = report.names, config.shown
    attached: list[Column] = [
        ("anchor", lambda row: _named(row["anchor"], names)), ("item", lambda row: _named(row["other"], names)),
        ("n:orders_both", lambda row: f"{row['orders']:,}"),
        ("n:attach_rate", lambda row: f"{row['attach_rate']:.1%}"),
        ("n:interval", lambda row: f"{row['low']:.1%}, {row['high']:.1%}"),
        ("n:lift_column", lambda row: f"{row['lift']:.2f}"), ("trend", lambda row: words[row["trend"]]),
    ]  # fmt: skip
    sellers: list[Column] = [
        ("category", lambda row: row["category"]), ("n:rank", lambda row: str(row["rank"])),
        ("item", lambda row: _named(row["item"], names)), ("n:quantity", lambda row: f"{row['quantity']:,}"),
        ("n:revenue", lambda row: f"{row['revenue']:,.2f}"),
        ("n:with_tillside", lambda row: f"{row['with_tillside']:.0%}"),
    ]  # fmt: skip
    sets: list[Column] = [
        ("first", lambda row: _named(row["first"], names)), ("second", lambda row: _named(row["second"], names)),
        ("n:orders_both", lambda row: f"{row['orders']:,}"), ("n:lift_column", lambda row: f"{row['lift']:.2f}"),
        ("n:revenue", lambda row: f"{row['revenue']:,.2f}"),
    ]  # fmt: skip
    gifts: list[Column] = [
        ("gift", lambda row: _named(row["gift"], names)), ("full", lambda row: _named(row["full"], names)),
        ("n:taken", lambda row: f"{row['taken']:,}"), ("n:followed", lambda row: f"{row['followed']:,}"),
        ("n:share", lambda row: "" if row["share"] is None else f"{row['share']:.1%}"),
        ("n:interval", lambda row: "" if row["share"] is None else f"{row['low']:.1%}, {row['high']:.1%}"),
    ]  # fmt: skip
    tables = report.tables
    parts = []
    for key, name, columns, note in (
        ("together", "sold_together", attached, words["together_note"]), ("bundles", "bundles", sets, None),
        ("categories", "category_pairs", attached, words["together_note"]), ("sellers", "best_sellers", sellers, None),
        ("gifts", "gifts", gifts, words["gifts_note"].format(days=f"{config.gift_days:g}")),
    ):  # fmt: skip
        rows = tables[name].slice(0, shown_rows * (4 if key == "sellers" else 1)).to_pylist()
        parts += [f"<h2>{words[key]}</h2>", _note(note) if note else "", _table(rows, columns, words)]
    return parts


Column = tuple[str, Callable[[Any], Any]]


def _table(rows: Iterable[Any], columns: Sequence[Column], words: Mapping[str, str]) -> str:
    """A table; a column whose key begins with ``n:`` holds numbers."""
    body = "".join(
        "<tr>" + "".join(f"<td{_kind(key)}>{safe(cell(row))}</td>" for key, cell in columns) + "</tr>" for row in rows
    )
    if not body:
        return _note(words["none"])
    head = "".join(f"<th{_kind(key)}>{words[key.removeprefix('n:')]}</th>" for key, _ in columns)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(key: str) -> str:
    return ' class="n"' if key.startswith("n:") else ""


def _note(text: str) -> str:
    return f"<p>{safe(text)}</p>"


def safe(text: Any) -> str:
    """A shop's own text as HTML shows it."""
    return html.escape("" if text is None else on_terminal(str(text)))


def _named(item: str | None, names: Mapping[str, str]) -> str:
    return "" if item is None else f"{names[item]} ({item})" if item in names else item


def shown(metric: str, value: float, *, sign: bool = False) -> str:
    """A metric's value as the page writes it: money, a count or a share."""
    plus = "+" if sign else ""
    if metric in MONEY:
        return f"{value:{plus},.2f}"
    return f"{value:{plus}.3f}" if metric in PLAIN else f"{value:{plus}.1%}"


def _between(metric: str, row: Mapping[str, Any], *, sign: bool = False) -> str:
    value = row["difference"] if sign else row["estimate"]
    told = [shown(metric, each, sign=sign) for each in (value, row["low"], row["high"]) if each is not None]
    return told[0] if len(told) == 1 else f"{told[0]} ({told[1]}, {told[2]})"
