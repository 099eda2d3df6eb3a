"""Reads the terminal, and tells an Escape as soon as it can't be the beginning of another key.

Textual's own loop looks after a lone Escape only every tenth of a second. See its ``LinuxDriver``.
"""

import os
from codecs import getincrementaldecoder
from select import select

from textual import constants

# There is no public way to the keys that bytes of a terminal stand for.
from textual._xterm_parser import XTermParser  # pyright: ignore[reportPrivateUsage]
from textual.drivers.linux_driver import LinuxDriver

# So soon it is seen that the dashboard ends.
REST_SECONDS = 0.1
CHUNK = 4096


class Keyboard(LinuxDriver):
    """A driver of Textual's that answers a lone Escape after ``constants.ESCAPE_DELAY`` seconds."""

    def run_input_thread(self) -> None:
        """Hand on what is typed, until the dashboard ends or the terminal is gone."""
        parser = XTermParser()
        decode = getincrementaldecoder("utf-8")("replace").decode
        wait = REST_SECONDS
        while not self.exit_event.is_set():
            is_typed = bool(select([self.fileno], [], [], wait)[0])
            if is_typed:
                typed = os.read(self.fileno, CHUNK)
                if not typed:
                    return
                # Nothing, where it is only the beginning of a character, would say that no more comes.
                if text := decode(typed):
                    for event in parser.feed(text):
                        self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
            wait = constants.ESCAPE_DELAY if is_typed else REST_SECONDS
