"""``toll setup``: what it writes where, that it asks, keeps a backup, and takes it all out again."""

import json
import os
import pty
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tollkeeper import setups
from tollkeeper.claude_settings.parts import EVENTS
from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.setups import back_up, load_setups, read_settings, write_settings

from .conftest import Run

TEXT = '{\n    "model": "opus",\n    "hooks": {}\n}'
TOLL = str(Path(sys.executable).with_name("toll"))


@pytest.fixture
def claude(home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own Claude home, in the usual place."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    folder = tmp_path / ".claude"
    folder.mkdir()
    return folder


@pytest.fixture
def file(claude: Path) -> Path:
    """Its settings, which only their owner may read."""
    settings = claude / "settings.json"
    settings.write_text(TEXT)
    settings.chmod(0o600)
    return settings


@pytest.fixture
def project(claude: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's settings, not there yet, of the current directory."""
    folder = tmp_path / "src" / "it's"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder / ".claude" / "settings.json"


NOT_SET_UP = "ok   status line and hooks: not in Claude Code's settings yet: toll setup\n"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def doctor(run: Run) -> str:
    """What the doctor says of what was set up."""
    said = run("doctor", "--no-start")[1].partition("mend: toll up\n")[2]
    return said.partition("ok   service: ")[0]


def test_there_and_back(home: Paths, file: Path, run: Run) -> None:
    """It writes status line and hooks, and takes out just these."""
    exit_status, out, err = run("setup", "--yes")
    assert (exit_status, err) == (0, "")
    assert '+    "statusLine": {' in out
    settings = json.loads(file.read_text())
    assert settings["statusLine"] == {"type": "command", "command": f". {home.status_script}"}
    hook = {"type": "command", "command": f"{TOLL} hook"}
    assert settings["hooks"] == {event: [{"hooks": [hook]}] for event in EVENTS}
    assert file.stat().st_mode & 0o777 == 0o600
    assert home.status_script.stat().st_mode & 0o777 == 0o700
    backup = file.with_name("settings.json.before-toll")
    assert (backup.read_text(), backup.stat().st_mode & 0o777) == (TEXT, 0o600)
    assert f"as it was: {backup}" in out

    exit_status, out, _ = run("setup", "--undo", "--yes")
    assert exit_status == 0
    assert file.read_text() == TEXT
    assert file.stat().st_mode & 0o777 == 0o600
    assert not home.status_script.exists()
    assert not home.setups.exists()
    assert names(file.parent) == {file.name, backup.name}


def test_twice(home: Paths, file: Path, run: Run) -> None:
    """A second time there is nothing to do, for undoing as well, and no one is asked."""
    run("setup", "--yes")
    written = (file.read_bytes(), home.setups.read_bytes())
    assert run("setup") == (0, "Nothing to do: all is set up.\n", "")
    assert (file.read_bytes(), home.setups.read_bytes()) == written
    run("setup", "--undo", "--yes")
    assert run("setup", "--undo") == (0, "Nothing to do: nothing of ours is there.\n", "")


def test_dry_run(home: Paths, file: Path, run: Run) -> None:
    """A dry run shows the change alone."""
    exit_status, out, err = run("setup", "--dry-run")
    assert (exit_status, err) == (0, "")
    assert out.startswith(f"--- {file}\n+++ {file}\n@@ ")
    assert out.endswith("Nothing was changed.\n")
    assert names(file.parent) == {file.name}
    assert not home.data.exists()


def test_the_difference_is_one(file: Path, run: Run, tmp_path: Path) -> None:
    """What is shown is a difference that can be applied to the file, whatever its ends of lines."""
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    [told] = json.loads(run("setup", "--dry-run", "--json")[1])["files"]
    copy = tmp_path / "copy.json"
    copy.write_bytes(file.read_bytes())
    run("setup", "--yes")
    subprocess.run(
        ["patch", "--binary", str(copy)],
        input=told["diff"].encode(),
        check=True,
        capture_output=True,
    )
    assert copy.read_bytes() == file.read_bytes()


def test_without_a_terminal(file: Path, run: Run) -> None:
    """Where nobody can be asked, and nobody said yes, nothing is changed."""
    for more in ([], ["--json"]):
        exit_status, _, err = run("setup", *more)
        assert exit_status == 1
        assert err == "toll: nothing was changed; to do it without being asked, say --yes\n"
    assert names(file.parent) == {file.name}
    assert file.read_text() == TEXT


@pytest.mark.parametrize(("said", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_asked(
    file: Path, said: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a terminal it asks, and does as it is told."""
    monkeypatch.setenv("PATH", str(tmp_path))  # Where no systemctl is, the service is not offered.
    ours, theirs = pty.openpty()
    os.write(ours, f"{said}\n".encode())
    seen: list[bytes] = []
    reader = threading.Thread(target=_drain, args=(ours, seen))
    reader.start()
    done = subprocess.run([TOLL, "setup"], stdin=theirs, stdout=theirs, stderr=theirs, check=False)
    os.close(theirs)
    reader.join()
    os.close(ours)
    assert b"Write it? [y/N]" in b"".join(seen)
    assert done.returncode == status
    assert (file.read_text() == TEXT) == (status == 1)
    if status == 0 and sys.platform == "linux":
        why = b"That the daemon starts at login is not offered: no systemd user session here"
        assert why in b"".join(seen)


def _drain(descriptor: int, seen: list[bytes]) -> None:
    """Read a terminal until the last of those who write to it has gone."""
    try:
        while part := os.read(descriptor, 4096):
            seen.append(part)
    except OSError:
        return


def test_json(file: Path, run: Run) -> None:
    """As JSON it tells each file, whether it changed, its backup and the difference."""
    exit_status, out, err = run("setup", "--yes", "--json")
    assert (exit_status, err) == (0, "")
    told = json.loads(out)
    assert (told["undo"], told["dry_run"]) == (False, False)
    [one] = told["files"]
    assert (one["path"], one["changed"]) == (str(file), True)
    assert one["backup"] == f"{file}.before-toll"
    assert "+++ " in one["diff"]
    [one] = json.loads(run("setup", "--json")[1])["files"]
    assert (one["changed"], one["backup"], one["diff"]) == (False, None, "")


def test_no_settings_yet(claude: Path, run: Run) -> None:
    """Where a home has no settings they are made, and go again."""
    run("setup", "--yes")
    assert (claude / "settings.json").stat().st_mode & 0o777 == 0o600
    run("setup", "--undo", "--yes")
    assert names(claude) == set()


def test_homes(claude: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each home that is named and there is set up, and the usual one is not; without any it says so."""
    one, two, gone = (tmp_path / name for name in ("one", "two", "gone"))
    one.mkdir()
    two.mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{one}, {gone},{two},{one}")
    run("setup", "--yes")
    assert [names(each) for each in (one, two, claude)] == [{"settings.json"}] * 2 + [set()]
    assert not gone.exists()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(gone))
    exit_status, _, err = run("setup", "--yes")
    assert exit_status == 1
    assert err.startswith(f"toll: no Claude home at {gone}; ")


def test_a_mistake_stops_all(
    file: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file with a mistake is named with the place, and no file is touched."""
    broken = tmp_path / "other" / "settings.json"
    broken.parent.mkdir()
    broken.write_text('{\n  "a": 1, // mine\n}')
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{file.parent},{broken.parent}")
    for more in ([], ["--undo"]):
        exit_status, _, err = run("setup", "--yes", *more)
        assert exit_status == 1
        place = "line 2, column 11: a comment, which JSON has none of"
        assert err == f"toll: {broken}: {place}; nothing was changed; mend the file first\n"
    assert file.read_text() == TEXT


@pytest.mark.parametrize("kind", ["bytes", "pipe", "folder", "link to nothing", "large"])
def test_no_settings_file(file: Path, run: Run, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no text, or no file, is refused in one line."""
    file.unlink()
    match kind:
        case "bytes":
            file.write_bytes(b'{"a": "\xff"}')
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "link to nothing":
            file.symlink_to(file.parent / "nothing")
        case _:
            monkeypatch.setattr(setups, "LARGEST", 10)
            file.write_text(TEXT)
    exit_status, out, err = run("setup", "--yes")
    assert (exit_status, out, err.count("\n")) == (1, "", 1)
    assert str(file) in err


def test_through_a_link(file: Path, run: Run, tmp_path: Path) -> None:
    """A link stays one, and where it leads the settings are written."""
    real = tmp_path / "dotfiles.json"
    file.rename(real)
    real.chmod(0o640)
    file.symlink_to(real)
    run("setup", "--yes")
    assert file.is_symlink()
    assert "statusLine" in json.loads(real.read_text())
    assert real.stat().st_mode & 0o777 == 0o640
    assert names(file.parent) == {"settings.json", "settings.json.before-toll"}
    run("setup", "--undo", "--yes")
    assert (file.is_symlink(), real.read_text()) == (True, TEXT)


def test_backups(file: Path) -> None:
    """A backup is never written over, and none is made of what is kept already."""
    made = [back_up(file, text).name for text in ("a", "b", "a", "c", "b")]
    name = f"{file.name}.before-toll"
    assert made == [name, f"{name}-2", name, f"{name}-3", f"{name}-2"]


def test_changed_meanwhile(file: Path) -> None:
    """What somebody wrote after it was read is not written over."""
    before = read_settings(file)
    file.write_text("{}")
    with pytest.raises(TollError, match="changed meanwhile"):
        write_settings(file, before, "{ }")
    assert file.read_text() == "{}"


def test_own_status_line(home: Paths, file: Path, run: Run) -> None:
    """A status line of one's own is shown beside ours, and comes back."""
    line: dict[str, Any] = {"type": "command", "command": 'echo "it\'s $((1 + 1))"', "padding": 0}
    file.write_text(json.dumps({"statusLine": line}))
    run("setup", "--yes")
    command = json.loads(file.read_text())["statusLine"]["command"]
    shown = subprocess.run(
        command, shell=True, input="{}", capture_output=True, text=True, check=True
    )
    assert shown.stdout == "it's 2 | toll: not running (toll up)\n"
    run("setup", "--undo", "--yes")
    assert json.loads(file.read_text()) == {"statusLine": line}


def test_project(home: Paths, file: Path, project: Path, run: Run) -> None:
    """A project's settings show the status line that they hide, ours or one's own, and go again."""
    file.write_text('{"statusLine": {"type": "command", "command": "date"}}')
    for _ in range(2):
        run("setup", "--yes", "--project")
        line = json.loads(project.read_text())["statusLine"]
        assert line["command"] == f"{home.status_script} date"
        assert run("setup", "--undo", "--yes", "--project")[0] == 0
        assert not project.exists()
        run("setup", "--yes")
    run("setup", "--yes", "--project")
    assert run("setup", "--undo", "--yes")[1].endswith(f"Still set up: {project}\n")
    assert home.status_script.exists()


def test_moved(home: Paths, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the data directory elsewhere setup puts the new path in the place of the old."""
    run("setup", "--yes")
    monkeypatch.setenv("TOLL_HOME", f"{home.data.parent}/new")
    out = run("setup", "--yes")[1]
    lines = [
        line for line in out.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert len(lines) == 2
    assert str(home.status_script) not in file.read_text()


def test_doctor(home: Paths, file: Path, project: Path, run: Run) -> None:
    """The doctor says where all is in place, and what went out of which file, with the way back."""
    assert doctor(run) == NOT_SET_UP
    run("setup", "--yes")
    run("setup", "--yes", "--project")
    assert doctor(run).splitlines() == [
        f"ok   status line and hooks: in {file}",
        f"ok   status line and hooks: in {project}",
    ]
    settings = json.loads(file.read_text())
    del settings["hooks"]["Stop"]
    file.write_text(json.dumps(settings))
    project.write_text("{}")
    home.status_script.write_text("#!/bin/sh\n")
    here = shlex.quote(str(project.parent.parent))
    stay = "or, if it is to stay so,"
    assert doctor(run).splitlines() == [
        f"BAD  hooks (Stop) went out of {file}",
        f"     mend: toll setup; {stay} toll setup --undo",
        f"BAD  the status line and the hooks went out of {project}",
        f"     mend: (cd {here} && toll setup --project); {stay} with --undo",
        f"BAD  {home.status_script}, the status line, is not as it was set up",
        "     mend: toll setup",
    ]
    run("setup", "--yes")
    run("setup", "--yes", "--project")
    assert doctor(run).count("ok ") == 2
    file.write_text("{")
    assert f"BAD  {file}: line 1, column 2: " in doctor(run)
    file.unlink()
    assert f"BAD  {file}, which was set up, is gone\n" in doctor(run)


def test_doctor_of_another_home(
    file: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several homes the doctor says which is not set up yet, once one is."""
    other = tmp_path / "claude-work"
    other.mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{file.parent},{other}")
    assert doctor(run) == NOT_SET_UP
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(file.parent))
    run("setup", "--yes")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{file.parent},{other}")
    left = f"ok   status line and hooks: not in {other}/settings.json yet: toll setup"
    assert doctor(run).splitlines() == [f"ok   status line and hooks: in {file}", left]
    run("setup", "--yes")
    assert left not in doctor(run)


def test_doctor_of_a_program_that_is_gone(file: Path, run: Run) -> None:
    """The doctor says when the hooks run what is not there any more."""
    run("setup", "--yes")
    file.write_text(file.read_text().replace(f"{TOLL} hook", "/gone/toll hook"))
    assert doctor(run).startswith(f"BAD  {file} runs /gone/toll, which is not there\n")
    run("setup", "--yes")
    assert doctor(run).startswith("ok ")


def test_doctor_of_a_project_that_is_gone(project: Path, run: Run, tmp_path: Path) -> None:
    """A project that is there no more needs nothing."""
    run("setup", "--yes", "--project")
    project.parent.parent.rename(tmp_path / "elsewhere")
    assert doctor(run) == NOT_SET_UP


def test_doctor_of_what_was_set_up_by_hand(file: Path, run: Run) -> None:
    """Who wrote a hook of ours without `toll setup` is not told to run it; a broken file is passed over."""
    hook = {"type": "command", "command": "toll hook"}
    file.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [hook]}]}}))
    assert doctor(run) == ""
    file.write_text("{")
    assert doctor(run) == NOT_SET_UP


