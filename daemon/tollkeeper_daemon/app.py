"""The daemon's story: start this, start that, run, and in the end stop them in reverse."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Generator
from functools import partial
from logging.handlers import RotatingFileHandler

import zmq
import zmq.asyncio

from tollkeeper.cli.words import plain
from tollkeeper.errors import PlaceError
from tollkeeper.paths import Paths, find_paths
from tollkeeper_daemon import guard
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.config import ConfigError, load_config
from tollkeeper_daemon.control.server import Server
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.endings import Endings
from tollkeeper_daemon.ledger.prices import PriceError, load_prices
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.journal_log import is_journal, to_journal
from tollkeeper_daemon.outlets.notifier import Notifier, connect_desktop, has_desktop
from tollkeeper_daemon.outlets.on_events import OnEvents
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.outlets.supervisor import Supervisor
from tollkeeper_daemon.own.file import OwnFile, OwnFileError
from tollkeeper_daemon.sources.homes import find_homes
from tollkeeper_daemon.store.store import Store, StoreError

log = logging.getLogger(__name__)

LOG_BYTES = 1 << 20
LOOK_AFTER_SECONDS = 5.0


class StartRefused(Exception):
    """The daemon can't run; the text is one line for people."""


def run(verbose: bool = False) -> None:
    """Run the daemon until SIGTERM, SIGINT or a call of ``shutdown``."""
    supervisor = Supervisor.taken_from()
    try:
        paths = find_paths()
        guard.prepare(paths)
        locks = [guard.Lock(paths.lock), guard.Lock(paths.ledger_lock)]
    except (guard.GuardError, PlaceError) as error:
        raise StartRefused(f"{error}; {error.hint}") from None
    os.umask(0o077)
    _log_to(paths, verbose)
    try:
        asyncio.run(_live(paths, supervisor))
    except (ConfigError, PriceError, OwnFileError) as error:
        raise StartRefused(str(error)) from None
    except StoreError as error:
        raise StartRefused(f"{error}; {error.hint}") from None
    finally:
        for lock in reversed(locks):
            lock.release()


async def _live(paths: Paths, supervisor: Supervisor) -> None:
    config = load_config(paths.settings)
    prices = load_prices(OwnFile(paths.prices).read(), str(paths.prices))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    commands = Commands(config.on.timeout_seconds)
    on_events = OnEvents(config.on, commands)
    with (
        Store(paths.ledger) as store,
        _sockets(paths) as context,
        # A socket that is left open would keep the context, and so the process, from ending.
        contextlib.closing(
            Publisher(zmq.Context(context), paths.updates_socket, now_ms(), on_events.hear)
        ) as publisher,
    ):
        notifier = Notifier(config.notify, commands, connect_desktop if has_desktop() else None)
        daemon = Daemon(store, prices, config, find_homes(), publisher, notifier, stop, paths)
        commands.on_trouble = partial(daemon.herald.alert, "command")
        daemon.settings.follow(on_events.follow)
        endings = Endings(daemon, on_events)
        server = Server(context, paths.control_socket, daemon)
        try:
            await daemon.start()
            server.start()
            endings.start()
            supervisor.ready()
            log.info("listening, with pid %d", os.getpid())
            await _wait_for_end(paths, stop)
        finally:
            await supervisor.stopping()
            await endings.stop()
            await server.stop()
            await daemon.stop()
            await commands.stop()
            notifier.close()
            log.info("stopped")


async def _wait_for_end(paths: Paths, stop: asyncio.Event) -> None:
    """Wait until told to stop, or until what the daemon stands on was removed under it."""
    stands_on = (paths.control_socket, paths.lock, paths.ledger)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AFTER_SECONDS):
                await stop.wait()
        for path in stands_on:
            if not path.exists():
                log.error("%s was removed; the daemon ends, the next one begins anew", path)
                stop.set()


@contextlib.contextmanager
def _sockets(paths: Paths) -> Generator[zmq.asyncio.Context]:
    """A ZeroMQ context, and the sockets' files gone before and after."""
    context = zmq.asyncio.Context()
    files = (paths.control_socket, paths.updates_socket)
    for file in files:
        file.unlink(missing_ok=True)
    try:
        yield context
    finally:
        context.destroy(linger=200)
        for file in files:
            file.unlink(missing_ok=True)


def _log_to(paths: Paths, verbose: bool) -> None:
    """Log to the data directory, and to the terminal or the journal when there is one."""
    handlers: list[logging.Handler] = [
        RotatingFileHandler(paths.log, maxBytes=LOG_BYTES, backupCount=2, delay=True)
    ]
    if sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    elif is_journal(sys.stderr.fileno()):
        handlers.append(to_journal())
    for handler in handlers:
        handler.addFilter(_made_plain)
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        handlers=handlers,
    )


def _made_plain(record: logging.LogRecord) -> bool:
    """Words of others in a message can neither begin a line of their own nor move a cursor."""
    record.msg, record.args = plain(record.getMessage()), None
    return True
