"""Broken and hostile lines: bad ones are told as such, and none is taken for another."""

import json

import pytest

from tollkeeper_daemon.records import Prompt, Reply
from tollkeeper_daemon.transcript.parse import BadLine, Parser

from .lines import NINE_MS, NOW, as_line, assistant, parsed, scanned, usage, user

DEEP = 10_000


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"{",
        b'{"type":"assistant"',
        b"[]",
        b"7",
        b'"assistant"',
        assistant().replace(b"msg_1", b"msg_\xff"),
        assistant().replace(b"msg_1", b"msg_\\ud800"),
        b"[" * DEEP,
        b'{"a":' * DEEP,
        b'{"type":"user","message":{"content":' + b"[" * DEEP,
        assistant({"input_tokens": -1}),
        assistant({"input_tokens": 10**12}),
        assistant({"input_tokens": 10**30}),
        assistant({"input_tokens": 1.5}),
        assistant({"input_tokens": "1"}),
        assistant({"input_tokens": True}),
        assistant().replace(b'"input_tokens":10', b'"input_tokens":1e999'),
        as_line({"type": "cost-state", "totalCostUSD": -1}),
        as_line({"type": "cost-state", "totalCostUSD": 1e300}),
        as_line({"type": ["assistant"]}),
    ],
    ids=lambda line: repr(line[:40]),
)
def test_bad_lines(line: bytes) -> None:
    """A line that is broken, or whose figures are out of all bounds, is bad and raises nothing else."""
    with pytest.raises(BadLine):
        Parser(NOW).parse(line)


def test_bad_lines_are_counted_and_the_rest_is_read() -> None:
    """Bad lines between good ones cost only themselves, and are counted."""
    found = scanned([b"{", assistant(), b"\xff", b"", b"[" * DEEP, user()])
    assert (3, 1, 1) == (found.bad_lines, len(found.replies), len(found.prompts))


def test_new_line_types_are_no_bad_lines() -> None:
    """A line type of a later client is passed over, whatever its fields hold."""
    lines = [
        as_line({"type": "brand-new", "message": "text", "cwd": 7}),
        as_line({"type": "progress", "message": ["a"], "attachment": "b"}),
        as_line({"no": "type", "timestamp": 12}),
    ]
    assert 0 == scanned(lines).bad_lines