OWN_LINE = {"statusLine": {"type": "command", "command": "echo hi"}}
ALL_OFF = "managed settings turn off all hooks and status lines: disableAllHooks"
OWN_ONLY = "by managed settings only their own hooks and status lines run: allowManagedHooksOnly"
LOCKED = "by managed settings only their own hooks run: strictPluginOnlyCustomization"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, ""),
        ({"disableAllHooks": False, "allowManagedHooksOnly": False}, ""),
        ({"disableAllHooks": True, "allowManagedHooksOnly": True}, ALL_OFF),
        ({"allowManagedHooksOnly": True}, OWN_ONLY),
        ({"strictPluginOnlyCustomization": ["skills", "hooks"]}, LOCKED),
        ({"strictPluginOnlyCustomization": ["skills"]}, ""),
        (OWN_LINE, "the status line in {} is shown in the place of ours"),
    ],
)
@pytest.mark.parametrize("name", ["managed-settings.json", "managed-settings.d/10.json"])
@pytest.mark.parametrize("by_hand", [True, False])
def test_doctor_of_managed_settings(
    file: Path,
    managed: Path,
    run: Run,
    settings: dict[str, Any],
    told: str,
    name: str,
    by_hand: bool,
) -> None:
    """The doctor says which word of managed settings turns off what was set up, or hides it, once."""
    (managed / name).write_text(f"\ufeff{json.dumps(settings)}")
    if by_hand:
        hook = {"type": "command", "command": "toll hook"}
        file.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [hook]}]}}))
    else:
        run("setup", "--yes")
    expected = [f"BAD  {told.format(managed / name)}"] if told else []
    assert [line for line in doctor(run).splitlines() if line.startswith("BAD")] == expected


