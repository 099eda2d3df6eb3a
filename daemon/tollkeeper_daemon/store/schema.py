"""What is saved, and under which version: every type here stays readable, or gets a migration.

All are MessagePack arrays: fields are only ever added at the end, with a default.
"""

from msgspec import Struct

# Counts up when a stored form changes in a way that new defaults can't bridge.
VERSION = 2


class Conversation(Struct, frozen=True, array_like=True, gc=False):
    """What is known of a conversation beyond its sums; times in ms, money in nano-dollars.

    ``project`` is the log's folder, ``client_cost`` the client's own total so far, ``source`` and
    ``account`` say who pays where no agent is known to.
    """

    project: str = ""
    cwd: str = ""
    title: str = ""
    source: str = ""
    account: str = ""
    first_time: int = 0
    last_time: int = 0
    client_cost: int | None = None
    lines_added: int = 0
    lines_removed: int = 0


class AgentRecord(Struct, frozen=True, array_like=True, gc=False):
    """An agent that was seen: its process, names and labels; times in ms, 0 for not yet.

    ``source`` is empty while the conversation has to tell it, ``budget`` is in nano-dollars;
    ``named_by_label`` says that ``TOLL_AGENT`` gave the name, ``turns`` to which conversations the
    agent turned, and when.
    """

    id: str
    pid: int
    name: str
    started: int
    run: str
    ended: int = 0
    cwd: str = ""
    conversation: str = ""
    source: str = ""
    account: str = ""
    workflow: str = ""
    task: str = ""
    stage: str = ""
    budget: int | None = None
    named_by_label: bool = False
    model: str = ""
    turns: tuple[tuple[str, int], ...] = ()


class RunRecord(Struct, frozen=True, array_like=True, gc=False):
    """A span in which agents work; ``ended`` is 0 while it lasts, ``last_lived`` when one last did."""

    id: str
    started: int
    last_lived: int
    ended: int = 0


class PlanWindow(Struct, frozen=True, array_like=True, gc=False):
    """A window of a plan, as the API named it when it refused a request; times in ms.

    ``kind`` is the API's own name, such as ``five_hour``; ``seen`` is when it was first named.
    """

    kind: str
    account: str
    resets_at: int
    seen: int
