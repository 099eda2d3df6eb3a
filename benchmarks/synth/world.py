"""What the parts of a corpus share while it is made."""

from random import Random

from msgspec import Struct

from synth.context import Habits
from synth.lines import Log
from synth.spending import Spending
from synth.text import Pools
from synth.usage import Truth


class World(Struct, frozen=True):
    """What all sessions of a corpus share. `now` is in milliseconds."""

    rng: Random
    pools: Pools
    truth: Truth
    now: int


class Setting(Struct, frozen=True):
    """What stays the same through one log."""

    world: World
    log: Log
    habits: Habits
    spending: Spending
