"""Our status line and hooks in the text of Claude Code's settings: all else stays as it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.claude_settings.edit import installed, lacking, programs, removed
from tollkeeper.claude_settings.parts import EVENTS, Ours, Record, UnfitError

from .json_writing import settings_texts

OURS = Ours("/opt/toll/bin/toll hook", "/data/toll-statusline")
GROUP = {"hooks": [{"type": "command", "command": OURS.hook}]}
OUR_LINE = {"type": "command", "command": f". {OURS.script}"}
ALL_OURS = {"statusLine": OUR_LINE, "hooks": {event: [GROUP] for event in EVENTS}}


def install(text: str | None, record: Record | None = None) -> str:
    return installed(text, OURS, record)[0]


@given(settings_texts())
def test_there_and_back(text: str) -> None:
    """Whatever stands in the settings, and however it is written: undone, it is the same text."""
    there, record = installed(text, OURS)
    assert removed(there, record) == text


@given(settings_texts())
def test_others_stay(text: str) -> None:
    """Every other setting says what it said, and the hooks that were there come first."""
    before, after = json.loads(text), json.loads(install(text))
    for name in before.keys() - {"hooks", "statusLine"}:
        assert after[name] == before[name]
    assert [*before] == [name for name in after if name in before]
    for event, groups in before.get("hooks", {}).items():
        assert after["hooks"][event][: len(groups)] == groups
        assert after["hooks"][event][len(groups) :] in ([], [GROUP])


@given(settings_texts())
def test_all_is_there(text: str) -> None:
    """Afterwards nothing is lacking, a second time there is nothing to do, and undoing takes all."""
    there, record = installed(text, OURS)
    assert lacking(there) == []
    assert installed(there, OURS, record) == (there, record)
    settings = json.loads(there)
    assert all(GROUP in groups for groups in map(settings["hooks"].get, record.events))
    back = removed(there)
    assert back is not None
    assert OURS.hook not in back
    assert OURS.script not in back


@given(settings_texts(), settings_texts())
def test_after_other_edits(text: str, other: str) -> None:
    """What came in after it stays when it is undone."""
    there, record = installed(text, OURS)
    edited: dict[str, Any] = {**json.loads(other), **json.loads(there), "new": 1}
    edited["hooks"]["PreToolUse"].insert(0, {"matcher": "Bash", "hooks": []})
    back = removed(json.dumps(edited, indent=1), record)
    assert back is not None
    left = json.loads(back)
    assert {**json.loads(other), "new": 1}.keys() - {"hooks", "statusLine"} <= left.keys()
    assert left["hooks"]["PreToolUse"][0] == {"matcher": "Bash", "hooks": []}
    assert OURS.hook not in back


def test_no_file() -> None:
    """Where there is none, one is made, and taken away again unless something came into it."""
    there, record = installed(None, OURS)
    assert json.loads(there) == ALL_OURS
    assert there.startswith('{\n  "statusLine": {\n    "type": "command",\n')
    assert there.endswith("}\n")
    assert removed(there, record) is None
    assert removed(there.replace("{", '{"a": 1,', 1), record) == '{"a": 1\n}\n'


STYLES = {
    "two spaces": '{\n  "a": 1\n}\n',
    "four spaces": '{\n    "a": {\n        "b": []\n    }\n}',
    "tabs": '{\n\t"a": "\\u00e9\\/é",\n\t"hooks": {\n\t\t"Stop": [\n\t\t]\n\t}\n}\n',
    "crlf": '{\r\n  "a": 1\r\n}\r\n',
    "compact": '{"a":1,"hooks":{"Stop":[]}}',
    "one line": '{"a": 1, "hooks": { }}',
    "odd": '\ufeff \n{ "a" :1 ,\n\n   "hooks" : {"Stop"\n:\n[ ] } }  ',
    "empty": "{}",
    "empty with space": "{ \n }\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_styles(style: str) -> None:
    """It is written as the rest is, and undoing gives the very same text."""
    text = STYLES[style]
    there, record = installed(text, OURS)
    assert removed(there, record) == text
    assert json.loads(there.removeprefix("\ufeff"))["hooks"]["Stop"] == [GROUP]
    match style:
        case "tabs":
            assert '\n\t"statusLine": {\n\t\t"type": "command",\n' in there
            assert '\n\t\t"Stop": [\n\t\t\t{\n\t\t\t\t"hooks": [\n' in there
        case "crlf":
            assert there.count("\n") == there.count("\r\n") > 100
        case "compact":
            assert '"statusLine":{"type":"command",' in there
            assert "\n" not in there
        case "one line":
            assert there.startswith('{"a": 1, "hooks": {"SessionStart": [{"hooks": [')
            assert '}], "Stop": [{' in there
            assert "\n" not in there
        case "odd":
            assert there.endswith(
                '\n   "statusLine": {\n     "type": "command",\n     "command": ". /data/toll-statusline"\n   } }  '
            )
        case _:
            assert there.count("\n") > 100


def test_former_status_line() -> None:
    """One's own is called by ours, with the rest of its settings, and comes back as it was written."""
    text = '{"statusLine": {"padding": 0, "command": "caf\\u00e9 \\"$HOME\\" \'x\'", "type": "command"}}'
    there, record = installed(text, OURS)
    line = json.loads(there)["statusLine"]
    assert line["padding"] == 0
    assert line["command"] == f"{OURS.script} 'café \"$HOME\" '\"'\"'x'\"'\"''"
    assert removed(there, record) == text
    assert removed(there) == text.replace("\\u00e9", "é")


