"""What the daemon takes for a service manager, of its environment."""

import pytest

from tollkeeper_daemon.outlets.supervisor import VARIABLES, Supervisor


@pytest.mark.parametrize("period", ["", "soon", "-5", "1e6", "²", "9" * 5_000, "9" * 400])
def test_no_period(period: str) -> None:
    """A watchdog's time that is none is passed over, and nothing of it is handed on to children."""
    environment: dict[str, str] = dict.fromkeys(VARIABLES, "")
    environment["WATCHDOG_USEC"] = period
    Supervisor.taken_from(environment).ready()
    assert environment == {}
