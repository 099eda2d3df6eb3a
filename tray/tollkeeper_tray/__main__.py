"""The command ``toll-tray``: shows the agents in the desktop's tray."""

import argparse
import os
import sys

from tollkeeper import __version__
from tollkeeper.errors import TollError

EPILOG = """\
It shows nothing while no daemon runs, and goes on when one does. Quit it in its menu, or with
Ctrl-C. PYSTRAY_BACKEND chooses how the icon is shown: appindicator, gtk or xorg (without a menu).
"""


def main() -> None:
    """Run until somebody quits; exit 1 with one line on stderr when there is no tray."""
    parser = argparse.ArgumentParser(
        prog="toll-tray", description="Show the agents and their costs in the tray.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s, version {__version__}")
    parser.parse_args()
    from tollkeeper_tray.app import run

    try:
        run()
    except TollError as error:
        text = f"toll-tray: {error.message}{f'; {error.hint}' if error.hint else ''}"
        print(text, file=sys.stderr, flush=True)
        # A backend that failed leaves a thread behind that waits for ever.
        os._exit(1)


if __name__ == "__main__":
    main()
