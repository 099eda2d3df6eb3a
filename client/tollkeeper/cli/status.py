"""``toll status``: the state of things, once or live."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw

HELP = "Show the agents, what each has used, and the sums of today and of this run."


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--live", action="store_true", help="stay, and show every change as it comes"
    )


def run(ask: Ask, options: Namespace) -> None:
    if options.live:
        from tollkeeper.cli.live import show_live

        show_live(ask)
    elif ask.as_json:
        print_raw(ask.raw("snapshot"))
    else:
        _show(ask)


def _show(ask: Ask) -> None:
    from tollkeeper.cli.screen import console, status_screen
    from tollkeeper.model import Status

    out = console()
    out.print(status_screen(ask.call("snapshot", Status), out.width))
