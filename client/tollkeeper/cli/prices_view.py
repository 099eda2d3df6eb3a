"""How prices, and what charging by them changes, are shown."""

from __future__ import annotations

from collections import Counter

from tollkeeper.cli import terminal, words
from tollkeeper.cli.offer import offer
from tollkeeper.cli.table import Column, Row, lay_out, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
BASIC_RATES = RATES[:2]
HEADS = {
    "input": "Input",
    "output": "Output",
    "cache_read": "Read",
    "cache_write_5m": "5m",
    "cache_write_1h": "1h",
}
NAMES = {
    "cache_read": "cache reads",
    "cache_write_5m": "5-minute writes",
    "cache_write_1h": "1-hour writes",
    "fast": "fast",
    "above_100k": "above 100k",
}
MOST_BROKEN = 10


def print_prices(answer: dict[str, Any]) -> None:
    """The list, a line each."""
    _print_price_table(answer["prices"])
    print()
    print("Dollars per million tokens. Your own stand in", _plain(answer["file"]))


def print_set(answer: dict[str, Any]) -> None:
    """The price that was set, and what was assumed of it."""
    price, before = answer["price"], answer["before"]
    _print_price_table([price])
    if answer["assumed"]:
        told = ", ".join(NAMES[name] for name in answer["assumed"])
        print(f"Left out, so the usual multiple of the input's rate: {told}.")
    if answer["kept"]:
        told = ", ".join(f"{NAMES[name]} ×{price[name]:g}" for name in answer["kept"])
        print(f"Left out, so as it was known: {told}.")
    if before:
        print(f"Before: {_rates(before)} ({before['whose']}).")
    print("Written to", _plain(answer["file"]))


def print_imported(answer: dict[str, Any]) -> None:
    """What became of the entries of a list, and why."""
    for entry in answer["entries"]:
        model = _plain(entry["model"])
        if entry["fate"] == "added":
            print(f"added    {model}: {_rates(entry['price'])}{_assumed(entry)}")
        elif entry["fate"] == "changed":
            told = f"{_rates(entry['before'])} -> {_rates(entry['price'])}"
            print(f"changed  {model}: {told}{_assumed(entry)}")
        elif entry["price"]:
            print(f"same     {model}: {_rates(entry['price'])}{_assumed(entry)}")
    broken = [entry for entry in answer["entries"] if entry["fate"] == "broken"]
    for entry in broken[:MOST_BROKEN]:
        print(f"broken   {_plain(entry['model'])}: {_plain(entry['reason'])}")
    passed = Counter(
        entry["reason"].partition(":")[0]
        for entry in answer["entries"]
        if entry["fate"] in ("same", "skipped") and not entry["price"]
    )
    for reason, count in passed.most_common():
        print(f"passed   {count:,}: {_plain(reason)}")
    counts = answer["counts"]
    told = ", ".join(f"{counts.get(fate, 0):,} {fate}" for fate in ("added", "changed", "broken"))
    written = any(entry["price"] for entry in answer["entries"])
    print(f"{told}. Written to {_plain(answer['file'])}" if written else f"{told}.")


def print_removed(answer: dict[str, Any]) -> None:
    """The prices that are no more, and what holds now."""
    for price in answer["removed"]:
        since = f" since {price['since']}" if price["since"] else ""
        print(f"Removed: {_plain(price['model'])}{since}, {_rates(price)}.")
    if now := answer["now"]:
        print(f"In force: {_rates(now)} ({now['whose']}).")
    else:
        print("Without a price of its own, it is charged as its dearest kin.")


def print_offer(found: dict[str, Any]) -> None:
    """That stored requests could be charged by the prices in force."""
    if told := offer(found):
        print(told)


def print_check(answer: dict[str, Any]) -> None:
    """Models without a price, and guesses that are outdated."""
    guessed, outdated = answer["without_price"], answer["outdated"]
    if guessed:
        print("Without a price, charged as their dearest kin:")
        _print_guesses(guessed, "Charged as", [line["charged_as"] for line in guessed])
        print("Set one: toll prices set MODEL --input USD --output USD")
    if outdated:
        print("Charged at a guess, though there is a price by now:")
        _print_guesses(outdated, "", [""] * len(outdated))
        print("Charge them anew: toll reprice")
    if not guessed and not outdated:
        print("Every model has a price, and nothing is charged at a guess.")


