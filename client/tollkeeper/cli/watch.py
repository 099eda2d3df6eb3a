"""``toll watch``: updates as they come."""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from typing import get_args

import msgspec

from tollkeeper import wire
from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, UsageError, print_json
from tollkeeper.cli.limit_scope import called
from tollkeeper.cli.marking import told
from tollkeeper.feed import Change, Feed
from tollkeeper.model import Limit, Plan
from tollkeeper.proxies import Proxy

TOPICS = ("snapshot", *get_args(wire.Topic))


HELP = "Print each update as it comes, a line each; with --json as JSON, with its topic."


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "topics",
        nargs="*",
        metavar="TOPIC",
        help="the beginning of a topic's name, such as usage, agent or agent.exited",
    )


def run(ask: Ask, options: Namespace) -> None:
    topics: tuple[str, ...] = tuple(options.topics)
    for topic in topics:
        if not any(known.startswith(topic) for known in TOPICS):
            raise UsageError(f"no topic begins with {topic!r}; there are {', '.join(TOPICS)}")
    with Feed(ask.paths()) as feed:
        for change in feed:
            if topics and not change.topic.startswith(topics):
                continue
            if ask.as_json:
                print_json(as_json(change))
            else:
                for line in lines_of(change):
                    print(words.plain(line))
                sys.stdout.flush()


def as_json(change: Change) -> dict[str, object]:
    """The change with its topic, for a program; a snapshot holds the whole status."""
    return {"topic": change.topic, "update": change.update or change.status}


def lines_of(change: Change) -> list[str]:
    """The change in words; heartbeats are not worth any."""
    status, update = change.status, change.update
    clock = status.time[11:19]
    names = {agent.id: agent.name for agent in status.agents}
    match update:
        case None:
            return [
                f"{clock} watching {sum(agent.state != 'exited' for agent in status.agents)} agents"
            ]
        case wire.AgentUpdate(agent=agent):
            doing = f"{agent.state} ({agent.waiting_for})" if agent.waiting_for else agent.state
            return [f"{clock} {change.topic} {agent.name}: {doing}"]
        case wire.UsageUpdate(charged=charged):
            return [f"{clock} usage {told}" for told in _charged(charged, names)]
        case wire.AlertUpdate(alert=alert):
            return [f"{clock} alert {alert.text}"]
        case wire.ActionUpdate(action=action):
            return [f"{clock} action {action.text}"]
        case wire.LimitUpdate(limits=limits):
            near = [limit for limit in limits if limit.state != "under"]
            return [f"{clock} limit {_stand(limit)}" for limit in near]
        case wire.WorkflowUpdate():
            return [f"{clock} workflow {_marked(update)}"]
        case wire.PlanUpdate(plan=plan, plans=plans):
            return [f"{clock} plan {_seen(each)}" for each in plans or (plan,)]
        case wire.ProxiesUpdate(proxies=proxies):
            return [f"{clock} proxies {_stands(each)}" for each in proxies]
        case wire.Heartbeat():
            return []
        case _:
            return [f"{clock} {change.topic}"]


def _stand(limit: Limit) -> str:
    state = words.limit_state(limit.state, limit.waived)
    return f"{called(limit.scope)}: {int(limit.fraction * 100)} % used, {state}"


def _marked(update: wire.WorkflowUpdate) -> str:
    """What became of a workflow or a stage; a stage that has ended says what it used."""
    if update.span is None:
        status = f": {update.status}" if update.status else ""
        return f"{update.workflow} has {update.event}{status}"
    usage, text = update.span.usage, told(msgspec.to_builtins(update.span))
    if update.event != "stage-ended" or not usage.total_tokens:
        return text
    spent = words.money(usage.value_usd, usage.unpriced_requests > 0)
    return f"{text}, {words.tokens(usage.total_tokens)} tokens, {spent}"


def _seen(plan: Plan) -> str:
    """The plan's windows; ``~`` is for what is estimated by now."""
    told = [f"account {plan.account[:8]}"] if plan.account else []
    for name, window in (("5 hours", plan.five_hour), ("7 days", plan.seven_day)):
        if window:
            now = window.estimated_percent
            estimate = "" if now is None else f" (~{int(now)} % now)"
            told.append(f"{name} {int(window.used_percent)} %{estimate}")
    return ", ".join([*told, *(["limited"] if plan.limited_until else [])])


def _stands(proxy: Proxy) -> str:
    """What is heard of a proxy: why nothing is, else what each of its accounts does."""
    states = (f"{account.name} {account.state}" for account in proxy.accounts)
    return f"{proxy.server}: {proxy.trouble or ', '.join(states) or 'not heard of yet'}"


def _charged(charged: tuple[wire.Charged, ...], names: dict[str, str]) -> Iterator[str]:
    """What was sent and what was used; messages that only move to the model that answers are not."""
    messages: Counter[str] = Counter()
    for each in charged:
        messages[_who(each, names)] += each.usage.messages
    for who, count in messages.items():
        if count > 0:
            yield f"{who}: +{count} message{'s' if count > 1 else ''}"
    for each in charged:
        usage = each.usage
        if usage.requests or usage.total_tokens:
            told = f"{words.model_name(each.model)} {words.tokens(usage.total_tokens)} tokens"
            yield f"{_who(each, names)}: {told} {words.paid(usage, each.source)}"


def _who(each: wire.Charged, names: dict[str, str]) -> str:
    return names.get(each.agent or "", each.conversation[:8])
