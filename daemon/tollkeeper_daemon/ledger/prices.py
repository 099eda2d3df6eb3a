"""The price list: which rates hold for a model on a day, read from prices.toml files."""

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

FORMAT = 1
TABLE_KEYS = frozenset({"version", "web_search", "us_inference", "prices"})
# Far above any price (dollars per million tokens) and any factor.
MOST_DOLLARS = 10_000
MOST_FACTOR = 100
MOST_MODELS_CACHED = 1_000

# A tail that names the same model at the same price: a minor version of zero, a release date,
# `latest`, a provider's version, a variant of a gateway, a context size.
MODEL_TAIL = re.compile(
    r"(?:-0)?(?:-latest|[-@]\d{8})?(?:@default)?(?:-v\d+)?(?::\w+)*(?:\[\w+\])?$"
)
# How gateways write a version: `claude-sonnet-4.5`.
VERSION_DOT = re.compile(r"(?<=\d)\.(?=\d)")
# What providers put before the model's name, e.g. `us.anthropic.` on Bedrock.
MODEL_HEAD = re.compile(r"^(?:.*/)?(?:[a-z-]+\.)*(?:anthropic\.)?(?=claude)")
ANY_FAMILY = "*"
FAMILY = re.compile(r"claude-(?:\d[\d-]*-)?([a-z]+)")


class PriceError(ValueError):
    """A price file can't be used; the text says which line of it and why."""


class Price(Struct, frozen=True, kw_only=True):
    """The rates of one model from a day on, in pico-dollars (1e-12 $) per token.

    ``fast`` and ``above_100k`` are factors on the whole request, in thousandths.
    ``since`` is in ms since 1970. ``guessed`` marks the stand-in for a model without a price,
    ``own`` one of the user's file.
    """

    model: str
    since: int
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    fast: int = 1000
    above_100k: int = 1000
    guessed: bool = False
    own: bool = False


PRICE_KEYS = frozenset(Price.__struct_fields__) - {"guessed", "own"}


class PriceList:
    """Every known price, and the rules for a model that is not on the list."""

    def __init__(self, prices: list[Price], web_search: int, us_inference: int) -> None:
        self.web_search = web_search
        self.us_inference = us_inference
        self._by_name: dict[str, list[Price]] = {}
        for price in sorted(prices, key=lambda each: each.since):
            self._by_name.setdefault(canonical(price.model), []).append(price)
        self._dearest: dict[str, Price] = {}
        for dated in self._by_name.values():
            for family in (family_of(dated[-1].model), ANY_FAMILY):
                known = self._dearest.get(family)
                if known is None or _dearness(dated[-1]) > _dearness(known):
                    self._dearest[family] = dated[-1]
        self._found: dict[str, list[Price]] = {}

    def __iter__(self) -> Iterator[Price]:
        """Every price, model by model, the oldest of each first."""
        return (price for dated in self._by_name.values() for price in dated)

    def knows(self, model: str) -> bool:
        """Whether the model has a price of its own, or would be charged at a guess."""
        return canonical(model) in self._by_name

    def price(self, model: str, time: int) -> Price:
        """The price of the model at this time (ms); of an unknown model, a guess marked as one."""
        dated = self._found.get(model)
        if dated is None:
            if len(self._found) >= MOST_MODELS_CACHED:
                self._found.clear()
            dated = self._found[model] = self._look_up(model)
        chosen = dated[0]
        for price in dated[1:]:
            if price.since <= time:
                chosen = price
        return chosen

    def _look_up(self, model: str) -> list[Price]:
        return self._by_name.get(canonical(model)) or [self._guess(model)]

    def _guess(self, model: str) -> Price:
        """The dearest price of the model's family, else of all: no new model slips past a budget."""
        dearest = self._dearest.get(family_of(model)) or self._dearest[ANY_FAMILY]
        return msgspec.structs.replace(dearest, guessed=True)


def _dearness(price: Price) -> tuple[int, int, int]:
    return price.output, price.input, price.cache_read


