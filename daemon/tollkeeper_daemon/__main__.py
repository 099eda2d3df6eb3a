"""The command ``tolld``: runs the daemon in the foreground."""

import sys


def main() -> None:
    """Run until told to stop; exit 0 then, 1 with one line on stderr when it can't run."""
    from tollkeeper_daemon.app import StartRefused, run

    try:
        run(verbose="-v" in sys.argv[1:])
    except StartRefused as refused:
        sys.exit(f"tolld: {refused}")


if __name__ == "__main__":
    main()
