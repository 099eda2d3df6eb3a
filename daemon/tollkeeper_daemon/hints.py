"""What a log says of its agent beyond the sums: model, payer, work, last activity, lines, helpers."""

from collections.abc import Callable

from msgspec.structs import astuple, replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.labels.labels import labels_at
from tollkeeper_daemon.paying.payers import payer_at
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.records import Profile
from tollkeeper_daemon.store.schema import Conversation


def note_on(agent: LiveAgent, scan: Scan, conversation: str) -> None:
    """Note on the agent what this log of its conversation says."""
    own = [r for r in scan.replies if r.conversation == conversation and not r.subagent]
    latest = max(reversed(own), key=lambda reply: reply.time, default=None)
    if latest and latest.time >= agent.last_time:
        agent.record = replace(agent.record, model=latest.model)
    times = [each.time for each in (*scan.replies, *scan.prompts)]
    agent.last_time = max([agent.last_time, *times])
    for profile in scan.profiles:
        _note_profile(agent, profile)
    if scan.helper and (helper := agent.subagents.get(scan.helper.id)):
        helper.last_time = max([helper.last_time, *times])
        helper.description = scan.helper.description
        helper.finished = scan.helper.finished


def note_payer(agent: LiveAgent, known: Conversation | None, now: int) -> None:
    """Note on the agent who is known to pay for its conversation now."""
    if known and known.payers and known.payers[0].since <= now:
        payer = payer_at(known, now)
        agent.record = replace(agent.record, source=payer.source, account=payer.account)


def note_labels(
    agent: LiveAgent, known: Conversation | None, now: int, stage_of: Callable[[str], str]
) -> None:
    """Note on the agent, and on its helpers, to which work they are known to belong now."""
    facts = known.labels if known else agent.record.told
    workflow, task, stage = astuple(labels_at(facts, now))
    agent.record = replace(agent.record, workflow=workflow, task=task, stage=stage)
    for helper in agent.subagents.values():
        helper.labels = labels_at(facts, now, helper.id, stage_of(helper.type), helper.type)


def _note_profile(agent: LiveAgent, profile: Profile) -> None:
    if profile.client_cost is not None:
        agent.lines_added = profile.lines_added
        agent.lines_removed = profile.lines_removed
