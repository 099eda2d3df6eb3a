"""The command ``tolld``: runs the daemon in the foreground."""

import argparse
import sys

from tollkeeper import __version__
from tollkeeper.cli.words import plain


def main() -> None:
    """Run until told to stop; exit 0 then, 1 with one line on stderr when it can't run."""
    parser = argparse.ArgumentParser("tolld", description="Tollkeeper's daemon, in the foreground.")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    parser.add_argument("--version", action="version", version=f"tolld {__version__}")
    arguments = parser.parse_args()

    from tollkeeper_daemon.app import StartRefused, run

    try:
        run(arguments.verbose)
    except StartRefused as refused:
        sys.exit(f"tolld: {plain(str(refused))}")


if __name__ == "__main__":
    main()
