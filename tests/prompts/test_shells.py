"""The snippets of shells: what stands in the prompt, at which price, and with which words of others."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.making import agent, status
from tollkeeper.cli.segment_snippets import snippet
from tollkeeper.model import Limit
from tollkeeper.segment import Style, render

from .conftest import Open, Place, need

SHELLS = ("bash", "zsh", "fish")
LINE = "[🤖 3 agents | ⚠ 2 pending | Plan: 67% | API: $2.47]"
# What could be more than text in some prompt.
NASTY = (
    "$(touch hit)",
    "`touch hit`",
    "${HOME} $HOME",
    r"\$(touch hit) \\$(touch hit) \` \\` \w \033 \u",
    "%F{red}%n%% %(!.a.b) %{",
    "#[fg=red]#{pane_id}#(touch hit) ##[x] # %H:%M",
    "\x1b[31m\x1b]0;title\x07 \r\n \x9b31m",
    "\"quoted\" 'quoted' ; & | < > * ? [a] !! !$ ~",
    "[A](bold)$x",
)
FORMAT = "<{name} is {state}, {limit}>"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def settings(shell: str, place: Place) -> tuple[str, ...]:
    """Write the shell's settings with the snippet in them; the command that reads them."""
    home, text = place.home, snippet(shell, str(place.run))
    if shell == "bash":
        (home / ".bashrc").write_text(f"PS1='$ '\n{text}\n")
        return ("bash", "--noprofile", "-i")
    if shell == "zsh":
        (home / ".zshrc").write_text(f"PROMPT='$ '\n{text}\n")
        return ("zsh", "-d", "-i")
    folder = home / ".config" / "fish" / "conf.d"
    folder.mkdir(parents=True)
    # Else it makes completions of all manual pages first.
    (home / ".local" / "share" / "fish" / "generated_completions").mkdir(parents=True)
    (folder / "tollkeeper.fish").write_text(text)
    own = home / ".config" / "fish" / "functions"
    own.mkdir()
    (own / "fish_prompt.fish").write_text("function fish_prompt\n  echo -n '$ '\nend\n")
    (home / ".config" / "fish" / "config.fish").write_text("set -g fish_greeting\n")
    return ("fish", "-i")


@pytest.mark.parametrize("shell", SHELLS)
def test_prompt_follows_the_file(shell: str, place: Place, open_terminal: Open) -> None:
    """Each prompt shows what the file holds by then, to the letter; without one there is no trace of it."""
    need(shell)
    place.shows(LINE)
    terminal = open_terminal(*settings(shell, place))
    terminal.wait_for_line(f"{LINE} $")
    for line in NASTY[:6]:
        place.shows(line)
        terminal.type("")
        terminal.wait_for_line(f"{line} $")
    place.is_gone()
    terminal.type("clear")
    screen = terminal.wait_for_line("$")
    assert ["$"] == screen.split()
    assert not [*place.home.rglob("hit")]


@pytest.mark.parametrize("shell", SHELLS)
def test_killed_daemon_shows_nothing(shell: str, place: Place, open_terminal: Open) -> None:
    """What a daemon left that was killed is no figure any more: soon the prompt is bare."""
    need(shell)
    place.shows(LINE)
    terminal = open_terminal(*settings(shell, place))
    terminal.wait_for_line(f"{LINE} $")
    place.alive(-10)
    terminal.type("")
    terminal.wait_for_line("$")


@pytest.mark.parametrize("shell", SHELLS)
def test_no_process_is_started(shell: str, place: Place, open_terminal: Open) -> None:
    """Nothing is forked or run for a prompt; the same shell is seen to fork for a command."""
    need(shell, "strace")
    trace = place.home / "trace"
    calls = "trace=fork,vfork,clone,clone3,execve"
    place.shows("first")
    terminal = open_terminal(
        "strace",
        "-f",
        "-qq",
        "-e",
        calls,
        "-e",
        "signal=none",
        "-o",
        str(trace),
        *settings(shell, place),
    )
    terminal.wait_for_line("first $")
    started = starts(trace)
    for number in range(5):
        place.shows(f"line {number}")
        terminal.type("")
        terminal.wait_for_line(f"line {number} $")
    assert starts(trace) == started, trace.read_text()
    terminal.type("/bin/true; echo done")
    terminal.wait_for(lambda screen: "\ndone" in screen, "done")
    assert starts(trace) > started


def starts(trace: Path) -> int:
    """How many processes were started; threads are none."""
    lines = trace.read_text().splitlines()
    return sum("CLONE_THREAD" not in line and "resumed" not in line for line in lines)


# The ways in which people put a coloured segment into a prompt; each reads the file "styled".
WAYS: dict[str, tuple[str, Style, str]] = {
    "bash": ("bash", "bash", """PROMPT_COMMAND='PS1="$(<~/styled) \\$ "'"""),
    "zsh by a variable": (
        "zsh",
        "zsh",
        "setopt prompt_subst; precmd() { line=$(<~/styled) }; PROMPT='$line $ '",
    ),
    "zsh": ("zsh", "zsh", """unsetopt prompt_subst; precmd() { PROMPT="$(<~/styled) $ " }"""),
    "zsh expanded": (
        "zsh",
        "zsh",
        """setopt prompt_subst; precmd() { PROMPT="$(<~/styled) $ " }""",
    ),
    "fish": (
        "fish",
        "ansi",
        'function fish_prompt; read -l line <~/styled; echo -n "$line \\$ "; end',
    ),
}


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("way", WAYS)
def test_names_are_text(way: str, name: str, place: Place, open_terminal: Open) -> None:
    """An agent's name stands in a coloured prompt as it reads, and nothing of it is run."""
    shell, style, line = WAYS[way]
    need(shell)
    limit = Limit(
        scope="agent:x", bound_usd=5, used=4.5, fraction=0.9, action="pause", state="warned"
    )
    one = agent(name, state="paused", limits=(limit,))
    told = {each: render(status(one), FORMAT, each, NOW, one) for each in (style, "plain")}
    assert told[style] != told["plain"]
    (place.home / "styled").write_text(told[style])
    command = settings(shell, place)
    after = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[shell]
    with (place.home / after).open("a") as file:
        file.write(f"{line}\n")
    terminal = open_terminal(*command)
    shown = told["plain"].replace("`", "'") if style == "zsh" else told["plain"]
    terminal.wait_for_line(f"{shown} $")
    assert not [*place.home.rglob("hit")]
