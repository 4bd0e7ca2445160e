"""The whole way in one command: a log is simulated (or given), prepared, learned, exported, served and asked.

    python -m training.demo
    python -m training.demo data=rees46 data.path=events.csv.gz

Every stage is run as the command a user would type, and printed first. The server is the real one, on a free loopback
port; the questions are real sessions of the test part, taken from the bundle's goldens. The simulated shop has a policy
too, so its checkout is asked besides: what goes with the cart, from what is in stock. Then visitors come to it, a few
of whom are shown nothing, and a page says what came of the answers.
"""

import json
import math
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tillside.atomic import write_text_atomically
from tillside.cli.modules import module_command
from training.cli.command import check_overrides, stopped_by_signals
from training.cli.command_lines import command_line, module_line
from training.cli.console import print_table, say
from training.cli.progress import duration, step
from training.tracking.views import BEST, list_link

if TYPE_CHECKING:
    from tillside.bundle import Bundle
    from tillside.catalogue import Catalogue

# Shapes: N items. (Not in the docstring, which is the command's help text.)

FOLDER = Path("demo")
FEEDBACK, EFFECTS = FOLDER / "feedback", FOLDER / "effects"
"""What the server answered and the visitors did, and what came of it."""
POLICY = "electronics"
"""Shipped policy, and rules of what fits what, of the simulated shop."""
SHOP: tuple[str, ...] = ("sessions=12000", "items=800", "shoppers=4000")
"""Size of the simulated shop."""
TRAINING: tuple[str, ...] = ("trainer.max_epochs=4",)
"""Overrides of the default recipe on the simulated shop, whose model is ahead of its baselines by then."""
QUESTIONS = 3
ANSWERS = 4
VISITORS = 1000
"""Visits to the simulated shop's checkout whose outcome is measured."""
HOLDOUT = (
    "holdout: {share: 0.3, salt: demo}  # these shoppers are shown nothing: what the others buy more is the effect\n"
)
LABEL = 30
WAIT_SECONDS = 60


def main(arguments: list[str]) -> None:
    """Run every stage; ``arguments`` go to ``training.prepare`` in place of the simulated log."""
    if arguments in (["-h"], ["--help"]):
        say(str(__doc__).replace("``", "").strip())
        say("\nA log of your own is given with the settings of training.prepare, all but out=; its --help lists them.")
        return
    flags = [argument for argument in arguments if argument.startswith("-")]
    if flags:
        print(f"error: the demo takes settings of training.prepare and no flags, got {flags[0]}", file=sys.stderr)
        sys.exit(2)
    if arguments:
        try:
            check_settings(arguments)
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
    started = time.monotonic()
    shop, dataset, runs, bundle = (FOLDER / name for name in ("shop", "dataset", "runs", "bundle"))
    simulated = not arguments
    if simulated:
        run("training.simulate", *SHOP, f"out={shop}")
        arguments = [
            "data=events",
            "name=simulated-shop",
            f"data.path={shop}/events.parquet",
            f"data.items={shop}/items.parquet",
        ]
    run("training.prepare", *arguments, f"out={dataset}")
    if simulated:
        run("training.relate", f"dataset={dataset}", f"rules={POLICY}")  # what fits what, as its policy asks
    shorter = TRAINING if simulated else ()
    if shorter:
        words = " ".join(shorter)
        say(f"\nTo be short, the demo trains with {words}; by default training goes on while it gets better.")
    # export=false: the next command exports, and once is enough
    run("training.train", f"dataset={dataset}", *shorter, "export=false", f"tracking.runs={runs}")
    run_id = (runs / "latest").resolve().name
    run("training.export", f"run={run_id}", f"out={bundle}", f"tracking.runs={runs}")
    from tillside.bundle import open_bundle  # slow to import: --help and a mistake are answered without

    opened = open_bundle(bundle)
    flags = ["--policy", POLICY, "--items-feed", str(write_feed(opened))] if simulated else []
    listening = [*write_holdout(), "--feedback", str(FEEDBACK)] if simulated else []
    with served(bundle, *flags, *listening) as url:
        ask(opened, url)
        if simulated:
            ask_checkout(opened, url)
            with collected() as collector:
                receive_visitors(url, collector, shop=shop, dataset=dataset)
    if simulated:
        items = shop / "items.parquet"
        run("training.measure", f"feedback={FEEDBACK}", f"items={items}", f"out={EFFECTS}", f"tracking.runs={runs}")
    say(f"the whole way took {duration(time.monotonic() - started)}; how good the model is, its training said above")
    flags = [*flags, "--port", "8080"]
    say(f"serve it again:  {module_line('serving', '--bundle', str(bundle), *flags)}")
    say(f"every figure:  {command_line('evaluate', {'run': run_id, 'tracking.runs': runs})}")
    store = f"sqlite:///{runs.absolute()}/mlflow.db"
    say(f"look at the run:  {module_line('mlflow', 'server', '--backend-store-uri', store, '--port', '5000')}")
    say(f"then open:  {list_link('http://127.0.0.1:5000', '1', BEST)}")


