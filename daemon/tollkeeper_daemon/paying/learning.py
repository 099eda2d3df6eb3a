"""What a scan says of conversations, and what is known of them then. Pure."""

from msgspec import Struct, field
from msgspec.structs import replace

from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.paying.payers import payer_at, with_payers
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.records import Profile
from tollkeeper_daemon.store.schema import Conversation, Payer

FAR_AHEAD = 1 << 50


class Said(Struct):
    """What a scan says of one conversation: between which times (ms), where, and its own facts."""

    first: int = FAR_AHEAD
    last: int = 0
    last_prompt: int = 0
    cwd: str | None = None
    facts: Profile | None = None
    payers: list[Payer] = field(default_factory=list[Payer])


def said_in(scan: Scan) -> dict[str, Said]:
    """What the scan says, by conversation; a log that forks copied into may hold many."""
    found: dict[str, Said] = {}
    for reply in scan.replies:
        said = found.setdefault(reply.conversation, Said())
        said.first = min(said.first, reply.time)
        said.last = max(said.last, reply.time)
    for prompt in scan.prompts:
        said = found.setdefault(prompt.conversation, Said())
        said.cwd = prompt.cwd if said.cwd is None else said.cwd
        said.last_prompt = max(said.last_prompt, prompt.time)
    for profile in scan.profiles:
        found.setdefault(profile.conversation, Said()).facts = profile
    for owner in scan.owners:
        payer = Payer(owner.since, SUBSCRIPTION, owner.account)
        found.setdefault(owner.conversation, Said()).payers.append(payer)
    return found


def learned_of(known: Conversation, said: Said) -> Conversation:
    """What is known of the conversation with this."""
    first = said.first if said.first < FAR_AHEAD else known.first_time
    learned = replace(
        known,
        cwd=said.cwd or known.cwd,
        first_time=min(first, known.first_time or first),
        last_time=max(said.last, known.last_time),
        last_prompt=max(said.last_prompt, known.last_prompt),
        told_by="log" if said.payers else known.told_by,
    )
    learned = with_payers(learned, said.payers)
    facts = said.facts
    if facts is None:
        return learned
    totals = facts if facts.client_cost is not None else known
    return replace(
        learned,
        title=facts.title or known.title,
        client_cost=totals.client_cost,
        lines_added=totals.lines_added,
        lines_removed=totals.lines_removed,
    )


def told_by_home(known: Conversation, source: str, account: str) -> Conversation:
    """What is known when the home says that this one pays: it counts where no agent and no log tells.

    A home that said something else before is believed for what comes from now on.
    """
    if not known.source:
        return replace(known, source=source, account=account)
    payer = payer_at(known, FAR_AHEAD)
    if known.told_by or (payer.source, payer.account) == (source, account):
        return known
    since = max(known.last_time, known.last_prompt) + 1
    return with_payers(known, [Payer(since, source, account)])
