"""The status-line command that ``toll setup`` installs: a few lines of shell. Pure."""

import re
import shlex

NOT_RUNNING = "toll: not running (toll up)"
BETWEEN = " | "

_TEXT = r"""#!/bin/sh
# Claude Code's status line, written by `toll setup`, which replaces it: changes do not last.
# Hands what Claude Code says on stdin to the daemon, and shows the line that the daemon keeps ready,
# behind that of the command in $1, if there is one. Starts no other program than cat.
exec 2>/dev/null
umask 077
run=@run@
id=${CLAUDE_CODE_SESSION_ID:-all}
case $id in *[!0-9A-Za-z_-]*) id=all ;; esac
letter=$run/inbox/status/$id
theirs='' ours=''
show() { printf '%s\n' "$theirs${theirs:+${ours:+@between@}}$ours"; }

# The daemon keeps the time of `alive` ahead, for as long as it lives.
if true >"$letter" && [ "$run/alive" -nt "$letter" ]; then
    IFS= read -r ours <"$run/segments/$id" || [ -n "$ours" ] || IFS= read -r ours <"$run/segments/all"
    if [ -z "${1-}" ]; then
        show
        exec cat >"$letter"
    fi
    said=$(cat)
    printf '%s' "$said" >"$letter"
    theirs=$(printf '%s' "$said" | sh -c "$1")
    show
    exit 0
fi
ours='@not_running@'
[ -z "${1-}" ] || theirs=$(sh -c "$1")
show
[ ! -e "$letter" ] || exec rm -f "$letter"
"""


def script(run: str) -> str:
    """The script for this run directory."""
    known = {"run": shlex.quote(run), "between": BETWEEN, "not_running": NOT_RUNNING}
    return re.sub(r"@(\w+)@", lambda found: known[found[1]], _TEXT)


def command(path: str, theirs: str | None) -> str:
    """What Claude Code runs as its status line: the script, with a command to show as well.

    Alone the script is read by the shell that Claude Code starts for any command, which saves the
    start of another.
    """
    return shlex.join([".", path] if theirs is None else [path, theirs])