def test_status_line_replaced_since() -> None:
    """A status line that somebody put in the place of ours is lacking ours, stays, and is called."""
    there, record = installed("{}", OURS)
    changed = there.replace(f". {OURS.script}", "date")
    assert lacking(changed) == ["statusLine"]
    assert json.loads(removed(changed, record) or "") == {
        "statusLine": {"type": "command", "command": "date"}
    }
    again, record = installed(changed, OURS, record)
    assert json.loads(again)["statusLine"]["command"] == f"{OURS.script} date"
    assert json.loads(removed(again, record) or "")["statusLine"]["command"] == "date"


def test_hidden_status_line() -> None:
    """A new status line shows the one that it hides, and leaves nothing of it behind."""
    there, record = installed("{}", OURS, inherited="date +%F")
    assert json.loads(there)["statusLine"]["command"] == f"{OURS.script} 'date +%F'"
    assert removed(there, record) == "{}"


def test_moved() -> None:
    """What names an earlier place of ours is set right, in its place, and nothing is doubled."""
    there, record = installed('{"statusLine": {"type": "command", "command": "date"}}', OURS)
    moved = Ours("'/new place/toll' hook", "/new/toll-statusline")
    now, again = installed(there, moved, record)
    assert again == record
    assert programs(now) == {"/new place/toll", "/new/toll-statusline"}
    assert now == there.replace(OURS.hook, moved.hook).replace(OURS.script, moved.script)


def test_without_a_record() -> None:
    """Where no record is left, what names us by our path is taken for setup's own."""
    there, record = installed("{}", OURS)
    same, found = installed(there, OURS)
    assert same == there
    assert (found.events, {*found.made}) == (record.events, {*record.made})
    assert removed(there, found) == "{}"
    assert removed(there) == "{}"


def test_by_hand() -> None:
    """Hooks that somebody wrote by hand count, and are no business of undoing."""
    text = json.dumps(
        {
            "hooks": {
                "PreToolUse": [
                    {"matcher": "*", "hooks": [{"type": "command", "command": "toll hook"}]}
                ]
            },
            "statusLine": {"type": "command", "command": "toll statusline --format x"},
        },
        indent=2,
    )
    there, record = installed(text, OURS)
    assert len(json.loads(there)["hooks"]["PreToolUse"]) == 1
    assert json.loads(there)["statusLine"] == json.loads(text)["statusLine"]
    assert "PreToolUse" not in record.events
    assert removed(there, record) == text


def test_hook_beside_ours() -> None:
    """Of a group into which somebody put a hook of their own only ours is taken."""
    there, record = installed("{}", OURS)
    settings = json.loads(there)
    theirs = {"type": "command", "command": "theirs"}
    settings["hooks"]["Stop"][0]["hooks"].append(theirs)
    back = json.loads(removed(json.dumps(settings), record) or "")
    assert back == {"hooks": {"Stop": [{"hooks": [theirs]}]}}


def test_lacking() -> None:
    """It says which events have no hook of ours any more."""
    there = install("{}")
    settings = json.loads(there)
    del settings["hooks"]["Stop"]
    settings["hooks"]["PreToolUse"][0]["matcher"] = "Bash"
    assert lacking(json.dumps(settings)) == ["PreToolUse", "Stop"]
    assert lacking("{}") == ["statusLine", *EVENTS]


UNFIT = {
    "": "line 1, column 1: expected a value, not the end",
    "[]": "line 1, column 1: the whole is no object",
    '{\n  "a": 1,\n}': "line 3, column 1: expected a name in quotes, not '}'",
    '{\n  // mine\n  "a": 1}': "line 2, column 3: a comment, which JSON has none of",
    '{"a": 1 /* mine */}': "line 1, column 9: a comment, which JSON has none of",
    '{"a": NaN}': "line 1, column 7: expected a value, not 'N'",
    '{"a": "\n"}': "line 1, column 7: expected a value, not '\"'",
    '{"a": 1} {': "line 1, column 10: expected nothing more, not '{'",
    '{"a" 1}': "line 1, column 6: expected ':', not '1'",
    '{"a": [1 2]}': "line 1, column 10: expected ',' or ']', not '2'",
    "[" * 100_000: "nested too deeply",
    '{"hooks": {}, "hooks": {}}': 'line 1, column 1: "hooks" stands in it twice',
    '{"hooks": []}': 'line 1, column 11: "hooks" is no object',
    '{"hooks": {"Stop": {}}}': 'line 1, column 20: "Stop" is no array',
    '{"hooks": {"Stop": [], "Stop": []}}': 'line 1, column 11: "Stop" stands in it twice',
    '{"statusLine": null}': 'line 1, column 16: "statusLine" is no object',
    '{"statusLine": {"type": "command"}}': 'line 1, column 16: "statusLine" names no command',
    '{"statusLine": {"type": "x", "command": "y"}}': 'column 16: "statusLine" names no command',
}


@pytest.mark.parametrize("text", UNFIT, ids=range(len(UNFIT)))
def test_unfit(text: str) -> None:
    """Settings with a mistake are refused, with the place and the reason, on one line."""
    with pytest.raises(UnfitError) as refused:
        installed(text, OURS)
    assert UNFIT[text] in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text() | st.text('{}[],:" \n\t\\u0a1-+.e"hooksatuLine'))
def test_any_text(text: str) -> None:
    """Of any text at all it makes settings, or refuses it."""
    try:
        there, record = installed(text, OURS)
    except UnfitError:
        return
    assert json.loads(there.removeprefix("\ufeff"))
    assert removed(there, record) == text
