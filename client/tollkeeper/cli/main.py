"""The entry of ``toll``: global options, the verbs, and errors in one line."""

import importlib
import os
import sys
from typing import Any

import click

from tollkeeper import __version__
from tollkeeper.cli.context import Ask
from tollkeeper.errors import TollError

VERBS = {
    "agents": "a line per agent",
    "daily": "usage by day",
    "doctor": "say what is wrong, and how to mend it",
    "down": "stop the daemon",
    "session": "usage by conversation",
    "status": "the state of things: agents, plan, today",
    "up": "start the daemon",
    "watch": "updates as they come",
}


class Verbs(click.Group):
    """The verbs, each loaded when it is called, so that no one waits for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(f"tollkeeper.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON on stdout.")
@click.option("--no-start", is_flag=True, help="Do not start the daemon when none runs.")
@click.version_option(__version__, prog_name="toll")
@click.pass_context
def toll(ctx: click.Context, as_json: bool, no_start: bool) -> None:
    """Keep the account of every Claude Code agent on this machine.

    Without a command: the state of things. Exit status: 0 done, 1 failed, 2 wrong usage,
    3 no daemon.
    """
    ctx.obj = Ask(as_json=as_json, may_start=not no_start)
    if ctx.invoked_subcommand is None:
        command = toll.get_command(ctx, "status")
        assert command is not None
        ctx.invoke(command)


def main() -> Any:
    """Run ``toll``; a failure is one line on stderr, with the way out."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]: closed by the shell
        # It stays open for as long as we run.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    try:
        try:
            toll.main(standalone_mode=False)
        finally:
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(2 if isinstance(error, click.UsageError) else 1)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except OSError as error:
        _drop_output()
        print(f"toll: {error.strerror or error}", file=sys.stderr)
        sys.exit(1)
    except TollError as error:
        hint = f"; {error.hint}" if error.hint else ""
        print(f"toll: {error.message}{hint}", file=sys.stderr)
        sys.exit(error.exit_status)


def _drop_output() -> None:
    """Let nothing be written any more, as Python would try, and complain about, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
