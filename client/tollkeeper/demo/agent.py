"""One made-up agent: a real process, so that pausing and stopping act on something, and what it writes."""

import os
import signal
import subprocess
from collections.abc import Mapping
from datetime import datetime, timedelta

from tollkeeper.demo.bond import bond
from tollkeeper.demo.home import Conversation, SessionFile, now, status_line
from tollkeeper.demo.lines import Tokens
from tollkeeper.demo.place import Place
from tollkeeper.demo.story import Part, Prompt, Reply, Says, Subagent, windows
from tollkeeper.letters import leave_status

# It waits for an end of its input, which comes when whoever holds the other side ends.
PROCESS = ("cat",)
PAST = Tokens(output=240, cache_read=24_000, cache_write=400)
CONTEXT_A_REPLY = 0.3
MOST_CONTEXT = 92.0
SECONDS_A_REPLY = 2.0


class Agent:
    """A part that is played by a child process. What it is told while it is frozen or gone is lost."""

    def __init__(
        self, place: Place, part: Part, environment: Mapping[str, str], curtain: datetime
    ) -> None:
        """Start the process; ``curtain`` is the time at which the story's seconds begin."""
        self._place = place
        self._part = part
        self._curtain = curtain
        self._changes = part.added, part.removed
        self._context = part.context
        self._replies = 0
        self._frozen = False
        self._conversation = Conversation(place, part.project, part.by_key)
        cwd = place.cwd(part.project)
        cwd.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            PROCESS,
            cwd=cwd,
            env={**environment, **_labels(part)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=bond(signal.SIGKILL),  # noqa: PLW1509 - it only calls prctl
        )
        self._session = SessionFile(self._process.pid, self._conversation, part.name)
        if not part.by_key:
            self._conversation.owned()
        self._write_past()
        self._session.write("busy")
        self._show_status_line(0.0)

    @property
    def pid(self) -> int:
        return self._process.pid

    def look(self) -> bool:
        """Note whether it was frozen or let go on; whether it is still there."""
        while self._process.returncode is None:
            flags = os.WNOHANG | os.WUNTRACED | os.WCONTINUED
            pid, status = os.waitpid(self.pid, flags)
            if not pid:
                break
            if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                self._frozen = os.WIFSTOPPED(status)
            else:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self._session.remove()
        return self._process.returncode is None

    def play(self, deed: Says | Prompt | Reply | Subagent) -> None:
        """Write what the client would, unless it can't just now."""
        if not self.look() or self._frozen:
            return
        match deed:
            case Says():
                self._session.write(deed.state, deed.waiting_for)
            case Prompt():
                self._conversation.prompt(now())
            case Subagent():
                self._conversation.subagent(deed.type, deed.description, deed.finished)
            case Reply():
                self._replied(deed)

    def end(self) -> None:
        """End the process, frozen or not, and wait until it is gone."""
        if self._process.stdin:
            self._process.stdin.close()
        if self.look():
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._session.remove()

    def _write_past(self) -> None:
        """What it was told and answered by now; the daemon counts for an agent what came since its start."""
        for _ in range(self._part.prompts):
            self._conversation.prompt(now())
            self._conversation.reply(self._part.model, PAST, now())

    def _replied(self, deed: Reply) -> None:
        tokens = Tokens(deed.output, deed.cache_read, deed.cache_write)
        self._conversation.reply(self._part.model, tokens, now(), deed.subagent)
        self._replies += 1
        self._context = min(self._context + CONTEXT_A_REPLY, MOST_CONTEXT)
        added, removed = self._changes
        self._changes = added + deed.added, removed + deed.removed
        self._show_status_line(deed.at)

    def _show_status_line(self, at: float) -> None:
        line = status_line(
            self._conversation,
            self._part.model,
            self._context,
            self._changes,
            self._replies * SECONDS_A_REPLY,
            {} if self._part.by_key else self._windows(at),
        )
        leave_status(str(self._place.paths.run), self._conversation.id, line)

    def _windows(self, at: float) -> dict[str, tuple[float, datetime]]:
        return {
            name: (window.percent, self._curtain + timedelta(seconds=window.resets))
            for name, window in zip(("five_hour", "seven_day"), windows(at), strict=True)
        }


def _labels(part: Part) -> dict[str, str]:
    """What its environment says of it: the key that pays is none, only whether there is one is looked at."""
    labels = {"TOLL_AGENT": part.name}
    if part.task:
        labels["TOLL_TASK"] = part.task
    if part.by_key:
        labels["ANTHROPIC_API_KEY"] = "made-up"
    if part.budget_usd:
        labels["TOLL_BUDGET_USD"] = f"{part.budget_usd:g}"
    return labels
