"""Runs of the real client in which every reply costs $0.02."""

import subprocess
from typing import Any

from .client import Client
from .replies import Reply, Tokens, bash, say
from .stand_in import StandIn

OPUS = ["--model", "claude-opus-5-5"]
# Of either model that the client takes by itself, or of neither.
COSTS = Tokens(input=1000, output=800)
COST_USD = 0.02


def working(command: str = "sleep 0.5") -> Reply:
    """A reply that has the client wait for a command."""
    return bash(command, tokens=COSTS)


def play(
    stand_in: StandIn, keyword: str = "GO", replies: int = 7, command: str = "sleep 0.5"
) -> None:
    """So many replies to this prompt, all but the last with a command to wait for."""
    stand_in.play(keyword, *[working(command)] * (replies - 1), say("All done.", tokens=COSTS))


def start(client: Client, keyword: str = "GO", **more: Any) -> "subprocess.Popen[bytes]":
    """Start a run that is given the replies to this keyword."""
    return client.start(f"{keyword}, please", args=OPUS, **more)
