"""What is known of the plan of one account, and how the wire shows it."""

from msgspec import Struct, field

from tollkeeper.model import Plan, Window
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.own.plans import PlanTerms
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.rules import windows
from tollkeeper_daemon.rules.windows import Doubt, Point
from tollkeeper_daemon.store.schema import GaugeRecord
from tollkeeper_daemon.tally import dollars


class Owner(Struct, frozen=True):
    """Whose plan a figure tells of: the account, and the Claude home that it is used in.

    Both are empty where not known. ``by_token`` says that the account is one that nobody names: it is
    not to be guessed.
    """

    account: str = ""
    home: str = ""
    by_token: bool = False


NOBODY = Owner()


class Guess(Struct, frozen=True):
    """What a hook's report of a refusal was taken for until a log says more; ``until`` in ms.

    ``conversation`` was refused; ``spent`` is the window that was taken to be the cause, as it was
    seen before, or None where none was known.
    """

    conversation: str
    until: int
    spent: GaugeRecord | None = None


class Account(Struct):
    """An account of a subscription; no name where it is not known. Times in ms.

    ``seen`` is when anything was last seen of it; ``saved`` when a window was last saved, and
    ``doubts`` the stale figures that came of it, by the window's kind. ``by_token`` says that its
    figures are of a token's account, which nobody names, ``guess`` that it refuses by a hook's word.
    """

    name: str
    home: str = ""
    seen: int = 0
    limited_until: int = 0
    windows: dict[str, GaugeRecord] = field(default_factory=dict[str, GaugeRecord])
    saved: dict[str, int] = field(default_factory=dict[str, int])
    doubts: dict[str, Doubt] = field(default_factory=dict[str, Doubt])
    by_token: bool = False
    guess: Guess | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is to be told of it."""
        return bool(self.windows or self.limited_until)


def plan_view(
    account: Account, name: str, terms: PlanTerms | None, sums: PlanSums, alone: bool, now: int
) -> Plan:
    """The account's plan; ``name`` and ``terms`` are those of the settings."""
    messages = sums.messages(account.name, alone)
    seen = {
        kind: _window_view(window, sums, alone, now) for kind, window in account.windows.items()
    }
    return Plan(
        name=name or None,
        five_hour=seen.get("five_hour"),
        seven_day=seen.get("seven_day"),
        limited_until=iso(account.limited_until) if account.limited_until else None,
        account=account.name or None,
        home=account.home or None,
        title=terms.title if terms else name or None,
        messages_today=messages.today,
        opus_messages=messages.opus,
        approximate_messages=terms.approximate_messages if terms else None,
        opus_limit=terms.opus_limit if terms else None,
    )


def _window_view(window: GaugeRecord, sums: PlanSums, alone: bool, now: int) -> Window:
    def since(point: Point) -> int:
        return sums.since(window.account, alone, point.time, point.booked, now)

    used, points = window.used_percent, window.points
    spent = since(points[-1]) if points else 0
    estimated = None
    if between := windows.rise(points):
        first, last = between
        value = since(first) - since(last)
        estimated = windows.estimate(used, last.percent - first.percent, value, spent)
    per_hour = windows.rate(window.kind, points, now)
    # A sighting says what was used then, an estimate what is by now.
    of = (window.seen, used) if estimated is None else (max(now, window.seen), estimated)
    end = windows.runs_out(of[1], per_hour, of[0], window.resets_at)
    return Window(
        used_percent=used,
        resets_at=iso(window.resets_at),
        observed_at=iso(window.seen),
        value_since_usd=dollars(spent),
        estimated_percent=None if estimated is None else round(estimated, 2),
        percent_per_hour=None if per_hour is None else round(per_hour, 2),
        runs_out_at=iso(max(end, now)) if end else None,
    )
