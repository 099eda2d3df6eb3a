"""What a log says, once the words are taken off: the records that flow from transcript to ledger.

Tokens are counts, times are milliseconds since 1970 (UTC), money is whole nano-dollars.
"""

from msgspec import Struct


class Advice(Struct, frozen=True, array_like=True, gc=False):
    """A request that an advisor model answered inside a reply, paid on top of it."""

    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


class Step(Struct, frozen=True, array_like=True, gc=False):
    """One of several turns of the model inside a reply: its part of the reply's tokens."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


class Reply(Struct, frozen=True, array_like=True, gc=False):
    """One line of a paid reply of the API: whose it is, and the usage that it names.

    ``owned`` says that the line itself names the conversation that made the request, which a
    copy in a fork does not always do. ``steps`` are empty where the model took only one.
    """

    message: str
    request: str
    line: str
    conversation: str
    owned: bool
    time: int
    model: str
    subagent: str
    subagent_type: str
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    web_searches: int
    fast: bool
    us: bool
    advice: tuple[Advice, ...] = ()
    steps: tuple[Step, ...] = ()


class Prompt(Struct, frozen=True, array_like=True, gc=False):
    """A message that a person or an orchestrator sent.

    ``owned`` says that the conversation is known to be the one in which it was sent. ``answered``
    is the time of the reply that answers it, 0 while none does, and ``model`` who replied.
    """

    line: str
    conversation: str
    time: int
    cwd: str
    owned: bool = False
    answered: int = 0
    model: str = ""


class Spent(Struct, frozen=True, array_like=True, gc=False):
    """What was used of a model, and what it came to (``value``, nano-dollars)."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    value: int = 0


class Statement(Struct, frozen=True, array_like=True, gc=False):
    """The client's own totals of a conversation, as a ``cost-state`` line gives them, by model.

    They count from ``started`` (ms, 0 when unknown), over clients that ran for ``duration`` (ms)
    together. ``unpriced`` says that the client knew no
    price for a model of them, ``unsplit`` that it counts all cache writes as one kind.
    """

    models: tuple[tuple[str, Spent], ...]
    value: int
    started: int = 0
    unpriced: bool = False
    unsplit: bool = False
    duration: int = 0


class Profile(Struct, frozen=True, array_like=True, gc=False):
    """What lines say about a conversation as such; empty or None where they say nothing.

    ``client_cost`` (nano-dollars), ``lines_added``, ``lines_removed`` and ``statement`` are the
    client's own totals, which it writes into ``cost-state`` lines.
    """

    conversation: str
    title: str = ""
    account: str = ""
    client_cost: int | None = None
    lines_added: int = 0
    lines_removed: int = 0
    statement: Statement | None = None


class Refusal(Struct, frozen=True, array_like=True, gc=False):
    """The API refused a request because a plan's window is spent; ``resets_at`` in ms.

    Without a window it is no plan that refused: the API has too much to do just now.
    """

    conversation: str
    time: int
    window: str = ""
    resets_at: int = 0


class Owner(Struct, frozen=True, array_like=True, gc=False):
    """A log names the account of the subscription that pays from a time (ms) on."""

    conversation: str
    since: int
    account: str


class Mention(Struct, frozen=True, array_like=True, gc=False):
    """From a time (ms) on a task id stands, or stands no more, where a conversation or a subagent works.

    ``in_order`` says that it stands in what the subagent was told to do, and not in its branch or folder.
    """

    conversation: str
    time: int
    subagent: str
    task: str
    in_order: bool = False


class Edit(Struct, frozen=True, array_like=True, gc=False, order=True):
    """A reply asks to change a file: when (ms), which one, and in how many bytes.

    ``file`` is a checksum of its path, from which no path can be had back.
    """

    time: int
    file: int
    size: int


class Edits(Struct, frozen=True, array_like=True, gc=False):
    """The edits of a conversation, or of one of its subagents."""

    conversation: str
    subagent: str
    subagent_type: str
    edits: tuple[Edit, ...]


Record = Reply | Prompt | Profile | Refusal


FileId = tuple[int, int]
"""A file's device and inode."""


class FileMark(Struct, frozen=True, array_like=True, gc=False):
    """How far a log has been read: everything before ``offset`` is in the ledger.

    ``check`` is the CRC-32 of the last bytes before the offset: it tells a file that was replaced.
    ``skipping`` says that the offset stands inside a line too long to be read, ``open`` holds the
    latest prompts before the offset that no reply has followed yet. ``owner`` is the conversation
    and the account that were named last; while ``owner_waits`` the line that dates it is to come.
    """

    path: str
    offset: int = 0
    check: int = 0
    skipping: bool = False
    open: tuple[Prompt, ...] = ()
    owner: tuple[str, str] = ("", "")
    owner_waits: bool = False


class EarlierDay(Struct, frozen=True, array_like=True):
    """A day as the client's own statistics have it, by its rules: see docs/accounting.md.

    ``date`` is as 2026-11-22, ``models`` tokens by model, ``lines`` the lines of the day's logs,
    ``sessions`` the conversations begun. ``cache_counted`` says that cache tokens are among them.
    """

    home: str
    date: str
    models: dict[str, int] = {}
    lines: int = 0
    sessions: int = 0
    cache_counted: bool = False

    @property
    def tokens(self) -> int:
        """The tokens of all models."""
        return sum(self.models.values())
