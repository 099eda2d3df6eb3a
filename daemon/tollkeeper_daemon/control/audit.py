"""``audit``: the ledger beside the client's own totals, conversation by conversation."""

from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.audit.auditor import CONCERN_NANO
from tollkeeper_daemon.audit.audits import Audited, Audits
from tollkeeper_daemon.clock import now_ms, start_of
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.audit import WORDS, Finding, ModelDifference
from tollkeeper_daemon.records import Spent
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import dollars


class Scope(Struct, frozen=True, forbid_unknown_fields=True):
    """What to audit: these conversations (or beginnings of their ids), active since this day.

    ``all`` also lists those that agree, or differ by no more than a tenth of a cent.
    """

    conversations: tuple[str, ...] = ()
    since: date | None = None
    all: bool = False


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """Those that differ, and how many agree, differ and can't be compared."""
    scope = params_as(Scope, params)
    found = daemon.store.read(lambda transaction: _audit(transaction, scope))
    if not scope.conversations and not scope.since:
        daemon.auditor.reviewed(found, now_ms())
    if scope.conversations and not found:
        raise Refused(
            "not-found",
            f"no conversation {' or '.join(scope.conversations)}",
            "toll session lists them",
        )
    judged = [(each, each.finding) for each in found if each.finding]
    listed = [
        _row(each, finding)
        for each, finding in judged
        if scope.all or scope.conversations or _matters(finding)
    ]
    agree = sum(finding.agrees for _, finding in judged)
    return {
        "audited": len(judged),
        "agree": agree,
        "differ": len(judged) - agree,
        "withoutTotals": len(found) - len(judged),
        "conversations": sorted(listed, key=lambda row: -abs(row["differenceUSD"])),
        "totals": {
            "ledgerUSD": dollars(sum(finding.ledger for _, finding in judged)),
            "inheritedUSD": dollars(sum(finding.inherited for _, finding in judged)),
            "clientUSD": dollars(sum(finding.client for _, finding in judged)),
            "differenceUSD": dollars(sum(finding.difference for _, finding in judged)),
            "unexplained": sum(not finding.explained for _, finding in judged),
        },
    }


def _audit(transaction: Transaction, scope: Scope) -> list[Audited]:
    since = start_of(scope.since) if scope.since else 0
    return [
        each
        for each in Audits().audit_all(transaction)
        if each.conversation.last_time >= since
        and (not scope.conversations or each.name.startswith(scope.conversations))
    ]


def _matters(finding: Finding) -> bool:
    return not finding.explained or (not finding.agrees and abs(finding.difference) > CONCERN_NANO)


def _row(audited: Audited, finding: Finding) -> dict[str, Any]:
    return {
        "sessionId": audited.name,
        "projectPath": audited.conversation.project,
        "cwd": audited.conversation.cwd or None,
        "title": audited.conversation.title or None,
        "ledgerUSD": dollars(finding.ledger),
        "inheritedUSD": dollars(finding.inherited),
        "clientUSD": dollars(finding.client),
        "differenceUSD": dollars(finding.difference),
        "cause": finding.cause,
        "causeText": WORDS[finding.cause],
        "explained": finding.explained,
        "models": [_model(each) for each in finding.models],
    }


def _model(difference: ModelDifference) -> dict[str, Any]:
    return {
        "modelName": difference.model,
        "ledger": _spent(difference.ledger),
        "client": _spent(difference.client),
    }


def _spent(spent: Spent) -> dict[str, Any]:
    return {
        "inputTokens": spent.input,
        "outputTokens": spent.output,
        "cacheReadTokens": spent.cache_read,
        "cacheWrite5mTokens": spent.cache_write_5m,
        "cacheWrite1hTokens": spent.cache_write_1h,
        "webSearches": spent.web_searches,
        "costUSD": dollars(spent.value),
    }
