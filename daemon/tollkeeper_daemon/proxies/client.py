"""Asks one proxy over HTTP, from a thread: never longer, and never more, than it may."""

import contextlib
import http.client
import ssl
import subprocess
import time
from collections.abc import Generator, Iterator

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.places import Place
from tollkeeper_daemon.proxies.answers import Bodies
from tollkeeper_daemon.proxies.proxy_clock import ProxyClock

WAIT_SECONDS = 10.0
# For one answer as a whole, however slowly it comes.
ANSWER_SECONDS = 60.0
MOST_BYTES = 16 << 20
# Of what is mostly texts, which are not kept.
MOST_PASSED = 512 << 20
AT_ONCE = 1 << 16
KEY_SECONDS = 15.0
LONGEST_KEY = 500
LONGEST_EVENT = 1 << 20
# A stream that says nothing for so long is opened anew.
SILENT_SECONDS = 300.0
UNWELL = 503


class Trouble(Exception):
    """The proxy can't be asked, or answers what it should not; the text is for people, without a name."""


class Unreached(Trouble):
    """Nobody is there: nothing was asked."""


class KeyRefused(Trouble):
    """It wants a key, or another one."""


class Client:
    """The calls; ``key`` goes along with each, if there is one, and is never told.

    ``clock`` hears of each answer when it came.
    """

    def __init__(self, place: Place, clock: ProxyClock, key: str = "") -> None:
        self._place = place
        self._clock = clock
        self._headers = {"accept": "application/json", **({"x-api-key": key} if key else {})}
        self._open: set[http.client.HTTPConnection] = set()
        self._is_closed = False

    def get(self, path: str, may_be_unwell: bool = False) -> bytes:
        """The answer to a GET; Trouble when there is none. ``may_be_unwell`` takes one with status 503."""
        with self._asked(path, WAIT_SECONDS) as response:
            _check(response.status, may_be_unwell)
            return b"".join(_bounded(response, MOST_BYTES))

    def get_bare(self, path: str) -> bytes:
        """The same of an answer with details, without the texts in it."""
        bodies, kept, size = Bodies(), list[bytes](), 0
        with self._asked(path, WAIT_SECONDS) as response:
            _check(response.status)
            for data in _bounded(response, MOST_PASSED):
                kept.append(bodies.feed(data))
                size += len(kept[-1])
                if size > MOST_BYTES:
                    raise Trouble("its answer is far too long")
        return b"".join([*kept, bodies.end()])

    def events(self, path: str) -> Iterator[bytes]:
        """The data of each event, as it comes; ends when the proxy does. Trouble when it can't be had."""
        with self._asked(path, SILENT_SECONDS) as response:
            _check(response.status)
            while line := response.readline(LONGEST_EVENT):
                if line.startswith(b"data:"):
                    yield line[5:].strip()

    def close(self) -> None:
        """Break off what is under way, from another thread, and ask nothing more."""
        self._is_closed = True
        for connection in list(self._open):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(2)

    @contextlib.contextmanager
    def _asked(self, path: str, silent: float) -> Generator[http.client.HTTPResponse]:
        connection = self._connection()
        self._open.add(connection)
        try:
            self._reach(connection)
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            self._clock.hear(response.getheader("date"), now_ms())
            if connection.sock is not None:
                connection.sock.settimeout(silent)
            yield response
        except TimeoutError:
            raise Trouble(f"it says nothing for {silent:g} seconds") from None
        except OSError as error:
            raise Trouble(f"it does not answer ({error.strerror or error})") from None
        except http.client.HTTPException as error:
            raise Trouble(f"it answers something else than HTTP ({type(error).__name__})") from None
        finally:
            self._open.discard(connection)
            connection.close()

    def _reach(self, connection: http.client.HTTPConnection) -> None:
        """Connect; Trouble when nobody is there, or when it was closed before or meanwhile."""
        try:
            if not self._is_closed:
                connection.connect()
        except OSError as error:
            raise Unreached(f"it does not answer ({error.strerror or error})") from None
        if self._is_closed:
            raise Trouble("it is not asked any more")

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._place.host, self._place.port
        if self._place.tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=WAIT_SECONDS, context=context)
        return http.client.HTTPConnection(host, port, timeout=WAIT_SECONDS)


def _check(status: int, may_be_unwell: bool = False) -> None:
    if status in (401, 403):
        raise KeyRefused("it wants a key")
    if status != 200 and not (may_be_unwell and status == UNWELL):
        raise Trouble(f"it answers with status {status}")


def _bounded(response: http.client.HTTPResponse, most: int) -> Iterator[bytes]:
    """The answer as it comes, as long as it is neither too long nor too slow."""
    deadline, size = time.monotonic() + ANSWER_SECONDS, 0
    while data := response.read1(AT_ONCE):
        size += len(data)
        if size > most:
            raise Trouble("its answer is far too long")
        if time.monotonic() > deadline:
            raise Trouble(f"its answer takes longer than {ANSWER_SECONDS:g} seconds")
        yield data


def key_of(named: str, command: str) -> str:
    """The key that the environment names, else the one that the command prints; empty for none.

    Trouble when the command fails; what it prints is told nowhere.
    """
    key = named.strip()
    if not key and command:
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=KEY_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            raise Trouble("[ccflare] key_command can't be run, or takes too long") from None
        key = done.stdout.decode(errors="replace").strip()
        if done.returncode or not key:
            raise Trouble("[ccflare] key_command failed, or printed no key")
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Trouble("its key can't be one")
    return key
