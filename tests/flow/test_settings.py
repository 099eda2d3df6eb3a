"""Files of the user's own that are saved while the daemon runs."""

from freezing import await_frozen

from .bounded import start_bounded, usual
from .keeper import Keeper

# Less than a daemon that has just started would take to its first look around.
AT_ONCE = 2.0


def test_settings_hold_as_soon_as_they_are_saved(keeper: Keeper) -> None:
    """A limit that is put into config.toml acts at once on an agent that is over it already."""
    [agent] = start_bounded(keeper)
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.limit(per_agent=usual(1))
    await_frozen(agent.pid, timeout=AT_ONCE)


def test_prices_hold_as_soon_as_they_are_saved(daemon: Keeper) -> None:
    """What is wrong with prices.toml is told as soon as it is saved."""
    daemon.paths.prices.write_text("broken")
    daemon.wait_for(lambda status: [a.kind for a in status.alerts] == ["prices"], AT_ONCE)
