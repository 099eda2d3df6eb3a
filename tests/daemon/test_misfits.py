"""What is wrong with config.toml, in a person's words: where, what should be, what is."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from tollkeeper_daemon import misfits
from tollkeeper_daemon.config import Config, ConfigError, load_config
from tollkeeper_daemon.forms import wanted
from tollkeeper_daemon.toml_text import parse


def told(folder: Path, content: str | bytes) -> str:
    """What is said of a config.toml that holds this, without the file's name."""
    file = folder / "config.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    text = str(raised.value)
    assert text.startswith(f"{file}: ")
    assert text.isprintable()
    return text.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('[limits]\nper_agent = "5"', 'a number from 0 to 1,000,000,000, and is "5"'),
        ("[limits]\nper_agent = -1", "a number from 0 to 1,000,000,000, and is -1"),
        ("[limits]\nper_agent = nan", "a number from 0 to 1,000,000,000, and is nan"),
        ("[limits]\nper_agent = true", "a number from 0 to 1,000,000,000, and is true"),
        ("[limits]\nper_agent = 1979-05-27", "a number from 0 to 1,000,000,000, and is 1979-05-27"),
        (f"[limits]\nper_agent = 0x{'f' * 5000}", "a number from 0 to 1,000,000,000, and is a huge number"),
        ("[limits]\naction = 'kill'", '"warn", "block", "pause" or "stop", and is "kill"'),
        ("[limits]\nwarn_at = 0.8", "a list such as [0.5], in which each is a number above 0 and below 1, and is 0.8"),
        ("[plan]\nwarn_at = 80", "a list such as [50], in which each is a number above 0 and at most 100, and is 80"),
        ("[workflow]\ntask_patterns = 1", 'a list such as ["one", "two"], in which each is text in quotes, and is 1'),
        ("[plan]\nwarn_at = [80, 101]", "a list such as [50], in which each is a number above 0 and at most 100, and is [80, 101]"),
        ("[history]\nkeep_requests_days = 1.5", "a whole number from 0 on, and is 1.5"),
        ("[on]\ntimeout_seconds = 0", "a number above 0, and is 0"),
        ("[on]\nalert = 5", "text in quotes, and is 5"),
        ("[sources]\nprocesses = {}", "true or false, and is a section"),
    ],
)  # fmt: skip
def test_values(tmp_path: Path, content: str, text: str) -> None:
    """A value that does not fit is told with its key, what may stand there, and what does."""
    section, key = content.split()[0].strip("[]"), content.split()[1]
    assert f"{section}.{key} must be {text}" == told(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[limits]\nper_agnet = 5", "limits.per_agnet is no setting; did you mean per_agent?"),
        ("[limts]\nper_agent = 5", "limts is no setting; did you mean limits?"),
        ("per_agent = 5", "per_agent is no setting; per_agent belongs into [limits]"),
        ("[on]\noff = []", "on.off is no setting; off belongs into [notify]"),
        (
            "[history]\nzzz = 1",
            "history.zzz is no setting; there are keep_requests_days",
        ),
        ("limits = 5", "limits must be a section, [limits], and is 5"),
        ("[[limits]]\ndaily = 1", "limits must be a section, [limits], and is [a section]"),
        (
            "[notify]\nquiet = '22-7'",
            'notify.quiet must be written as two times of the day, such as "22:00-07:00"',
        ),
    ],
)
def test_keys_and_sections(tmp_path: Path, content: str, text: str) -> None:
    """A key that there is not is told with the one that was meant, or all; so is where it belongs."""
    assert text == told(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[limits]\n\naction = pause", "at line 3, column 10: this is no value"),
        ("[limits]\nper_agent = $5", "at line 2, column 13: this is no value"),
        ("[limits]\nper_agent 5", "at line 2, column 11: a key without = behind it"),
        ("[limits\n", "at line 1, column 8: a section without its closing ]"),
        ("[a]\n[a]\n", "at line 2, column 3: a section that is there already"),
        ("a = 1\na = 2\n", "at line 2, column 6: a key that was set above already"),
        ("a = [1", "at end of document: unclosed array"),
        (b"a = '\xff'", "it is not UTF-8 text (byte 5)"),
        (b"a = " + b"[" * 5_000, "it is nested too deep"),
        (b"a = " + b"9" * 5_000, "Exceeds the limit"),
    ],
)
def test_broken_toml(tmp_path: Path, content: str | bytes, text: str) -> None:
    """What is no TOML is told with its line."""
    assert told(tmp_path, content).startswith(text)


@pytest.mark.parametrize("most", [1_000, 1_000.0])
def test_bounds_are_shown_as_people_write_them(most: float) -> None:
    """A bound is shown without the decimals that it does not need, and with those that it does."""
    assert "a number from 0 to 1,000" == wanted(Annotated[float, Meta(ge=0, le=most)])
    assert "a number below 0.5" == wanted(Annotated[float, Meta(lt=0.5)])


def test_a_mark_at_the_beginning(tmp_path: Path) -> None:
    """The mark that some editors put before UTF-8 does no harm."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf[limits]\ndaily = 7\n")
    assert 7 == load_config(file).limits.daily


VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=80),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
KEYS = st.sampled_from(
    ["per_agent", "daily", "warn_at", "action", "command", "off", "name", "limits", "x\ny"]
)
SECTIONS = st.sampled_from(["limits", "notify", "plan", "on", "limts", "a\x1b"])


@given(st.dictionaries(SECTIONS, st.dictionaries(KEYS, VALUES, max_size=3) | VALUES, max_size=3))
def test_whatever_stands_there(found: dict[str, object]) -> None:
    """Whatever is refused is told in one printable line of a bearable length, and nothing else is."""
    try:
        msgspec.convert(found, Config)
    except msgspec.ValidationError:
        text = misfits.misfit(Config, found)
        assert text.isprintable() and 0 < len(text) < 400
    else:
        assert "" == misfits.misfit(Config, found)


def test_defaults_fit() -> None:
    """A file that says nothing, or an empty section, has nothing wrong with it."""
    assert "" == misfits.misfit(Config, {})
    assert "" == misfits.misfit(Config, parse("[limits]\n"))
