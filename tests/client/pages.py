"""Pages of requests, as a daemon that is made up answers an export with."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.exports import Page, Request

from .fake_daemon import reply


def request(number: int = 1, **more: Any) -> Request:
    """A request of the conversation ``c``, at ``number`` minutes past nine."""
    made = Request(
        time=f"2026-11-22T09:{number:02}:00.000+00:00",
        conversation="c",
        project="shop",
        cwd="/src/shop",
        agent=None,
        agent_id=None,
        subagent=None,
        subagent_type=None,
        model="claude-opus-5-5",
        source="api",
        account=None,
        workflow=None,
        task=None,
        stage=None,
        request=f"r{number}",
        input_tokens=1,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_5m_tokens=4,
        cache_write_1h_tokens=5,
        web_searches=6,
        fast=False,
        us=True,
        value_usd=0.000000007,
        cost_usd=0.000000007,
        unpriced=False,
    )
    return replace(made, **more)


def paged(*pages: list[Request]) -> Callable[[wire.Request], list[wire.Reply]]:
    """A daemon that answers with these pages, one after the other."""

    def answer(call: wire.Request) -> list[wire.Reply]:
        number = int(call.params.get("after", "0"))
        following = str(number + 1) if number + 1 < len(pages) else None
        total = sum(map(len, pages)) if number == 0 else None
        return [reply(call, Page(pages[number], following, total))]

    return answer


TWO_PAGES = paged([request(1), request(2)], [request(3)])
