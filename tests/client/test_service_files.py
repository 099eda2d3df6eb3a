"""The files of the service: values survive each format, and a file knows whether it is as we wrote it."""

import os
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.service.parts import Part, daemon_part, tray_part
from tollkeeper.service.placing import is_linked, place, remove, standing
from tollkeeper.service.quoting import in_desktop, in_unit, is_writable, plist_environment
from tollkeeper.service.seal import is_whole, seal_of, sealed
from tollkeeper.service.wanted import Wanted, wanted

VALUES = st.text().filter(is_writable)
WANTED = Wanted("/venv/bin/python", "/home/a", "/home/a/data", "/usr/bin:/bin", {"TZ": "UTC"})
PARTS = (
    daemon_part({"HOME": "/home/a"}, "linux"),
    tray_part({"HOME": "/home/a"}, "linux"),
    daemon_part({"HOME": "/home/a"}, "darwin"),
    tray_part({"HOME": "/home/a"}, "darwin"),
)


def from_unit(word: str) -> str:
    """What systemd.syntax(7) and systemd.unit(5) make of a word in quotes; no bare specifier is left."""
    inner = word[1:-1]
    assert not re.search(r"(?<!%)(%%)*%(?!%)", inner)
    return re.sub(r"\\(.)", r"\1", inner.replace("%%", "%"))


@given(VALUES)
def test_unit_word(value: str) -> None:
    """systemd reads from a unit what was to be written."""
    word = in_unit(value)
    assert re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', word)
    assert value == from_unit(word)


@given(st.dictionaries(st.from_regex("[A-Z_]+", fullmatch=True), VALUES))
def test_plist_environment(environment: dict[str, str]) -> None:
    """A property list gives the variables back."""
    found = ElementTree.fromstring(f"<dict>{plist_environment(environment)}</dict>")
    texts = [each.text or "" for each in found]
    assert environment == dict(zip(texts[::2], texts[1::2], strict=True))


@given(st.lists(VALUES, min_size=1))
def test_desktop_words(words: list[str]) -> None:
    """A desktop file's command line gives the words back: string, quoting, field codes, in this order."""
    line = in_desktop(words).replace("\\\\", "\\")
    # Within its quotes a shell takes the same four characters for special.
    found = shlex.split(re.sub(r"\\([`$])", r"\1", line))
    assert words == [word.replace("%%", "%") for word in found]


@pytest.mark.parametrize("value", ["a\nb", "\x00", "\x7f", os.fsdecode(b"\xff"), "\ud800"])
def test_unwritable(value: str) -> None:
    """What no format can hold is refused in a line."""
    assert not is_writable(value)
    with pytest.raises(TollError, match="no service can be written"):
        in_unit(value)


@given(VALUES, VALUES, VALUES)
def test_seal(before: str, data: str, after: str) -> None:
    """A seal tells what it was given, and whether anything else in its file has changed."""
    assume("Written by toll" not in before)
    text = sealed(f"{before}\n# Written by toll service install: @SEAL@\n{after}", data, "/bin")
    assume("@SEAL@" not in before)
    seal = seal_of(text)
    assert seal is not None
    assert (data, "/bin") == (seal.data, seal.path)
    assert is_whole(text, seal)
    assert not is_whole(f"{text}#", seal)


@given(VALUES)
def test_seal_in_xml(data: str) -> None:
    """No directory ends the comment in which the seal stands."""
    text = sealed("<!-- Written by toll service install: @SEAL@ -->\n<plist/>", data, "")
    comment = text.partition("\n")[0][4:-4]
    assert "--" not in comment
    seal = seal_of(text)
    assert seal is not None
    assert data == seal.data


