"""Sets ccusage beside the ledger: asks it, compares, looks for the causes, and keeps the snapshot."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper.cli.zone import local_zone
from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.ccusage import shapes
from tollkeeper_daemon.ccusage.counting import Feature, Features
from tollkeeper_daemon.ccusage.differences import Difference, compare, explained, is_told, with_rest
from tollkeeper_daemon.ccusage.evidence import Ours, Paid, paid, value_of
from tollkeeper_daemon.ccusage.look import Answered, Question
from tollkeeper_daemon.ccusage.program import (
    TIMEOUT_SECONDS,
    CcusageError,
    Program,
    daily,
    find_program,
)
from tollkeeper_daemon.ccusage.shapes import Figures, Place, Reading, UnknownShape
from tollkeeper_daemon.ccusage.snapshot import Snapshot, snapshot
from tollkeeper_daemon.clock import day_of, now_ms, start_of
from tollkeeper_daemon.config import CcusageSettings
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.outlets.children import ChildError, run_child
from tollkeeper_daemon.outlets.whole_files import write_whole
from tollkeeper_daemon.records import Reply
from tollkeeper_daemon.reports.choice import day_of as day_of_quarter
from tollkeeper_daemon.reports.choice import zone_named
from tollkeeper_daemon.reports.sheet import Sheet
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)

ASKED = "ccusage_asked"
HOUR_MS = 3_600_000
NOON_MS = 12 * HOUR_MS
# A start has other things to do, and so has an import.
FIRST_SECONDS = 60.0
FOLDERS = ("usage", "ccusage-snapshots")


class Ran(Struct, frozen=True):
    """A run of ccusage: what it told, and the ledger before and after."""

    program: Program
    theirs: Reading
    before: dict[Place, Ours]
    ours: dict[Place, Ours]


class Beside:
    """One run at a time, in a process of its own; the loop waits, and does other things meanwhile.

    ``data`` is the data directory. ``alert`` is told once what goes wrong when nobody asked,
    ``is_importing`` says whether the ledger is still to be filled.
    """

    def __init__(
        self,
        store: Store,
        followed: Followed,
        settings: Callable[[], CcusageSettings],
        prices: Callable[[], PriceList],
        data: Path,
        alert: Callable[[str], None],
        is_importing: Callable[[], bool],
    ) -> None:
        self._store = store
        self._followed = followed
        self._settings = settings
        self._prices = prices
        self._data = data
        self._alert = alert
        self._is_importing = is_importing
        self._one_at_a_time = asyncio.Lock()
        self._moved = asyncio.Event()

    def settings_moved(self) -> None:
        """The settings may be others now."""
        self._moved.set()

    async def ask(self, zone: str | None = None) -> Snapshot:
        """Both sides by the days of this zone, else of the local one; CcusageError when it fails.

        BadZone for a zone that is none. The snapshot is kept as well, if that can be.
        """
        zone = zone or local_zone() or "UTC"
        zone_named(zone)
        async with self._one_at_a_time:
            ran = await self._run(zone)
            differences = await self._explain(ran, zone)
            return await asyncio.to_thread(self._keep, ran, zone, differences)

    async def keep_up(self) -> None:
        """Ask every so many hours, as the settings say, for as long as the daemon lives."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            self._moved.clear()
            hours = self._settings().every_hours
            if not hours:
                await self._moved.wait()
                continue
            asked = self._store.read(lambda transaction: transaction.meta(ASKED)) or 0
            due = min(asked, now_ms()) + int(hours * HOUR_MS) - now_ms()
            if due > 0 or self._is_importing():
                await self._pause(max(due / 1000, FIRST_SECONDS))
                continue
            await self._ask_unasked()
            await self._pause(FIRST_SECONDS)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            pass

    async def _ask_unasked(self) -> None:
        try:
            self._store.write(lambda transaction: transaction.set_meta(ASKED, now_ms()))
            found = await self.ask()
            if found.unsaved:
                self._alert(f"ccusage's snapshot could not be saved: {found.unsaved}")
        except CcusageError as error:
            log.warning("ccusage: %s", error)
            self._alert(str(error))
        except Exception:
            log.exception("ccusage can't be set beside the ledger; it is tried again")
            self._alert("ccusage can't be set beside the ledger: see tolld.log")

    async def _run(self, zone: str) -> Ran:
        settings, folder = self._settings(), str(self._data)
        homes = [str(each.path) for each in self._followed.homes if each.projects.is_dir()]
        program = await find_program(settings, homes, folder)
        before = await asyncio.to_thread(self._ours, zone)
        answer = await daily(program, settings, zone, homes, folder)
        try:
            theirs = await asyncio.to_thread(shapes.read, answer, program.version, program.shape)
        except UnknownShape as error:
            raise CcusageError(str(error)) from None
        return Ran(program, theirs, before, await asyncio.to_thread(self._ours, zone))

    def _ours(self, zone: str) -> dict[Place, Ours]:
        """The ledger by day and model; for a thread."""
        return self._store.read(lambda transaction: _by_day_and_model(transaction, zone))

    async def _explain(self, ran: Ran, zone: str) -> list[Difference]:
        """Look into the ledger where the two reports do not tell, and into the logs where that does not."""
        found = compare(ran.theirs, ran.ours)
        open_ones = [each for each in found if not is_told(each, ran.theirs)]
        held = await asyncio.to_thread(self._paid, open_ones, zone, ran.program)
        by_ledger = [self._with_causes(each, ran, zone, held, {}) for each in found]
        days = sorted({each.place[0] for each in by_ledger if not each.is_accounted_for})
        features = await self._look_at_logs(days, zone)
        return [with_rest(self._with_causes(each, ran, zone, held, features)) for each in found]

    def _with_causes(
        self,
        difference: Difference,
        ran: Ran,
        zone: str,
        held: Mapping[Place, Paid],
        features: Mapping[Place, Features],
    ) -> Difference:
        place = difference.place
        noon = start_of(date.fromisoformat(place[0]), zone_named(zone)) + NOON_MS
        price = self._prices().price(place[1], noon)
        return explained(
            difference,
            ran.theirs,
            held.get(place, Paid()),
            _of_this_version(features.get(place, {}), ran.program.shape.folds_writes),
            ran.before.get(place) != ran.ours.get(place),
            lambda tokens: value_of(tokens, price),
        )

    async def _look_at_logs(self, days: Sequence[str], zone: str) -> dict[Place, Features]:
        if not days:
            return {}
        homes = tuple(str(each.path) for each in self._followed.homes)
        question = Question(homes, tuple(map(date.fromisoformat, days)), zone)
        words = [sys.executable, "-m", "tollkeeper_daemon.ccusage.look"]
        asked = msgspec.json.encode(question).decode()
        try:
            answer = await run_child([*words, asked], str(self._data), TIMEOUT_SECONDS)
        except ChildError as error:
            raise CcusageError(f"the logs can't be looked at: {error}", hint="") from None
        if answer.status:
            raise CcusageError(f"the logs can't be looked at: {answer.last_words}", hint="")
        told = msgspec.json.decode(answer.out, type=list[Answered])
        return {(each.day, each.model): each.features for each in told}

    def _paid(
        self, differences: Iterable[Difference], zone: str, program: Program
    ) -> dict[Place, Paid]:
        """What the ledger's requests of these days and models hold; for a thread."""
        prices, found = self._prices(), dict[Place, Paid]()
        models: dict[str, list[str]] = {}
        for each in differences:
            models.setdefault(each.place[0], []).append(each.place[1])
        for day, wanted in models.items():
            replies = self._store.read(
                lambda transaction, day=day: _replies(transaction, day, zone_named(zone))
            )
            for model in wanted:
                own = [each for each in replies if each.model == model]
                found[day, model] = paid(own, prices, program.shape.folds_writes)
        return found

    def _keep(self, ran: Ran, zone: str, differences: list[Difference]) -> Snapshot:
        """Make the snapshot of today, and write it; where that fails it says why. For a thread."""
        found = snapshot(ran.program, now_ms(), zone, ran.theirs, ran.ours, differences)
        data = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
        try:
            write_whole(str(self._data), FOLDERS, f"{day_of(now_ms())}.json", data)
        except OSError as error:
            folder = self._data.joinpath(*FOLDERS)
            return replace(found, unsaved=f"{folder} can't be written: {error.strerror}")
        return found