@pytest.mark.parametrize("word", ["allowManagedHooksOnly", "strictPluginOnlyCustomization"])
def test_doctor_of_what_managed_settings_bring(
    file: Path, managed: Path, run: Run, word: str
) -> None:
    """Where managed settings bring all that is ours themselves, nothing is wrong with their having it alone."""
    run("setup", "--yes")
    theirs = managed / "managed-settings.json"
    theirs.write_text(file.read_text())
    (managed / "managed-settings.d" / "10.json").write_text(json.dumps({word: True}))
    assert "BAD" not in doctor(run)
    lines = json.loads(file.read_text())
    del lines["hooks"]["Stop"]
    theirs.write_text(json.dumps(lines))
    assert doctor(run).count("BAD") == 1


def test_told_at_once_what_hinders(file: Path, managed: Path, run: Run) -> None:
    """Whoever sets up what managed settings turn off is told so, and who takes it out again is not."""
    (managed / "managed-settings.json").write_text('{"disableAllHooks": true}')
    told = f"But {ALL_OFF} (ask whoever manages this machine"
    for words in (["--yes"], []):
        exit_status, out, _ = run("setup", *words)
        assert (exit_status, told in out) == (0, True)
    for words in (["--dry-run"], ["--undo", "--yes"]):
        assert told not in run("setup", *words)[1]


