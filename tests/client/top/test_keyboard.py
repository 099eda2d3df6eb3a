"""The dashboard's keyboard, on a terminal of its own."""

import asyncio
import os
import pty
import threading
import tty
from collections.abc import Generator

import pytest
from textual.app import App
from textual.events import Key
from textual.message import Message

from tollkeeper.top.keyboard import Keyboard
from waiting import wait_until


class Heard(Keyboard):
    """A keyboard that keeps the keys."""

    def __init__(self, fileno: int) -> None:
        super().__init__(App[None]())  # pyright: ignore[reportUnknownMemberType]
        self.fileno = fileno
        self.keys: list[str] = []

    def process_message(self, message: Message) -> None:
        if isinstance(message, Key):
            self.keys.append(message.character or "" if message.is_printable else message.key)


async def heard(fileno: int) -> Heard:
    """A keyboard at this end; to be made where a loop runs."""
    return Heard(fileno)


@pytest.fixture
def typing() -> Generator[tuple[int, Heard]]:
    """The end of a terminal at which one types, and the keyboard at its other end."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    keyboard = asyncio.run(heard(theirs))
    thread = threading.Thread(target=keyboard.run_input_thread)
    thread.start()
    yield ours, keyboard
    keyboard.exit_event.set()
    thread.join()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ([b"\x1b"], ["escape"]),
        ([b"\x1b[27u"], ["escape"]),
        ([b"\x1b[C"], ["right"]),
        ([b"a\x1b"], ["a", "escape"]),
        (["é".encode()[:1], "é".encode()[1:]], ["é"]),
        ([b"\xff", b"a"], ["�", "a"]),
    ],
)
def test_keys(typing: tuple[int, Heard], typed: list[bytes], keys: list[str]) -> None:
    """Every key is told, however a terminal writes it and in however many pieces, and the next one after it."""
    terminal, keyboard = typing
    for piece in typed:
        os.write(terminal, piece)
    wait_until(lambda: len(keyboard.keys) == len(keys))
    os.write(terminal, b"z")
    wait_until(lambda: keyboard.keys[-1] == "z")

    assert keyboard.keys == [*keys, "z"]


def test_end_of_terminal() -> None:
    """A terminal that is gone ends the reading."""
    read, write = os.pipe()
    keyboard = asyncio.run(heard(read))
    thread = threading.Thread(target=keyboard.run_input_thread)
    thread.start()
    os.close(write)
    thread.join()
    os.close(read)

    assert not keyboard.keys