def check_settings(arguments: list[str]) -> None:
    """Refuse settings of ``training.prepare`` that it would refuse.

    Raises:
        ValueError: a key or value is wrong; the sentence says what was meant.
    """
    import training.prepare  # noqa: F401, whose settings they are

    check_overrides("prepare", arguments)


def run(module: str, *arguments: str) -> None:
    """Run a stage as a subprocess; exit with its code when it fails."""
    say(f"\n$ {module_line(module, *arguments)}")
    stage = subprocess.Popen(module_command(module, *arguments))
    try:
        code = stage.wait()
    finally:
        stage.terminate()  # no-op once it has ended; a demo that is stopped stops its stage, which cleans up
        stage.wait()
    if code:
        sys.exit(code)


def write_feed(bundle: "Bundle") -> Path:
    """Write an items feed with the current time and every tenth item sold out; returns its path."""
    lines: list[dict[str, Any]] = [{"time_ms": int(time.time() * 1000)}]
    stock = [0 if number % 10 == 9 else 9 for number in range(len(bundle.catalogue))]
    lines += [{"item_id": i, "stock": pieces} for i, pieces in zip(bundle.catalogue.item_ids, stock, strict=True)]
    feed = FOLDER / "items.jsonl"
    write_text_atomically(feed, "".join(json.dumps(line) + "\n" for line in lines))
    return feed


def write_holdout() -> list[str]:
    """Write an experiments file that shows nothing to some shoppers; returns the flags that name it."""
    path = FOLDER / "holdout.yaml"
    write_text_atomically(path, HOLDOUT)
    return ["--experiments", str(path)]


@contextmanager
def served(bundle: Path, *flags: str) -> Iterator[str]:
    """Start the server on a free loopback port and yield its address once it is ready."""
    say(f"\n$ {module_line('serving', '--bundle', str(bundle), '--port', '0', *flags)}")
    own = ("--workers", "1", "--grace-seconds", "0")  # no drain: the only client ends the server
    with _started("serving", "--bundle", str(bundle), "--host", "127.0.0.1", "--port", "0", *flags, *own) as url:
        yield url


@contextmanager
def collected() -> Iterator[str]:
    """Start the collector beside it and yield its address once it is ready."""
    flags = ("--feedback", str(FEEDBACK), "--port", "0")
    say(f"\n$ {module_line('serving.collector', *flags)}")
    with _started("serving.collector", *flags) as url:
        yield url


def receive_visitors(url: str, collector: str, *, shop: Path, dataset: Path) -> None:
    """Let the simulated shop's visitors come to its checkout, and report to the collector what they do there."""
    import pyarrow.parquet as pq

    from tillside.dataset import load_dataset
    from training.simulator.storefront import Storefront, carts_of

    loaded = load_dataset(dataset)
    goes_with: dict[str, list[str]] = {}
    truth = pq.read_table(shop / "truth" / "complements.parquet", columns=["item_id", "other_id"])
    for item, other in zip(*(column.to_pylist() for column in truth.columns), strict=True):
        goes_with.setdefault(item, []).append(other)
    items = pq.read_table(shop / "items.parquet", columns=["item_id", "price"])
    storefront = Storefront(
        ask=lambda body: _post(f"{url}/v1/recommend", body),
        report=lambda events: _post(f"{collector}/v1/events", events),
        goes_with=goes_with,
        prices=dict(zip(*(column.to_pylist() for column in items.columns), strict=True)),
        now_ms=lambda: int(time.time() * 1000),
    )
    with step(f"{VISITORS} visitors at the checkout"):
        storefront.receive(carts_of(loaded), visitors=VISITORS, seed=0)


@contextmanager
def _started(module: str, *arguments: str) -> Iterator[str]:
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(module_command(module, *arguments), stderr=log)
        try:
            with step(f"starting {module}"):
                url = _ready(server, log)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=WAIT_SECONDS)