def canonical(model: str) -> str:
    """The model's name without provider, date, version and context size."""
    name = VERSION_DOT.sub("-", MODEL_HEAD.sub("", model.lower()))
    return MODEL_TAIL.sub("", name, count=1)


@lru_cache(MOST_MODELS_CACHED)
def family_of(model: str) -> str:
    """The family in a model's name: `opus` of `claude-opus-5-5` and of `claude-3-opus`."""
    found = FAMILY.search(model.lower())
    return found[1] if found else ""


def load_prices(own: str | None = None, name: str = "prices.toml") -> PriceList:
    """The built-in price list with the user's own file (its text) on top.

    PriceError, which calls the file by this name, when it is broken.
    """
    builtin = resources.files("tollkeeper_daemon.ledger").joinpath("prices.toml").read_text("utf-8")
    tables = [_parse(builtin, "the built-in prices")]
    if own is not None:
        tables.append(_parse(own, name))
    try:
        return _join(tables)
    except PriceError as error:
        raise PriceError(f"{name}: {error}") from None


def _join(tables: list[dict[str, Any]]) -> PriceList:
    """One list of all tables, where a later one says something else than an earlier one."""
    chosen: dict[tuple[str, int], Price] = {}
    for table in tables:
        for entry in table["prices"]:
            price = price_of(entry, own=table is not tables[0])
            chosen[canonical(price.model), price.since] = price
    merged = {**tables[0], **tables[-1]}
    return PriceList(
        list(chosen.values()),
        web_search=_whole(merged["web_search"], 10**12),
        us_inference=_factor(merged["us_inference"]),
    )


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise PriceError(f"{name}: {error}") from None
    if table.get("version", FORMAT) != FORMAT:
        raise PriceError(f"{name}: version {table['version']} is not known; {FORMAT} is")
    if unknown := table.keys() - TABLE_KEYS:
        raise PriceError(f"{name}: {min(unknown)!r} is not known")
    try:
        table["prices"] = msgspec.convert(table.get("prices", []), list[dict[str, Any]])
    except msgspec.ValidationError:
        raise PriceError(
            f"{name}: prices are written as [[prices]], a table for each model"
        ) from None
    return table


def price_of(entry: dict[str, Any], own: bool = True) -> Price:
    """The price that this ``[[prices]]`` table says; PriceError when it is broken."""
    model = entry.get("model")
    if not isinstance(model, str) or not model:
        raise PriceError(f"model = {model!r} is not a model's name")
    if unknown := entry.keys() - PRICE_KEYS:
        raise PriceError(f"the price of {model}: {min(unknown)!r} is not known")
    try:
        return Price(
            model=model,
            since=_since(entry.get("since")),
            input=_per_token(entry["input"]),
            output=_per_token(entry["output"]),
            cache_read=_per_token(entry["cache_read"]),
            cache_write_5m=_per_token(entry["cache_write_5m"]),
            cache_write_1h=_per_token(entry["cache_write_1h"]),
            fast=_factor(entry.get("fast", 1)),
            above_100k=_factor(entry.get("above_100k", 1)),
            own=own,
        )
    except KeyError as error:
        raise PriceError(f"the price of {model} lacks {error}") from None
    except PriceError as error:
        raise PriceError(f"the price of {model}: {error}") from None


def _since(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, date):
        raise PriceError(f"since = {value!r} is not a date like 2026-11-22")
    return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)


def _per_token(dollars_per_million: Any) -> int:
    return _whole(dollars_per_million, 10**6)


def _factor(value: Any) -> int:
    return _whole(value, 1000, MOST_FACTOR)


def _whole(value: Any, times: int, most: int = MOST_DOLLARS) -> int:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number or not Decimal(value).is_finite() or value < 0:
        raise PriceError(f"{str(value)[:40]!r} is not a price")
    if value > most:
        raise PriceError(f"{Decimal(value):.6g} is too much: at most {most}")
    return int((Decimal(value) * times).to_integral_value())
