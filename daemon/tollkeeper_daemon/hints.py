"""What a log says of its agent beyond the sums: model, payer, last activity, lines, helpers."""

from msgspec.structs import replace

from tollkeeper_daemon.agents.roster import LiveAgent
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


def note_payer(agent: LiveAgent, known: Conversation, now: int) -> None:
    """Note on the agent who is known to pay for its conversation now."""
    if known.payers and known.payers[0].since <= now:
        payer = payer_at(known, now)
        agent.record = replace(agent.record, source=payer.source, account=payer.account)


def _note_profile(agent: LiveAgent, profile: Profile) -> None:
    if profile.client_cost is not None:
        agent.lines_added = profile.lines_added
        agent.lines_removed = profile.lines_removed
