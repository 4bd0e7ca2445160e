"""Product table of the simulated shop: kinds with their prices, seasons, rungs and complements.

All names are invented. Surprising: families of a kind with ``made_for`` are not drawn by brand; they are generated one
by one for the families of another kind (a case for one phone line), or within their series (a serum).
"""

from dataclasses import dataclass
from typing import Final, Literal

Match = Literal["fits", "connector", "series", "use"]
"""Reason for a complement: made for that model, same connector, same series, or simply used together."""


@dataclass(frozen=True)
class Goes:
    """One complement of a kind: the other kind, the match and the strength."""

    kind: str
    match: Match
    strength: float


@dataclass(frozen=True)
class Kind:
    """One kind of product.

    Attributes:
        path: dot-separated category path, coarse to fine.
        name: display name template over brand, line, number, rung, connector and fits.
        low, high: approximate prices of the cheapest and the most expensive item.
        share: relative share of the catalogue's items.
        pull: relative share of the shop's demand.
        rungs: variants that distinguish the models of a family, cheapest first.
        ladder: whether price rises with the rung; for shades it does not.
        peak, swing: day of the year of peak demand, and relative seasonal amplitude, 0 to 1.
    """

    key: str
    path: str
    name: str
    low: float
    high: float
    share: float
    pull: float
    rungs: tuple[str, ...]
    ladder: bool = True
    peak: int = 340
    swing: float = 0.2
    connectors: tuple[str, ...] = ()
    made_for: str = ""
    same_series: bool = False
    consumable: bool = False
    gift: bool = False
    goes: tuple[Goes, ...] = ()


USB, MAG = "usb-c", "maglink"
BEAN, CAPSULE = "whole-bean", "capsule-k2"

