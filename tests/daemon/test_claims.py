"""What agents claim of what was read before they were known, also where saving fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tollkeeper.model import AlertKind
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.agents import Agents
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.pipeline import Outcome
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.work import Work

from .lines import NOW, assistant
from .test_pipeline import agent_in, fail, pipeline, post, spent


class Told:
    """Stands in for the herald, the bar and the payment: keeps what failed."""

    def __init__(self) -> None:
        self.bar = self
        self.failed: list[str] = []

    def begin(self, agent: LiveAgent) -> None: ...

    def agent(self, topic: str, agent: LiveAgent) -> None: ...

    def charged(self, outcome: Outcome, now: int) -> None: ...

    def look(self, now: int) -> None: ...

    def tell(self, outcome: Outcome, now: int) -> None: ...

    def alert_once(self, kind: AlertKind, text: str) -> None:
        self.failed.append(text)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def test_claim_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that is found while nothing can be saved gets what is its own when it can be again."""
    roster, told = Roster(), Told()
    river = pipeline(store, roster)
    herald = cast(Herald, told)
    agents = Agents(
        Registry(store, roster),
        river,
        herald,
        cast(Budgets, told),
        cast(Payment, told),
        cast(Work, told),
        Failures(herald),
    )
    post(river, assistant())
    agent = agent_in(roster)
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", fail)
        agents.started(agent)
        agents.claim_again(NOW)
    assert told.failed
    assert (0, 0) == spent(agent.tally)
    agents.claim_again(NOW)
    assert (1, 20) == spent(agent.tally)