def test_doctor_of_managed_settings_without_need(file: Path, managed: Path, run: Run) -> None:
    """Where nothing is set up, nobody is told of managed settings."""
    (managed / "managed-settings.json").write_text('{"disableAllHooks": true}')
    assert doctor(run) == NOT_SET_UP


def test_doctor_of_broken_managed_settings(file: Path, managed: Path, run: Run) -> None:
    """Managed settings that can't be read are told of, with the place."""
    run("setup", "--yes")
    theirs = managed / "managed-settings.json"
    for content in ("{", '{"disableAllHooks": 5}', "[" * 100_000, '{"statusLine": 5}', "\udcff"):
        theirs.write_bytes(content.encode(errors="surrogateescape"))
        assert doctor(run).count("BAD") == 1
        assert f"BAD  {theirs}" in doctor(run)


def test_doctor_of_hooks_that_are_off(file: Path, managed: Path, run: Run) -> None:
    """The doctor says when the settings themselves turn off what was set up, unless managed ones have it on."""
    run("setup", "--yes")
    file.write_text(json.dumps({**json.loads(file.read_text()), "disableAllHooks": True}))
    told = f"BAD  {file} turns off all hooks and status lines: disableAllHooks\n"
    assert told in doctor(run)
    (managed / "managed-settings.json").write_text('{"disableAllHooks": false}')
    assert "BAD" not in doctor(run)