def ask(bundle: "Bundle", url: str) -> None:
    """Query a few real sessions for the weakest behaviour and for the goal, and print the answers."""
    behaviours = bundle.behaviours
    rows: list[list[str]] = []
    for request in [golden["request"] for golden in bundle.goldens if golden["request"]["session"]][:QUESTIONS]:
        for behaviour in dict.fromkeys((behaviours.names[0], behaviours.goal)):
            answer = _post(f"{url}/v1/recommend", {**request, "behaviour": behaviour, "k": ANSWERS})
            rows += _lines(answer, request["session"], bundle.catalogue)
    columns = ["the shopper's last steps", "asked for the next", "offer", "price", "why"]
    print_table("What the shop would show", columns, rows, numbers=("price",))


def ask_checkout(bundle: "Bundle", url: str) -> None:
    """Query the checkout placement with a few real carts, and print the offers with their shopper-facing reasons."""
    rows: list[list[str]] = []
    catalogue = bundle.catalogue
    sessions = [golden["request"]["session"] for golden in bundle.goldens if golden["request"]["session"]]
    carts = [[event["item_id"] for event in session if event["behaviour"] == "cart"] for session in sessions]
    order = sorted(range(len(sessions)), key=lambda number: not carts[number])  # those with a cart first
    for number in order[:QUESTIONS]:
        cart = list(dict.fromkeys(carts[number])) or [sessions[number][-1]["item_id"]]
        body = {"session": sessions[number], "placement": "checkout", "cart": [{"item_id": item} for item in cart]}
        answer = _post(f"{url}/v1/recommend", body)
        offers = [[_label(catalogue, i["item_id"]), _price(catalogue, i), i["reason"]] for i in answer["items"]]
        for offered in answer["bundles"]:
            together = " and ".join(_label(catalogue, item) for item in offered["missing"])
            offers.append([together, f"{offered['price']:,.2f}", "a bundle, with what is in the cart"])
        held = [_label(catalogue, item) for item in cart]
        shopper = [answer["mode"].replace("_", "-"), *answer["why"]]
        rows += _side_by_side(held, shopper, *zip(*offers, strict=True))
    titles = ["in the cart", "the shopper", "offer", "price", "why"]
    print_table("What its checkout would offer", titles, rows, numbers=("price",))


def _lines(answer: dict[str, Any], session: list[dict[str, Any]], catalogue: "Catalogue") -> list[list[str]]:
    steps = [f"{event['behaviour']}: {_label(catalogue, event['item_id'])}" for event in session[-ANSWERS:]]
    asked = [answer["behaviour"]]
    if answer["purchase_intent"] is not None:
        asked.append(f"(buys: {answer['purchase_intent']:.0%})")
    items = answer["items"]
    labels, prices = [_label(catalogue, item["item_id"]) for item in items], [_price(catalogue, item) for item in items]
    return _side_by_side(steps, asked, labels, prices, [_why(item, session, catalogue) for item in items])


def _side_by_side(*columns: Sequence[str]) -> list[list[str]]:
    """Rows of columns that may differ in length, and an empty row."""
    return [*map(list, zip_longest(*columns, fillvalue="")), [""] * len(columns)]


def _why(item: dict[str, Any], session: list[dict[str, Any]], catalogue: "Catalogue") -> str:
    """Reason in plain words: already in the session, near an item of the session, or popular."""
    done = [event["behaviour"] for event in session if event["item_id"] == item["item_id"]]
    if done:
        return f"again: {done[-1]} in this session"
    if item["because"] is None:
        return "popular in the shop"
    return f"near {_label(catalogue, item['because'])}"


def _price(catalogue: "Catalogue", item: dict[str, Any]) -> str:
    price = float(catalogue.prices_N[catalogue.index_of[item["item_id"]]])
    return f"{price:,.2f}" if math.isfinite(price) else ""


def _label(catalogue: "Catalogue", item_id: str) -> str:
    label = catalogue.label(catalogue.index_of[item_id])
    return label if len(label) <= LABEL else f"{label[: LABEL - 1]}…"


def _post(url: str, body: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def _ready(server: subprocess.Popen[bytes], log: Any) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        log.seek(0)
        found = re.search(r"(?:listening|collecting) on (http[^\s\"]+)", log.read())
        try:
            if found:
                urllib.request.urlopen(f"{found[1]}/health/ready", timeout=2).close()
                return found[1]
        except OSError:
            pass  # live, not ready yet
        time.sleep(0.1)
    log.seek(0)
    sys.exit(f"error: the server did not become ready: {log.read()}")


if __name__ == "__main__":
    with stopped_by_signals():
        main(sys.argv[1:])