@pytest.mark.parametrize(
    "stamp",
    [
        None,
        "",
        "garbage",
        "\x00",
        "2026-13-45T99:99:99Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z",
        "2026-11-22T13:00:00.001Z",
        "2030-01-01T00:00:00Z",
    ],
)
def test_unusable_times_are_now(stamp: str | None) -> None:
    """A time that is missing, broken, before 1970 or an hour ahead is the time of reading."""
    (found,) = parsed(assistant(timestamp=stamp))
    assert isinstance(found, Reply)
    assert NOW == found.time


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-11-22T09:00:00.000Z", NINE_MS),
        ("2026-11-22T09:00:00", NINE_MS),
        ("2026-11-22T11:00:00+02:00", NINE_MS),
        ("2026-11-22T09:00:00.123456Z", NINE_MS + 123),
        ("2026-11-22T13:00:00Z", NOW + 3_600_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_usable_times(stamp: str, expected: int) -> None:
    """A time without a zone is UTC, one with a zone is that moment, a clock may run ahead a bit."""
    (found,) = parsed(assistant(timestamp=stamp))
    assert isinstance(found, Reply)
    assert expected == found.time


def test_time_does_not_depend_on_which_block_came_first() -> None:
    """A block that names an earlier time than the one before it is told as well."""
    lines = [
        assistant(timestamp=stamp) for stamp in ("2026-11-22T09:00:05Z", "2026-11-22T09:00:00Z")
    ]
    assert {NINE_MS} == {each.time for each in scanned(lines).replies}
    assert {NINE_MS} == {each.time for each in scanned(reversed(lines)).replies}


def test_time_in_another_zone_is_compared_as_a_moment() -> None:
    """A later block with an earlier moment in another zone sets the time in either order."""
    late, early = "2026-11-22T09:00:05+00:00", "2026-11-22T11:00:00+02:00"
    lines = [assistant(timestamp=stamp) for stamp in (late, early)]
    assert {NINE_MS} == {each.time for each in scanned(lines).replies}
    assert {NINE_MS} == {each.time for each in scanned(reversed(lines)).replies}


TOOL_RESULT = '"type":"user","message":{"role":"user","content":[{"tool_use_id":'


@pytest.mark.parametrize(
    "result",
    [
        "plain",
        assistant(usage(output=900)).decode(),
        '{"type":"cost-state","totalCostUSD":99}',
        "Claude AI usage limit reached|1795342827",
        "<command-name>/clear</command-name>",
        TOOL_RESULT,
    ],
)
def test_tool_results_hold_no_record(result: str) -> None:
    """Whatever a tool printed, even a line of a log, is no record."""
    block = {"tool_use_id": "toolu_1", "type": "tool_result", "content": result}
    line = user([block], toolUseResult={"stdout": result})
    assert [] == parsed(line)


def test_tool_result_with_its_type_first_is_no_prompt() -> None:
    """A tool's result is told from a prompt by its block, wherever its fields stand."""
    block = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
    assert [] == parsed(user([block]))
    assert [] == parsed(user([{"type": "text", "text": "x"}, block]))


def test_tool_results_are_not_decoded() -> None:
    """The commonest line of all is told from its head: not even broken JSON behind it matters."""
    head = user([{"tool_use_id": "toolu_1", "type": "tool_result", "content": "x"}])
    assert [] == parsed(head[:-5] + b"\xff")


@pytest.mark.parametrize("depth", [0, 1])
def test_reply_that_mimics_a_tool_result_is_counted(depth: int) -> None:
    """A reply whose tool's input is the very object of a tool result's line is still paid."""
    mimic = json.loads("{" + TOOL_RESULT + '"x"}]}}')
    body = {
        "id": "m",
        "content": [{"type": "tool_use", "input": mimic if depth else {"a": mimic}}],
        "usage": usage(output=5),
    }
    line = as_line({"message": body, "type": "assistant", "uuid": "u"})
    assert TOOL_RESULT.encode() in line
    (found,) = parsed(line)
    assert isinstance(found, Reply)
    assert 5 == found.output


def test_line_that_begins_with_such_an_object_is_counted() -> None:
    """Only the outermost object makes a tool result's line, not one that stands before."""
    mimic = json.loads("{" + TOOL_RESULT + '"x"}]}}')
    line = as_line({"extra": mimic, "type": "assistant", "message": {"usage": usage(output=5)}})
    assert 1 == len(parsed(line))


@pytest.mark.parametrize(
    "content",
    [
        "list the files",
        "",
        'what does "<system-reminder>" in the log mean?',
        'why "<command-name>" and "tool_result"?',
        'the log says {"type":"tool_result"}',
        "  <div> is a tag",
        [{"type": "text", "text": "look at this"}, {"type": "image", "source": {}}],
        "résumé \U0001f600",
    ],
)
def test_said_by_somebody(content: object) -> None:
    """A text, or a list of texts and pictures, is a prompt, whatever it quotes."""
    assert [Prompt] == [type(each) for each in parsed(user(content))]


@pytest.mark.parametrize(
    "line",
    [
        user(promptSource="system"),
        user(isMeta=True),
        user(isSidechain=True),
        user(agentId="a1"),
        user(isCompactSummary=True),
        user(uuid=None),
        user(content=None),
        user(message=None),
    ],
)
def test_said_by_the_machinery(line: bytes) -> None:
    """Meta lines, summaries and subagents' orders are nobody's prompts."""
    assert [] == parsed(line)


MACHINERY = [
    "<task-notification>\n<task-id>a</task-id>",
    "<command-name>/clear</command-name>\n<command-message>clear</command-message>",
    "<command-message>review is running</command-message>",
    '<command-message>The "pdf" skill is loading</command-message>\n<command-name>pdf',
    "<local-command-stdout>ok</local-command-stdout>",
    "<local-command-caveat>x</local-command-caveat>",
    "<bash-input>ls</bash-input>",
    "<bash-stdout>x</bash-stdout>",
    "  <system-reminder>x</system-reminder>",
    "\n<system-reminder>x</system-reminder>",
    "Caveat: The messages below were generated by the user while running local commands.",
    "[Request interrupted by user]",
    [{"type": "text", "text": "[Request interrupted by user for tool use]"}],
    [{"type": "text", "text": "<command-name>/clear</command-name>"}],
    "This session is being continued from a previous conversation that ran out of context.",
]


@pytest.mark.parametrize("content", MACHINERY)
def test_machinery_by_its_text(content: object) -> None:
    """A line that names no source is an echo or a notice when it begins like one."""
    assert [] == parsed(user(content, promptSource=None, turnOrigin=None))
    assert [] == parsed(user(content, promptSource=None))


@pytest.mark.parametrize("content", MACHINERY)
def test_quoted_machinery_is_a_prompt(content: object) -> None:
    """What bears the source of a prompt is one, even when it begins like an echo."""
    assert 1 == len(parsed(user(content, promptSource="sdk", turnOrigin="sdk")))


@pytest.mark.parametrize(
    "origin",
    ["scheduled", "task_notification", "auto_continuation", "peer", "host_synthetic", "system"],
)
def test_turn_of_the_machinery(origin: str) -> None:
    """A turn that neither a person nor an orchestrator opened is no message."""
    assert [] == parsed(user(turnOrigin=origin))
    assert [] == parsed(user(turnOrigin=origin, promptSource=None))


@pytest.mark.parametrize("origin", ["human", "sdk", "unknown", None])
@pytest.mark.parametrize(
    "content",
    [
        "<command-message>hello</command-message>\n<command-name>/hello</command-name>",
        "<command-message>hello is running\u2026</command-message>\n<command-name>/hello",
        [{"type": "text", "text": "<command-message>a:b</command-message>\n<command-name>/a:b"}],
    ],
)
def test_command_that_is_a_prompt(origin: str | None, content: object) -> None:
    """A skill, or a command of the project, that is called by its name sends its text."""
    assert 1 == len(parsed(user(content, promptSource=None, turnOrigin=origin)))


@pytest.mark.parametrize("source", ["typed", "sdk", "queued", "new-one", None])
def test_said_by_any_source_but_the_system(source: str | None) -> None:
    """A prompt counts whoever sent it, and in older logs that do not say."""
    assert 1 == len(parsed(user(promptSource=source)))


def queued(attached: object, **more: object) -> bytes:
    """The line of an attachment."""
    return as_line(
        {
            "type": "attachment",
            "attachment": attached,
            "uuid": "u",
            "timestamp": "2026-11-22T09:00:00Z",
            "sessionId": "c",
            **more,
        }
    )


@pytest.mark.parametrize(
    "attached",
    [
        {"prompt": "and the tests", "origin": {"kind": "human"}, "humanTurn": True},
        {"prompt": "and the tests", "commandMode": "prompt", "origin": {"kind": "human"}},
        {"prompt": "sent by an orchestrator", "commandMode": "prompt"},
        {"prompt": [{"type": "text", "text": "see"}, {"type": "image"}], "commandMode": "prompt"},
        {"prompt": "by an older client"},
    ],
)
def test_queued_prompt(attached: dict[str, object]) -> None:
    """A prompt sent while the agent worked comes as an attachment, and counts."""
    line = queued({"type": "queued_command", **attached})
    assert [Prompt("u", "c", NINE_MS, "")] == parsed(line)


@pytest.mark.parametrize(
    "attached",
    [
        {"type": "queued_command", "prompt": "x", "origin": {"kind": "task-notification"}},
        {"type": "queued_command", "prompt": "x", "origin": {"kind": "peer"}},
        {"type": "queued_command", "prompt": "x", "commandMode": "task-notification"},
        {"type": "queued_command", "prompt": "ls", "commandMode": "bash"},
        {"type": "queued_command", "prompt": "x", "isMeta": True},
        {"type": "queued_command", "prompt": "<task-notification>\n<task-id>a</task-id>"},
        {"type": "queued_command", "prompt": None},
        {"type": "queued_command"},
        {"type": "environment", "prompt": "x", "origin": {"kind": "human"}},
        None,
    ],
)
def test_other_attachments(attached: object) -> None:
    """A queued notice of the machinery, or any other attachment, is no prompt."""
    assert [] == parsed(queued(attached))


@pytest.mark.parametrize("more", [{"isSidechain": True}, {"agentId": "a1"}, {"uuid": None}])
def test_queued_order(more: dict[str, object]) -> None:
    """What is queued for a subagent is an order, and a line without an id is nothing."""
    attached = {"type": "queued_command", "prompt": "x", "commandMode": "prompt"}
    assert [] == parsed(queued(attached, **more))