def print_difference(answer: dict[str, Any]) -> None:
    """What charging anew would change, model by model."""
    total = answer["total"]
    if not total["requests"]:
        print("Every request is charged by the prices in force.")
        return
    columns = [
        Column("Model", cut=1),
        *(
            Column(head, right=True)
            for head in ("Requests", "List price", "Becomes", "Difference", "Billed")
        ),
    ]
    rows = [_difference(line["model"], line) for line in answer["models"]]
    rows.append(_difference("Total", total, "bold"))
    _print_table(columns, rows)
    print(
        f"Billed: {words.money(total['cost_before_usd'])} becomes "
        f"{words.money(total['cost_after_usd'])} ({_signed(total['cost_difference_usd'])})."
    )


def print_repriced(answer: dict[str, Any]) -> None:
    """That it was done."""
    total = answer["total"]
    was = "was" if total["requests"] == 1 else "were"
    print(
        f"{_requests(total['requests'], was)} charged anew: list price "
        f"{_signed(total['value_difference_usd'])}, billed {_signed(total['cost_difference_usd'])}."
    )


def _print_price_table(prices: list[dict[str, Any]]) -> None:
    """A line each. Where the terminal is narrow, names are short, and then without the cache."""
    room = terminal.width()
    whole = _price_table(prices, _plain, RATES)
    short = _price_table(prices, words.model_name, RATES)
    basic = _price_table(prices, words.model_name, BASIC_RATES)
    table = next((each for each in (whole, short) if width_of(*each) <= room), basic)
    _print_table(*table)
    if table is basic:
        print("Rates of the cache are left out: in a wider terminal, or with --json.")


def _price_table(
    prices: list[dict[str, Any]], name_of: Callable[[str], str], rates: tuple[str, ...]
) -> tuple[list[Column], list[Row]]:
    """The table; columns in which nothing stands are left out."""
    columns = [
        Column("Model", cut=1),
        Column("Since"),
        Column("Whose"),
        *(Column(HEADS[name], right=True) for name in rates),
        Column("", cut=2),
    ]
    lines = [
        [
            name_of(price["model"]),
            price["since"] or "",
            price["whose"] if price["whose"] == "own" else "",
            *(f"{price[name]:.10g}" for name in rates),
            _factors(price),
        ]
        for price in prices
    ]
    used = [at for at in range(len(columns)) if any(line[at] for line in lines)]
    return [columns[at] for at in used], [Row([line[at] for at in used]) for line in lines]


def _factors(price: dict[str, Any]) -> str:
    """On the whole request, where there are any."""
    factors = [
        f"fast ×{price['fast']:g}" if price["fast"] != 1 else "",
        f">100k ×{price['above_100k']:g}" if price["above_100k"] != 1 else "",
    ]
    return ", ".join(factor for factor in factors if factor)


def _print_guesses(lines: list[dict[str, Any]], head: str, kin: list[str]) -> None:
    columns = [
        Column("Model", cut=1),
        Column("Requests", right=True),
        Column("Tokens", right=True),
        Column("List price", right=True),
        Column(head, cut=2),
    ]
    rows = [
        Row(
            [
                _plain(line["model"]),
                f"{line['requests']:,}",
                words.tokens(line["total_tokens"]),
                words.money(line["value_usd"], guessed=True),
                _plain(other),
            ]
        )
        for line, other in zip(lines, kin, strict=True)
    ]
    _print_table(columns, rows)


def _difference(name: str, line: dict[str, Any], style: str = "") -> Row:
    return Row(
        [
            _plain(name),
            f"{line['requests']:,}",
            words.money(line["value_before_usd"]),
            words.money(line["value_after_usd"]),
            _signed(line["value_difference_usd"]),
            _signed(line["cost_difference_usd"]),
        ],
        style,
    )


def _print_table(columns: list[Column], rows: list[Row]) -> None:
    colours = terminal.shows_colours()
    for text, style in lay_out(columns, rows, terminal.width()):
        print(terminal.styled(text, style) if colours else text)


def _rates(price: dict[str, Any]) -> str:
    """The rates in the order of the list."""
    return "/".join(f"{price[name]:.10g}" for name in RATES)


def _assumed(entry: dict[str, Any]) -> str:
    told = ", ".join(NAMES[name] for name in entry["assumed"])
    return f" (assumed: {told})" if told else ""


def _signed(dollars: float) -> str:
    return f"{'-' if dollars < 0 else '+'}{words.money(abs(dollars))}"


def _requests(count: int, verb: str | None = None) -> str:
    return f"{count:,} request{'' if count == 1 else 's'} {verb or ('is' if count == 1 else 'are')}"


def _plain(text: str) -> str:
    return words.plain(text)
