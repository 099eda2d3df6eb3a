"""``toll resume``: let agents go on that are held, with more budget if some is added."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.amounts import more_dollars, more_tokens
from tollkeeper.cli.context import Ask
from tollkeeper.cli.whom import agent_options, agent_params, tell
from tollkeeper.errors import NoDaemonError, PlaceError, StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Let agents go on that are paused, or whose tool calls are refused. A limit that held one acts "
    "on it no more; with --add-usd or --add-tokens it is raised instead, so that so much is left "
    "of it, and holds the agent again when that is used up. Without a daemon (--no-start, or when "
    "none can be started) they are set free all the same."
)


def options(parser: ArgumentParser) -> None:
    agent_options(parser, "every agent that is held")
    more = parser.add_mutually_exclusive_group()
    more.add_argument("--add-usd", metavar="N", type=more_dollars, help="so many dollars more")
    more.add_argument("--add-tokens", metavar="N", type=more_tokens, help="so many tokens more")


def run(ask: Ask, options: Namespace) -> int:
    params = agent_params(ask, options, "held")
    more = {"add_usd": options.add_usd, "add_tokens": options.add_tokens}
    added = {name: value for name, value in more.items() if value is not None}
    try:
        answer = ask.plain("resume", {**params, **added})
    except (NoDaemonError, StartError, PlaceError) as error:
        if added:
            needed = NoDaemonError(f"more budget needs the daemon, and {error.message}", error.hint)
            raise needed from None
        answer = _without_daemon(params, error)
    return tell(ask, answer, "No agent is held.")


def _without_daemon(
    params: dict[str, Any], error: NoDaemonError | StartError | PlaceError
) -> dict[str, Any]:
    from tollkeeper.cli.thaw import thaw

    if not isinstance(error, NoDaemonError):
        print(f"toll: {words.plain(error.message)}", file=sys.stderr)
    return thaw(params.get("agents"))
