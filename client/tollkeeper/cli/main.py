"""The entry of ``toll``: global options, the verbs, and errors in one line."""

import importlib
import os
import sys
from argparse import Namespace
from types import ModuleType

from tollkeeper import __version__
from tollkeeper.cli import words
from tollkeeper.cli.context import MISREAD, NOT_OURS, Ask, Parser, UsageError
from tollkeeper.errors import ProtocolError, TollError

VERBS = {
    "status": "the state of things: agents, plan, today",
    "agents": "a line per agent",
    "accounts": "a line per account, those behind a proxy as well",
    "top": "the live dashboard in the terminal",
    "demo": "a made-up fleet to look at, which leaves nothing behind",
    "watch": "updates as they come",
    "pause": "freeze agents",
    "resume": "let agents go on, with more budget if need be",
    "stop": "end agents",
    "limit": "the limits in force; set, clear",
    "admit": "whether there is budget and plan for one more agent, and if not, when",
    "tag": "say which work agents do",
    "exec": "start a command with the labels of its work",
    "log": "the journal of what limits and people did",
    "daily": "usage by day",
    "weekly": "usage by week",
    "monthly": "usage by month",
    "session": "usage by conversation",
    "blocks": "usage by five-hour block, with burn rate and projection",
    "workflow": "mark workflows and their stages, and ask what they cost",
    "export": "single requests, or sums, as CSV or JSON",
    "ccusage": "ccusage's figures beside the ledger's, and why they differ",
    "audit": "the ledger beside Claude Code's own totals",
    "prices": "every known price; set, remove, import, check",
    "reprice": "charge stored requests by the prices in force",
    "plans": "the subscription plans; set, remove",
    "config": "the settings; get, set, path, edit",
    "setup": "put status line and hooks into Claude Code's settings; --undo takes them out",
    "statusline": "what Claude Code's status line may call",
    "hook": "what Claude Code's hooks call",
    "segment": "a line for a prompt or a status bar",
    "up": "start the daemon",
    "down": "stop the daemon",
    "service": "start the daemon at login: install, uninstall, status",
    "doctor": "say what is wrong, and how to mend it",
}
HELP = """usage: toll [--json] [--no-start] [VERB] [OPTION]...

Keep the account of every Claude Code agent on this machine.

Without a verb: the state of things. toll help VERB, or toll VERB --help, says more of each.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 no daemon.

verbs:
{verbs}

options, before or after the verb:
  -j, --json   answer with JSON on stdout
  --no-start   do not start the daemon when none runs
  -h, --help   show this help
  --version    show the version
"""


def entry() -> None:
    """Run ``toll``, and end without tidying up, which the system does as well, and at once.

    Taking a report's memory apart object by object costs a fifteenth of its time. Where something
    traces the run, such as a measurement of coverage, Python ends it as usual.
    """
    try:
        main()
    except SystemExit as done:
        if sys.gettrace() is not None or not isinstance(done.code, int):
            raise
        sys.stderr.flush()
        os._exit(done.code)


def main() -> None:
    """Run ``toll``; a failure is one line on stderr, with the way out."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]: closed by the shell
        # It stays open for as long as we run.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    # Where the locale lacks a letter there is a ? for it; JSON is UTF-8 all the same.
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="replace")
    try:
        try:
            status = run(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except UsageError as error:
        _complain(str(error), 2)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # What comes next stands on a line of its own, not behind the ^C.
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except OSError as error:
        _drop_output()
        _complain(error.strerror or str(error), 1)
    except TollError as error:
        hint = f"; {error.hint}" if error.hint else ""
        _complain(f"{error.message}{hint}", error.exit_status)
    else:
        sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run these arguments; the exit status. UsageError, TollError or OSError when that fails."""
    verb, rest = _split(arguments)
    while verb == "help":
        verb, rest = _split([*rest, "--help"])
    if verb is None and {"-h", "--help"} & {*rest}:
        print(HELP.format(verbs=_verb_lines()), end="")
        return 0
    if verb is None and "--version" in rest:
        print(f"toll, version {__version__}")
        return 0
    module = load(verb or "status")
    parser = parser_of(verb or "status", module)
    return _run(module, parser.parse_args(parser.joined(rest)))


def _run(module: ModuleType, options: Namespace) -> int:
    """Run the verb; what it trips over once the daemon was asked is held for the answer's fault.

    The verbs take out of an answer what they need, and do not look first whether it is there. So an
    answer that is built otherwise ends here, as a ProtocolError, whichever verb reads it. A mistake
    of our own may look the same: with TOLL_DEBUG set there is a traceback.
    """
    ask = Ask(options.as_json, options.may_start)
    try:
        return module.run(ask, options) or 0
    except MISREAD as error:
        if not ask.asked or os.environ.get("TOLL_DEBUG"):
            raise
        raise ProtocolError(NOT_OURS, "is it another version? see toll doctor") from error


def load(verb: str) -> ModuleType:
    """The module of the verb, loaded now, so that no one waits for another's imports."""
    if verb not in VERBS:
        raise UsageError(f"there is no command {verb!r}; {_meant(verb)}see toll --help")
    return importlib.import_module(f"tollkeeper.cli.{verb}")


def parser_of(verb: str, module: ModuleType) -> Parser:
    """The verb's options, and those that all have."""
    parser = Parser(f"toll {verb}", description=module.HELP, allow_abbrev=False)
    parser.add_argument(
        "-j", "--json", dest="as_json", action="store_true", help="answer with JSON on stdout"
    )
    parser.add_argument(
        "--no-start",
        dest="may_start",
        action="store_false",
        help="do not start the daemon when none runs",
    )
    module.options(parser)
    return parser


def _split(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The verb, and what stands around it: before it only options without a value may stand."""
    for index, argument in enumerate(arguments):
        if not argument.startswith("-"):
            return argument, [*arguments[:index], *arguments[index + 1 :]]
    return None, arguments


def _verb_lines() -> str:
    return "\n".join(f"  {verb:10} {short}" for verb, short in VERBS.items())


def _meant(verb: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(verb, VERBS, 1)
    return f"did you mean {near[0]}? " if near else ""


def _complain(text: str, status: int) -> None:
    print(f"toll: {words.plain(text)}", file=sys.stderr)
    sys.exit(status)


def _drop_output() -> None:
    """Let nothing be written any more, as Python would try, and complain about, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
