"""A proxy's rows as the ledger takes them. Pure."""

from collections.abc import Iterable, Mapping

from tollkeeper_daemon.names import id_of
from tollkeeper_daemon.paying.payers import account_behind
from tollkeeper_daemon.proxies.accounts import source_of
from tollkeeper_daemon.proxies.answers import Account, Row
from tollkeeper_daemon.store.proxy_shelf import ProxyRow


def rows_of(
    rows: Iterable[Row],
    names: Mapping[str, tuple[str, str]],
    accounts: Mapping[str, Account],
    server: str,
    since: int,
    now: int,
) -> list[ProxyRow]:
    """What costs anything of these.

    ``names`` are the API's id and the conversation of each, ``accounts`` the proxy's by name, with those
    that it lists no more, and what is from before ``since`` (ms) is history. No request began later than ``now``
    (ms), when it is told of: one that bears such a time began now.
    A row has no source where it is not known who pays.
    """
    found: list[ProxyRow] = []
    for row in rows:
        if not row.is_paid:
            continue
        request, conversation = names.get(row.id, ("", ""))
        name, time = row.accountUsed or "", min(row.time, now)
        found.append(
            ProxyRow(
                proxy=server,
                id=id_of(row.id),
                source=source_of(accounts.get(name), row.billingType),
                account=account_behind(server, name),
                time=time,
                seen=now,
                model=row.model or "",
                input=row.inputTokens,
                output=row.outputTokens,
                cache_read=row.cacheReadInputTokens,
                cache_write=row.cacheCreationInputTokens,
                request=request,
                conversation=conversation or row.clientSessionId or "",
                history=time < since,
            )
        )
    return found