KINDS: Final[tuple[Kind, ...]] = (
    Kind("phone", "electronics.phones.smartphone", "{brand} Phone {number} {rung}", 179, 1499, 9, 15,
         ("Lite, 128 GB", "SE, 128 GB", "Plus, 256 GB", "Pro, 512 GB"), peak=330, connectors=(USB, USB, MAG),
         goes=(Goes("case", "fits", 1.0), Goes("film", "fits", 0.7), Goes("charger", "connector", 0.45),
               Goes("earbuds", "use", 0.25))),
    Kind("case", "electronics.phones.case", "{brand} {rung} Case for {fits}", 9, 59, 7, 5,
         ("Clear", "Silicone", "Leather"), made_for="phone", goes=(Goes("film", "fits", 0.8),)),
    Kind("film", "electronics.phones.film", "{brand} {rung} Screen Film for {fits}", 6, 29, 5, 3,
         ("Matt", "Hardened Glass"), made_for="phone"),
    Kind("charger", "electronics.power.charger", "{brand} {line} Charger, {rung}, {connector}", 14, 89, 4, 4,
         ("20 W", "45 W", "100 W"), connectors=(USB, MAG)),
    Kind("powerbank", "electronics.power.powerbank", "{brand} {line} Power Bank, {rung}", 19, 99, 3, 3,
         ("5,000 mAh", "10,000 mAh", "20,000 mAh"), peak=190, swing=0.4),
    Kind("laptop", "electronics.computers.laptop", "{brand} Book {number} {rung}", 449, 2399, 6, 8,
         ("Go 13", "Air 14", "Pro 14", "Studio 16"), peak=240, swing=0.4, connectors=(USB, USB, MAG),
         goes=(Goes("sleeve", "fits", 0.9), Goes("mouse", "use", 0.6), Goes("dock", "connector", 0.5))),
    Kind("sleeve", "electronics.computers.sleeve", "{brand} {rung} Sleeve for {fits}", 19, 79, 4, 2,
         ("Felt", "Leather"), made_for="laptop"),
    Kind("mouse", "electronics.computers.mouse", "{brand} {line} Mouse, {rung}", 12, 99, 3, 3,
         ("Basic", "Silent", "Ergonomic")),
    Kind("dock", "electronics.computers.dock", "{brand} {line} Dock, {rung}, {connector}", 39, 249, 2, 2,
         ("5 ports", "9 ports"), connectors=(USB, MAG)),
    Kind("tablet", "electronics.tablets.tablet", "{brand} Tab {number} {rung}", 149, 999, 4, 6,
         ("Mini 8", "10", "Pro 12"), peak=345, swing=0.4, connectors=(USB, MAG),
         goes=(Goes("cover", "fits", 1.0), Goes("pen", "connector", 0.6))),
    Kind("cover", "electronics.tablets.cover", "{brand} {rung} Cover for {fits}", 19, 129, 4, 2,
         ("Slim", "Keyboard"), made_for="tablet"),
    Kind("pen", "electronics.tablets.pen", "{brand} {line} Pen, {rung}, {connector}", 19, 129, 2, 2,
         ("Sketch", "Artist"), connectors=(USB, MAG)),
    Kind("headphone", "electronics.audio.headphone", "{brand} {line} Headphones, {rung}", 39, 449, 4, 6,
         ("On-Ear", "Over-Ear", "Noise Cancelling"), gift=True, goes=(Goes("stand", "use", 0.5),)),
    Kind("earbuds", "electronics.audio.earbuds", "{brand} {line} Earbuds, {rung}", 19, 249, 3, 6,
         ("Wired", "Wireless", "Noise Cancelling"), gift=True, goes=(Goes("tips", "fits", 0.8),)),
    Kind("tips", "electronics.audio.tips", "{brand} {rung} Ear Tips for {fits}", 7, 29, 2, 1,
         ("Silicone", "Foam"), made_for="earbuds"),
    Kind("stand", "electronics.audio.stand", "{brand} {line} Headphone Stand, {rung}", 15, 69, 2, 1,
         ("Wood", "Aluminium")),
    Kind("speaker", "electronics.audio.speaker", "{brand} {line} Speaker, {rung}", 29, 399, 3, 4,
         ("Mini", "Room", "Party"), peak=190, swing=0.4, gift=True),
    Kind("coffee_machine", "household.coffee.machine", "{brand} {line} Coffee Machine, {rung}", 79, 1199, 4, 6,
         ("Start", "Barista", "Cappuccino", "Master"), connectors=(BEAN, CAPSULE), swing=0.4, gift=True,
         goes=(Goes("coffee", "connector", 1.0), Goes("cleaner", "use", 0.6), Goes("frother", "use", 0.4))),
    Kind("coffee", "household.coffee.coffee", "{brand} {line} Coffee, {connector}, {rung}", 5, 39, 4, 6,
         ("250 g", "500 g", "1 kg"), connectors=(BEAN, CAPSULE), consumable=True, goes=(Goes("cleaner", "use", 0.4),)),
    Kind("cleaner", "household.coffee.cleaner", "{brand} {line} Descaler, {rung}", 6, 24, 2, 2,
         ("2 uses", "6 uses"), consumable=True),
    Kind("frother", "household.coffee.frother", "{brand} {line} Milk Frother, {rung}", 19, 99, 2, 1,
         ("Hand", "Table")),
    Kind("vacuum", "household.cleaning.vacuum", "{brand} {line} Vacuum, {rung}", 89, 899, 3, 4,
         ("Corded", "Cordless", "Cordless with Mop"), peak=90, swing=0.3, goes=(Goes("filter", "fits", 1.0),)),
    Kind("filter", "household.cleaning.filter", "{brand} {rung} Filter for {fits}", 9, 39, 2, 2,
         ("Single", "Double Pack"), made_for="vacuum", consumable=True),
    Kind("heater", "household.climate.heater", "{brand} {line} Heater, {rung}", 29, 249, 2, 5,
         ("Fan", "Convector", "Oil"), peak=5, swing=0.9),
    Kind("fan", "household.climate.fan", "{brand} {line} Fan, {rung}", 19, 299, 2, 5,
         ("Desk", "Stand", "Tower"), peak=190, swing=0.9),
    Kind("toothbrush", "household.bath.toothbrush", "{brand} {line} Electric Toothbrush, {rung}", 24, 229, 2, 3,
         ("Clean", "Care", "Sonic Pro"), gift=True, goes=(Goes("brush_head", "fits", 1.0),)),
    Kind("brush_head", "household.bath.brush_head", "{brand} {rung} Brush Heads for {fits}", 9, 44, 2, 3,
         ("Set of 4", "Set of 8"), made_for="toothbrush", consumable=True),
    Kind("lipstick", "beauty.makeup.lipstick", "{brand} {line} Lipstick, {rung}", 8, 49, 6, 8,
         ("Coral", "Rosewood", "Cherry", "Plum", "Nude", "Brick"), ladder=False, peak=40, consumable=True, gift=True,
         goes=(Goes("liner", "series", 0.8), Goes("remover", "use", 0.5))),
    Kind("liner", "beauty.makeup.liner", "{brand} {line} Lip Liner, {rung}", 5, 24, 3, 2,
         ("Rose", "Berry", "Beige"), ladder=False, made_for="lipstick", same_series=True),
    Kind("remover", "beauty.makeup.remover", "{brand} {line} Make-up Remover, {rung}", 4, 29, 2, 2,
         ("100 ml", "200 ml"), consumable=True),
    Kind("toner", "beauty.skincare.toner", "{brand} {line} Toner, {rung}", 9, 59, 3, 5,
         ("150 ml", "300 ml"), peak=20, swing=0.3, consumable=True,
         goes=(Goes("serum", "series", 1.0), Goes("cream", "series", 0.9))),
    Kind("serum", "beauty.skincare.serum", "{brand} {line} Serum, {rung}", 14, 129, 3, 5,
         ("30 ml", "50 ml"), made_for="toner", same_series=True, consumable=True,
         goes=(Goes("cream", "series", 1.0), Goes("toner", "series", 0.8))),
    Kind("cream", "beauty.skincare.cream", "{brand} {line} Cream, {rung}", 12, 119, 3, 5,
         ("50 ml", "75 ml"), made_for="toner", same_series=True, consumable=True, gift=True,
         goes=(Goes("serum", "series", 1.0), Goes("toner", "series", 0.8))),
    Kind("sunscreen", "beauty.skincare.sunscreen", "{brand} {line} Sunscreen, {rung}", 8, 49, 2, 5,
         ("SPF 30", "SPF 50"), peak=180, swing=0.9, consumable=True),
    Kind("perfume", "beauty.fragrance.perfume", "{brand} {line} Eau de Parfum, {rung}", 29, 189, 3, 5,
         ("30 ml", "50 ml", "100 ml"), peak=345, swing=0.5, gift=True),
)  # fmt: skip

