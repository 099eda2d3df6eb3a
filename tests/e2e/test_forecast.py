"""What the real client logs of the files that it changes, and of their lines."""

from typing import Any

import pytest

from flow.keeper import Keeper

from .client import Client
from .replies import Reply, ToolUse, delegate, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e


def write(path: str, content: str) -> Reply:
    """A reply that writes this file."""
    return Reply(tools=(ToolUse("Write", {"file_path": path, "content": content}),))


def test_changes(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Stages in one conversation have their own files, and share in the client's own count of lines."""
    for agent in ("planner", "implementer"):
        client.home.add_agent(agent, "haiku")
    shop, plan = str(client.cwd / "shop.py"), str(client.cwd / "plan.md")
    edit = {"file_path": shop, "old_string": "two\n", "new_string": "2\n2.5\n"}
    stand_in.play(
        "BUILD",
        delegate("SUBPLAN task .claude-4nq.2-plan", "planner", background=False),
        delegate("SUBWORK task .claude-4nq.3-implement", "implementer", background=False),
        say("Done."),
    )
    stand_in.play("SUBPLAN", write(plan, "the plan\n"), say("Planned."))
    stand_in.play(
        "SUBWORK",
        write(shop, "one\ntwo\nthree\n"),
        Reply(tools=(ToolUse("Edit", edit),)),
        say("Built."),
    )
    client.run("BUILD it", args=("--permission-mode", "acceptEdits"))
    keeper.start()
    keeper.wait_for_requests(len(stand_in.served))
    planned, built = (piece(keeper, stage) for stage in ("plan", "implement"))
    assert (1, 1) == (planned["files"], built["files"])
    assert (2, 3) == (planned["turns"], built["turns"])
    # The client counts a new file's last newline as a line of its own.
    assert 2 + 4 + 2 + 1 == planned["lines"] + built["lines"]
    assert planned["lines"] < built["lines"]


def piece(keeper: Keeper, stage: str) -> dict[str, Any]:
    """The one past piece of work at this stage."""
    [found] = keeper.report("workflow.pieces", stage=stage)["pieces"]
    return found
