"""How blocks are shown: a line each, and more of the one that runs now."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime

from tollkeeper.cli import terminal, words
from tollkeeper.cli.report import BAR, SUB, WIDE, nothing_of, print_lines, split_name
from tollkeeper.cli.table import Column, Row, bar, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import Any

    Block = dict[str, Any]

STYLES = {"exceeds": "red", "warning": "yellow", "ok": "green"}


def print_blocks(report: dict[str, Any], options: Namespace) -> None:
    """Print the blocks, and below them where the active one is heading."""
    blocks: list[Block] = report["blocks"]
    if not blocks:
        print("No block is active." if options.active else nothing_of(options))
        return
    zone = _zone(options.timezone)
    wide = terminal.width() >= WIDE and not options.compact
    print_lines(block_lines(blocks, zone, terminal.width(), wide, money=not options.no_cost))
    for block in blocks:
        if block["isActive"]:
            from textwrap import wrap

            print()
            for line, style in active_lines(block, zone, datetime.now().astimezone()):
                print_lines((part, style) for part in wrap(line, terminal.width()))


def block_lines(
    blocks: list[Block], zone: tzinfo | None, width: int, wide: bool, money: bool
) -> list[tuple[str, str]]:
    """The table of blocks."""
    limited = any("tokenLimitStatus" in block for block in blocks)
    columns = [Column("Block", cut=1, least=28), Column("By", drop=3)]
    columns += (
        [Column("Models", cut=2, least=12, drop=2), Column("Requests", right=True, drop=2)]
        if wide
        else []
    )
    columns.append(Column("Tokens", right=True))
    columns += [Column("Of limit", right=True, drop=1)] if limited else []
    columns += (
        [Column("Billed", right=True, drop=1), Column("List price", right=True)] if money else []
    )
    columns.append(Column("Share", drop=4))
    most = max(_weight(block, money) for block in blocks)
    rows: list[Row] = []
    for block in blocks:
        style = "dim" if block["isGap"] else "bold" if block["isActive"] else ""
        cells = [
            _span(block, zone),
            "" if block["isGap"] else block["basis"],
            *([", ".join(map(words.model_name, block["models"]))] if wide else []),
        ]
        rows.append(
            Row(
                [*cells, *_figures(block, wide, limited, money, most)],
                style,
            )
        )
        for part in block.get("breakdown", ()):
            requests = {**part, "entries": part["requests"], "billedUSD": part.get("costUSD")}
            name = [SUB + split_name(part), *([""] * (len(cells) - 1))]
            rows.append(
                Row(
                    [
                        *name,
                        *_figures(requests, wide, limited, money, most),
                    ],
                    "dim",
                )
            )
    return lay_out(columns, rows, width)


def _figures(block: Block, wide: bool, limited: bool, money: bool, most: float) -> list[str]:
    if block.get("isGap"):
        return [""] * (2 + wide + limited + 2 * money)
    tokens = block["totalTokens"]
    status = block.get("tokenLimitStatus")
    guessed = block["unpricedRequests"] > 0
    prices = (
        [words.money(block[key] or 0.0, guessed) for key in ("billedUSD", "valueUSD")]
        if money
        else []
    )
    return [
        *([f"{block['entries']:,}"] if wide else []),
        f"{tokens:,}" if wide else words.tokens(tokens),
        *([f"{tokens / status['limit']:.0%}" if status else ""] if limited else []),
        *prices,
        bar(_weight(block, money) / most if most else 0.0, BAR),
    ]


def _weight(block: Block, money: bool) -> float:
    return block["valueUSD"] if money else block["totalTokens"]


def _span(block: Block, zone: tzinfo | None) -> str:
    start, end = (_local(block[key], zone) for key in ("startTime", "endTime"))
    if block["isGap"]:
        return f"{start:%Y-%m-%d %H:%M} idle {words.span((end - start).total_seconds())}"
    told = f"{start:%Y-%m-%d %H:%M} – {end:%H:%M}"
    return f"{told} now" if block["isActive"] else told


def active_lines(block: Block, zone: tzinfo | None, now: datetime) -> list[tuple[str, str]]:
    """How far the running block has come, how fast, and what it comes to at this rate."""
    start, end = (_local(block[key], zone) for key in ("startTime", "endTime"))
    kind = (
        "the plan's own window" if block["basis"] == "plan" else "estimated from its first request"
    )
    lines = [
        (f"Running since {start:%H:%M}, {kind}; ends {end:%H:%M}, in {_left(end, now)}.", ""),
    ]
    rate, projection = block["burnRate"], block["projection"]
    if rate and projection:
        speed = f"{words.tokens(round(rate['tokensPerMinute']))} tokens a minute"
        comes_to = f"{words.tokens(projection['totalTokens'])} tokens"
        if "costPerHour" in rate:
            speed += f", {words.money(rate['costPerHour'])} an hour"
            comes_to += f", {words.money(projection['totalCost'])}"
        lines.append((f"Burning {speed}: {comes_to} by its end.", ""))
    if status := block.get("tokenLimitStatus"):
        share = f"{status['percentUsed']:.0f} % of {words.tokens(status['limit'])} tokens"
        lines.append((f"At its end {share}: {status['status']}.", STYLES[status["status"]]))
    return lines


def _left(end: datetime, now: datetime) -> str:
    return words.span((end - now).total_seconds())


def _local(stamp: str, zone: tzinfo | None) -> datetime:
    return datetime.fromisoformat(stamp).astimezone(zone)


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
