"""The snippets of tmux, starship, waybar and polybar: what they show of a segment."""

import configparser
import json
import os
import re
import subprocess
import tomllib
from datetime import UTC, datetime

import pytest

from client.making import agent, status
from tollkeeper.cli.segment_snippets import snippet
from tollkeeper.segment import render
from tray.screen import display as virtual_display
from tray.screen import running
from waiting import wait_until

from .conftest import STARSHIP, Open, Place, need
from .terminal import PATH, Terminal
from .test_shells import LINE, NASTY

BACKSLASH = "\\"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def in_tmux(place: Place, open_terminal: Open, settings: str) -> Terminal:
    """A tmux with these settings, seen in a terminal."""
    conf = place.home / "tmux.conf"
    conf.write_text(f"set -g status-right ''\n{settings}\n")
    socket = str(place.home / "inner")
    return open_terminal(
        "env", "-u", "TMUX", "tmux", "-u", "-S", socket, "-f", str(conf), "new", "cat"
    )


def end_inner(place: Place) -> None:
    """End the tmux that was seen."""
    subprocess.run(
        ["tmux", "-S", str(place.home / "inner"), "kill-server"], check=False, capture_output=True
    )


def test_tmux_follows_the_file(place: Place, open_terminal: Open) -> None:
    """The status line shows the segment, and nothing of it when the daemon has ended."""
    place.shows(LINE)
    terminal = in_tmux(place, open_terminal, snippet("tmux", str(place.run)))
    try:
        terminal.wait_for(lambda screen: LINE in screen, LINE)
        place.shows("[🤖 1 agent]")
        terminal.wait_for(lambda screen: "[🤖 1 agent]" in screen, "the new line")
        place.is_gone()
        terminal.wait_for(lambda screen: "🤖" not in screen, "bare status line")
        assert "No such file" not in terminal.screen()
    finally:
        end_inner(place)


def test_killed_daemon_shows_nothing_in_tmux(place: Place, open_terminal: Open) -> None:
    """What a daemon left that was killed goes from the status line, and comes again with the next one."""
    place.shows(LINE)
    terminal = in_tmux(place, open_terminal, snippet("tmux", str(place.run)))
    try:
        terminal.wait_for(lambda screen: LINE in screen, LINE)
        place.alive(-1)
        terminal.wait_for(lambda screen: "🤖" not in screen, "bare status line")
        place.alive(30)
        terminal.wait_for(lambda screen: LINE in screen, LINE)
    finally:
        end_inner(place)


@pytest.mark.parametrize("name", NASTY)
def test_names_are_text_in_tmux(name: str, place: Place, open_terminal: Open) -> None:
    """An agent's name stands in the status line as it reads, and nothing of it is run."""
    one = agent(name, state="paused")
    told, plain = (
        render(status(one), "<{name} is {state}>", style, NOW, one) for style in ("tmux", "plain")
    )
    (place.home / "styled").write_text(told)
    settings = f"set -g status-right-length 100\nset -g status-right '#(cat {place.home}/styled)'"
    terminal = in_tmux(place, open_terminal, settings)
    try:
        terminal.wait_for(lambda screen: plain in screen, plain)
        assert not [*place.home.rglob("hit")]
    finally:
        end_inner(place)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_starship_shows_the_file(shell: str, place: Place, open_terminal: Open) -> None:
    """Starship's prompt shows the segment, with names as text, and nothing of it when the daemon is gone."""
    need("starship", shell)
    (place.home / ".config").mkdir()
    own = 'format = "${custom.tollkeeper}$character"\n[character]\nsuccess_symbol = ">"\nerror_symbol = ">"\n'
    (place.home / ".config" / "starship.toml").write_text(own + snippet("starship", str(place.run)))
    start = f'PATH={PATH}:{STARSHIP}\neval "$(starship init {shell})"\n'
    (place.home / f".{shell}rc").write_text(start)
    place.shows(LINE)
    # It writes \\$ for bash's prompt, which is a # there for root.
    is_root_in_bash = shell == "bash" and os.getuid() == 0

    def shown(line: str) -> str:
        return line.replace("$", "#") if is_root_in_bash else line

    flag = {"bash": "--noprofile", "zsh": "-d"}[shell]
    terminal = open_terminal(shell, flag, "-i")
    terminal.wait_for_line(f"{shown(LINE)} >")
    for name in NASTY:
        one = agent(name, state="paused")
        told, plain = (
            render(status(one), "<{name} is {state}>", style, NOW, one)
            for style in ("starship", "plain")
        )
        place.shows(told)
        terminal.type("")
        terminal.wait_for_line(f"{shown(plain.replace(BACKSLASH, '·'))} >")
    place.alive(-1)
    terminal.type("")
    terminal.wait_for_line(">")
    place.is_gone()
    terminal.type("clear")
    terminal.wait_for_line(">")
    assert not [*place.home.rglob("hit")]


def test_starship_snippet_is_toml(place: Place) -> None:
    """The snippet is what starship reads."""
    [(name, module)] = tomllib.loads(snippet("starship", str(place.run)))["custom"].items()
    assert ("tollkeeper", ["sh"]) == (name, module["shell"])


def test_waybar_snippet_is_json() -> None:
    """The snippet is a module that waybar reads as JSON, from the command that prints it."""
    text = re.sub(r"^//.*$", "", snippet("waybar", "/run"), flags=re.MULTILINE)
    module = json.loads(f"{{{text}}}")["custom/tollkeeper"]
    assert ("toll segment --style waybar", "json") == (module["exec"], module["return-type"])


def test_polybar_snippet_is_ini() -> None:
    """The snippet is a module of a script that polybar reads."""
    read = configparser.ConfigParser()
    read.read_string(snippet("polybar", "/run"))
    module = dict(read["module/tollkeeper"])
    assert ("custom/script", "toll segment --style polybar") == (module["type"], module["exec"])


def test_polybar_shows_colours(place: Place) -> None:
    """Polybar draws the segment in its colours, and a name that looks like its markup draws none."""
    need("polybar", "Xvfb")
    xlib = pytest.importorskip("Xlib.display")
    one = agent("%{B#00ff00}x{B#00ff00}", state="paused", context_used_percent=85.0)
    told = render(status(one), "{name} is {state} {context} %{name}", "polybar", NOW, one)
    (place.home / "line").write_text(told)
    own = "[bar/top]\nwidth = 100%\nheight = 27\nbackground = #000000\nmodules-left = tollkeeper\n"
    text = snippet("polybar", str(place.run))
    text = text.replace("toll segment --style polybar", f"cat {place.home}/line")
    (place.home / "config.ini").write_text(f"{own}font-0 = monospace:size=12\n{text}\n")

    def drawn(display: str) -> set[bytes]:
        opened = xlib.Display(display)
        zpixmap = 2
        root = opened.screen().root
        data: bytes = root.get_image(0, 0, 640, 27, zpixmap, 0xFFFFFFFF).data
        opened.close()
        return {data[at + 2 : at - 1 : -1] if at else data[2::-1] for at in range(0, len(data), 4)}

    with (
        virtual_display("640x240") as name,
        running(["polybar", "-c", str(place.home / "config.ini"), "top"], DISPLAY=name) as polybar,
    ):
        red, yellow, green = (bytes.fromhex(hue) for hue in ("e01b24", "e5a50a", "00ff00"))
        seen: set[bytes] = set()

        def is_coloured() -> bool:
            assert polybar.poll() is None, "polybar ended"
            seen.clear()
            seen.update(drawn(name))
            return {red, yellow} <= seen

        wait_until(is_coloured)
        assert green not in seen