CONNECTOR_NAMES: Final = {"": "", USB: "USB-C", MAG: "MagLink", BEAN: "Whole Bean", CAPSULE: "K2 Capsules"}

BRANDS: Final[dict[str, tuple[str, ...]]] = {
    "electronics": ("Nordlys", "Kaprion", "Telvano", "Ombrix", "Quorvia", "Sundrel", "Vexaro", "Halvik", "Miratek",
                    "Orbelan", "Drumlin", "Zephrano"),
    "household": ("Brennhof", "Casavel", "Ottmera", "Lundby", "Fjorna", "Tamwick", "Pellaro", "Hearthling", "Gravena",
                  "Dovekin"),
    "beauty": ("Aurelle", "Solvanne", "Mirabeau Rose", "Lysandre", "Petalune", "Opaline Sol", "Velmora", "Junisse",
               "Cerisane", "Thalune"),
}  # fmt: skip
"""Brands per department, best known first."""

LINES: Final = (
    "Aria", "Nova", "Terra", "Vela", "Lumo", "Sora", "Alto", "Brisa", "Cora", "Delta", "Echo", "Fable", "Grano", "Halo",
    "Isla", "Juno", "Kite", "Linea", "Mosaic", "Nimbus", "Onda", "Prisma", "Rondo", "Sienna", "Tempo", "Umbra",
)  # fmt: skip
