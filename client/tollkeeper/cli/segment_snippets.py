"""What to put into the settings of shells and status bars to see the segment there."""

from __future__ import annotations

import os

# Where a snippet names the run directory.
RUN = "@run@"
# So it is written in the documentation.
USUAL_RUN = "$XDG_RUNTIME_DIR/tollkeeper"

SNIPPETS = {
    "tmux": """\
# ~/.tmux.conf
set -g status-interval 2
set -g status-right-length 120
# While a daemon lives, the time of "alive" lies ahead of that of a file written now.
set -ag status-right ' #(cd "@run@" && : >now && [ alive -nt now ] && cat segments/all)'
# With colours, at the price of a start of Python each time:
# set -ag status-right ' #(toll segment --style tmux)'""",
    "zsh": """\
# ~/.zshrc: no process is started. While a daemon lives, the time of "alive" lies ahead of the terminal's.
toll_run="@run@"
toll_segment() {
  toll_line=
  [[ $toll_run/alive -nt /dev/fd/0 && -r $toll_run/segments/all ]] && toll_line="$(<$toll_run/segments/all)"
  toll_line=${toll_line//\\%/%%}
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd toll_segment
setopt prompt_subst
PROMPT='${toll_line:+$toll_line }'"$PROMPT\"""",
    "bash": """\
# ~/.bashrc: no process is started. While a daemon lives, the time of "alive" lies ahead of the terminal's.
toll_run="@run@"
toll_segment() {
  toll_line=
  [[ $toll_run/alive -nt /dev/fd/0 && -r $toll_run/segments/all ]] && read -r toll_line <"$toll_run/segments/all"
}
PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\\n'}toll_segment
PS1='${toll_line:+$toll_line }'"$PS1\"""",
    "fish": """\
# ~/.config/fish/conf.d/tollkeeper.fish: no process is started. While a daemon lives, the time of "alive" lies ahead.
set -g toll_run "@run@"
function toll_segment
  test -r $toll_run/segments/all; or return
  test (path mtime --relative $toll_run/alive; or echo 0) -lt 0; or return
  read --local line <$toll_run/segments/all; and echo -n "$line "
end
functions --query toll_old_prompt; or functions --copy fish_prompt toll_old_prompt
function fish_prompt
  toll_segment
  toll_old_prompt
end""",
    "starship": """\
# ~/.config/starship.toml: while a daemon lives, the time of "alive" lies ahead of that of a new pipe.
[custom.tollkeeper]
command = 'cd "@run@" && [ alive -nt /dev/fd/1 ] && cat segments/all'
when = true
shell = ["sh"]
style = ""
format = "([$output]($style) )\"""",
    "waybar": """\
// ~/.config/waybar/config: and "custom/tollkeeper" in a list of modules.
// The classes for style.css: #custom-tollkeeper.calm, .warned, .spent
"custom/tollkeeper": {
  "exec": "toll segment --style waybar",
  "return-type": "json",
  "interval": 5
}""",
    "polybar": """\
; ~/.config/polybar/config.ini: and tollkeeper in a list of modules.
[module/tollkeeper]
type = custom/script
exec = toll segment --style polybar
interval = 5""",
}


def snippet(program: str, run: str) -> str:
    """What to put into the settings of this program; ``run`` is the run directory."""
    return SNIPPETS[program].replace(RUN, spelt(run))


def spelt(run: str) -> str:
    """The directory as it is written in double quotes, so that it fits the user's other machines."""
    for variable in ("XDG_RUNTIME_DIR", "HOME"):
        folder = os.environ.get(variable, "").rstrip("/")
        if folder and run.startswith(f"{folder}/"):
            return f"${variable}{_quoted(run.removeprefix(folder))}"
    return _quoted(run)


def _quoted(text: str) -> str:
    return "".join(f"\\{letter}" if letter in '\\"$`' else letter for letter in text)