@pytest.mark.parametrize("part", PARTS)
def test_standing(part: Part, tmp_path: Path) -> None:
    """A file is absent, as it would be written, of another Python, account or hand."""
    part = replace(part, file=tmp_path / part.file.name, link=None)
    other_path = replace(WANTED, path="/elsewhere")

    def kind() -> str:
        return standing(part, WANTED).kind

    assert "absent" == kind()
    for want, told in (
        (WANTED, "current"),
        (other_path, "current"),
        (replace(WANTED, python="/moved/python"), "outdated"),
        (replace(WANTED, environment={"TZ": "Asia/Tokyo"}), "outdated"),
        (replace(WANTED, data="/other"), "another"),
    ):
        part.file.write_text(part.text(want))
        assert told == kind()
    part.file.write_text(part.text(WANTED).replace("tollkeeper", "tollkeeper2", 1))
    assert "edited" == kind()
    part.file.write_text("")
    assert "edited" == kind()
    part.file.write_bytes(b"\xff")
    with pytest.raises(TollError, match="no text of ours"):
        kind()


def test_pipe(tmp_path: Path) -> None:
    """A pipe in the unit's place holds nothing of ours, and nobody waits for what may come out of it."""
    part = daemon_part({"HOME": str(tmp_path)}, "linux")
    part.file.parent.mkdir(parents=True)
    os.mkfifo(part.file)
    assert "edited" == standing(part, WANTED).kind


def tree(folder: Path) -> list[str]:
    """All that is in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_there_and_back(platform: str, tmp_path: Path) -> None:
    """Written, removed and written again, with and without folders before: nothing else is left."""
    for name, before in (("bare", ()), ("used", (".config/systemd/user", "Library/LaunchAgents"))):
        home = tmp_path / name
        home.mkdir()
        for folder in before:
            (home / folder).mkdir(parents=True)
            (home / folder / "own.file").write_text("")
        own = tree(home)
        environment = {"HOME": str(home)}
        parts = [of(environment, platform) for of in (daemon_part, tray_part)]
        trees: list[list[str]] = []
        for _ in range(2):
            for part in parts:
                text = part.text(WANTED)
                assert place(part, text, standing(part, WANTED)) is None
                assert is_linked(part)
                assert 0o644 == part.file.stat().st_mode & 0o777
            trees.append(tree(home))
            for part in parts:
                assert remove(part, standing(part, WANTED), home) is None
            assert own == tree(home)
        assert trees[0] == trees[1] != own


def test_link_is_mended(tmp_path: Path) -> None:
    """A link that leads elsewhere is none to the service."""
    part = daemon_part({"HOME": str(tmp_path)}, "linux")
    assert part.link is not None
    part.link.parent.mkdir(parents=True)
    part.link.symlink_to("/dev/null")
    assert not is_linked(part)
    place(part, part.text(WANTED), standing(part, WANTED))
    assert is_linked(part)
    assert part.file.samefile(part.link)


def test_wanted(home: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It keeps where things lie, made absolute, and nothing secret."""
    monkeypatch.chdir(tmp_path)
    environment = {
        "HOME": "/home/a",
        "PATH": "bin:/usr/bin:/bin:/usr/bin::/a\nb",
        "TOLL_HOME": "t",
        "CLAUDE_CONFIG_DIR": "one, /two,",
        "XDG_DATA_HOME": "relative",
        "XDG_CONFIG_HOME": "/config",
        "ANTHROPIC_API_KEY": "secret",
        "TZ": "Asia/Tokyo",
    }
    want = wanted(environment, "/venv/bin/python")
    assert "/usr/bin:/bin" == want.path
    assert f"{tmp_path}/t/data" == want.data
    assert want.environment == {
        "CLAUDE_CONFIG_DIR": f"{tmp_path}/one,/two",
        "TOLL_HOME": f"{tmp_path}/t",
        "TZ": "Asia/Tokyo",
        "XDG_CONFIG_HOME": "/config",
    }
    with pytest.raises(TollError):
        wanted(environment, "")


def test_other_systems() -> None:
    """Where there is neither systemd nor launchd, it says so."""
    with pytest.raises(TollError, match="systemd and launchd"):
        daemon_part({}, "freebsd14")


def test_seal_of_the_first_version() -> None:
    """A file that the first version wrote is known for ours, and for whole."""
    text = (
        "[Unit]\n# Written by toll service install: "
        '{"digest":"3c57f714834dae17","data":"/d","path":"/bin","version":1}\n'
    )
    seal = seal_of(text)
    assert seal is not None
    assert ("/d", "/bin", 1) == (seal.data, seal.path, seal.version)
    assert is_whole(text, seal)