@pytest.mark.parametrize("content", ["{", '{"version": 2}', '{"version": 1, "files": 5}', "\udcff"])
def test_broken_record(home: Paths, file: Path, run: Run, content: str) -> None:
    """A record of ours that can't be read is told, and nothing is done on a guess."""
    home.data.mkdir(parents=True)
    home.setups.write_bytes(content.encode(errors="surrogateescape"))
    exit_status, _, err = run("setup", "--yes")
    assert (exit_status, err.count("\n")) == (1, 1)
    assert str(home.setups) in err
    assert "BAD  " in doctor(run)
    assert file.read_text() == TEXT


def test_lost_record(home: Paths, file: Path, run: Run) -> None:
    """Without a record, undoing takes out all that names us."""
    file.write_text("{}")
    run("setup", "--yes")
    home.setups.unlink()
    run("setup", "--undo", "--yes")
    assert file.read_text() == "{}"


def test_record_of_version_one(home: Paths) -> None:
    """What the first version wrote is read for ever."""
    home.data.mkdir(parents=True)
    home.setups.write_text(
        '{"version": 1, "files": {"/h/settings.json": {"created": false, "events": ["Stop"], "made": '
        '["hooks"], "spaces": {"": " "}, "former": "\\"x\\"", "status_line": true, "project": true}}}'
    )
    record = load_setups(home).files["/h/settings.json"]
    assert (record.events, record.made, record.spaces) == (("Stop",), ("hooks",), {"": " "})
    assert (record.former, record.status_line, record.project) == ('"x"', True, True)


def test_one_home_by_two_names(
    claude: Path, file: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that is named twice, once by a link, is set up once, and taken out again."""
    (tmp_path / "other").symlink_to(claude)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{claude},{tmp_path / 'other'}")
    assert run("setup", "--yes")[0] == 0
    assert run("setup", "--undo", "--yes")[0] == 0
    assert file.read_text() == TEXT


def test_hooks_by_hand_stay(file: Path, run: Run) -> None:
    """What somebody added by hand after the setup is not ours to take out."""
    assert run("setup", "--yes")[0] == 0
    settings = json.loads(file.read_text())
    by_hand = {"hooks": [{"type": "command", "command": "toll hook"}]}
    settings["hooks"]["Stop"].append(by_hand)
    file.write_text(json.dumps(settings))
    assert run("setup", "--undo", "--yes")[0] == 0
    assert json.loads(file.read_text()) == {"model": "opus", "hooks": {"Stop": [by_hand]}}


def test_settings_that_were_replaced(file: Path, run: Run) -> None:
    """Settings that came back from elsewhere since the setup are set up anew, and come back again."""
    assert run("setup", "--yes")[0] == 0
    text = '{"x":1, "statusLine":{"type":"command","command":"a  ;b"}, "hooks":{"Stop":[ ]}}'
    file.write_text(text)
    assert run("setup", "--yes")[0] == 0
    assert run("setup", "--undo", "--yes")[0] == 0
    assert file.read_text() == text


def test_settings_that_can_not_be_written(
    home: Paths, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what could not be written nothing is remembered."""

    def refuse(*_: object) -> None:
        raise TollError("no room")

    monkeypatch.setattr("tollkeeper.cli.setup.write_settings", refuse)
    assert run("setup", "--yes")[0] == 1
    assert not load_setups(home).files