def _by_day_and_model(transaction: Transaction, zone: str) -> dict[Place, Ours]:
    rows = transaction.figures(0)
    books = {number: transaction.book(number) for number in {row[1] for row in rows}}
    where = zone_named(zone)
    summed = Sheet(rows, books).gather(
        lambda quarter: day_of_quarter(quarter, where).isoformat(), lambda book: book.model
    )
    return {
        place: _ours_of(totals)
        for place, figures in summed.items()
        if (totals := Totals(*figures)).requests
    }


def _ours_of(totals: Totals) -> Ours:
    figures = Figures(
        totals.input,
        totals.output,
        totals.cache_write_5m + totals.cache_write_1h,
        totals.cache_read,
        totals.value,
    )
    return Ours(figures, totals.requests, totals.unpriced, totals.cache_write_1h)


def _replies(transaction: Transaction, day: str, zone: tzinfo | None) -> list[Reply]:
    """The paid requests of this day that are still kept one by one."""
    begins = date.fromisoformat(day)
    since, until = start_of(begins, zone), start_of(begins + timedelta(days=1), zone)
    found: list[Reply] = []
    for _, time, key in transaction.timeline(since, until):
        if group := transaction.group(key):
            found += [each for each in resolve(group.entries) if each.time == time]
    return found


def _of_this_version(features: Features, is_old: bool) -> Features:
    """Without what only older versions count otherwise; how these do is not known to the token."""
    if not is_old:
        return {name: each for name, each in features.items() if name != "first-lines"}
    return {
        name: each if name == "requests" else Feature(each.count, None)
        for name, each in features.items()
    }
