"""A session of the client that a person started in an interactive shell, as its job."""

import shlex

import psutil

from waiting import wait_until

from .interactive import Interactive

PROMPT = "shop$ "


class InShell(Interactive):
    """Like a session of its own, but with bash above it, where ``fg`` is typed."""

    def type(self, line: str) -> None:
        """Type a line, whatever reads it, and do not look for it on the screen."""
        self._tmux("send-keys", "-l", line)
        self.press("Enter")

    def _start(self) -> None:
        command, self._command = self._command, ["bash", "--norc", "--noprofile", "-i"]
        self._environment["PS1"] = PROMPT
        self._open()
        shell = psutil.Process(int(self._tmux("display-message", "-p", "#{pane_pid}")))
        self.wait_for(PROMPT.rstrip())
        self.type(shlex.join(command))
        [self._process] = wait_until(shell.children, what="the client's start")
        wait_until(self._input_line, what="the client's prompt")
