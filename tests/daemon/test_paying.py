"""What decides who pays: names in the environment and the client's settings, never a secret."""

import json
from pathlib import Path

import pytest

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.config import Accounts, Source
from tollkeeper_daemon.sources.homes import Home, Homes
from tollkeeper_daemon.sources.paying import (
    Means,
    Remembered,
    account_at,
    environment_says,
    means_by,
    own_says,
    server_in,
    settings_say,
    state_says,
)

KEY, TOKEN = Means(by_key=True), Means(by_token=True)


@pytest.mark.parametrize(
    ("environment", "means"),
    [
        ({}, Means()),
        ({"ANTHROPIC_API_KEY": "x"}, KEY),
        ({"ANTHROPIC_API_KEY": ""}, Means()),
        ({"ANTHROPIC_AUTH_TOKEN": "x"}, KEY),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "x"}, TOKEN),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "x", "ANTHROPIC_API_KEY": "x"}, Means(True, True)),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, KEY),
        ({"CLAUDE_CODE_USE_VERTEX": "true"}, KEY),
        ({"CLAUDE_CODE_USE_FOUNDRY": "yes"}, KEY),
        ({"CLAUDE_CODE_USE_BEDROCK": "0"}, Means()),
        ({"CLAUDE_CODE_USE_BEDROCK": "false"}, Means()),
        ({"ANTHROPIC_BASE_URL": "http://localhost:8080"}, Means(server="localhost:8080")),
    ],
)
def test_environment(environment: dict[str, str], means: Means) -> None:
    """A key, another token or another provider means API, a token of a subscription that one."""
    assert means == means_by(environment_says(environment))
    assert means == means_by(settings_say(json.dumps({"env": environment}).encode()))


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("", ""),
        ("https://api.anthropic.com", ""),
        ("https://api.anthropic.com:443/v1", ""),
        ("https://ANTHROPIC.com", ""),
        ("https://api.anthropic.com.example.org", "api.anthropic.com.example.org"),
        ("http://localhost:8080/path?key=secret#secret", "localhost:8080"),
        ("http://user:secret@proxy.example.org:81", "proxy.example.org:81"),
        ("user:secret@proxy:81", "proxy:81"),
        ("//user:secret@proxy", "proxy"),
        ("http://secret:secret@[::1]:80", "[::1]:80"),
        ("http://[::1", ""),
        ("http://proxy:port", ""),
        ("secret@", ""),
    ],
)
def test_server(url: str, server: str) -> None:
    """Of a base URL host and port are told, unless they are Anthropic's, and no user or password."""
    assert server == server_in(url)
    assert "secret" not in account_at(server_in(url))


def test_helper() -> None:
    """A command that fetches a key means API, and is not looked at."""
    assert means_by(settings_say(b'{"apiKeyHelper": "cat secret"}')) == KEY
    assert "secret" not in repr(settings_say(b'{"apiKeyHelper": "cat secret"}'))
    for none in (b"{}", b'{"apiKeyHelper": null}', b'{"apiKeyHelper": ""}', b'{"env": {}}'):
        assert means_by(settings_say(none)) == Means()


@pytest.mark.parametrize(
    ("name", "value", "means"),
    [
        ("ANTHROPIC_API_KEY", " ", Means()),
        ("ANTHROPIC_API_KEY", None, KEY),
        ("ANTHROPIC_API_KEY", 0, KEY),
        ("ANTHROPIC_API_KEY", ["x"], KEY),
        ("CLAUDE_CODE_USE_BEDROCK", True, KEY),
        ("CLAUDE_CODE_USE_BEDROCK", 1, KEY),
        ("CLAUDE_CODE_USE_BEDROCK", 0, Means()),
        ("CLAUDE_CODE_USE_BEDROCK", None, Means()),
        ("CLAUDE_CODE_USE_BEDROCK", {"on": 1}, Means()),
    ],
)
def test_values_that_are_no_text(name: str, value: object, means: Means) -> None:
    """The client takes a value of its settings as it is written there; one of blanks is none."""
    assert means == means_by(settings_say(json.dumps({"env": {name: value}}).encode()))


def test_files_are_read_again_when_written(tmp_path: Path) -> None:
    """What a file says is known anew once it was written, and one that is half written says nothing."""
    file = tmp_path / ".claude.json"
    files: Remembered[str | None] = Remembered(state_says, None)
    said = [files.read(str(file))]
    for content in (
        '{"oauthAccount": {"accountUuid": "a"}}',
        '{"oauthAccount": {"accou',
        '{"oauthAccount": {}}',
        '{"oauthAccount": {"emailAddress": "x"}}',
    ):
        file.write_text(content)
        said.append(files.read(str(file)))
    file.unlink()
    assert [None, "a", "a", None, "", None] == [*said, files.read(str(file))]
    file.write_bytes(b"\xef\xbb\xbf" + b'{"oauthAccount": {"accountUuid": "a"}}')
    assert "a" == files.read(str(file))


def home_in(folder: Path, account: str = "acc-1") -> Home:
    """A home of this account."""
    folder.mkdir()
    (folder / ".claude.json").write_text(json.dumps({"oauthAccount": {"accountUuid": account}}))
    return Home(folder)


def followed(home: Home, accounts: Accounts | None = None) -> Followed:
    """This home, followed."""
    return Followed(Homes((home,), bounded=True), accounts or Accounts())


def test_payer_in_a_home(tmp_path: Path) -> None:
    """The home's account pays, unless settings of the home or of the project tell another."""
    home, cwd = home_in(tmp_path / "h"), tmp_path / "shop"
    (cwd / ".claude").mkdir(parents=True)
    homes = followed(home)
    assert ("subscription", "acc-1") == homes.payer_in(home, str(cwd))
    assert "acc-1" == homes.account_of(home)
    assert str(home.path) == homes.home_of_account("acc-1")
    (cwd / ".claude" / "settings.local.json").write_text(
        '{"env": {"CLAUDE_CODE_OAUTH_TOKEN": "x"}}'
    )
    assert ("subscription", "") == homes.payer_in(home, str(cwd))
    (cwd / ".claude" / "settings.json").write_text('{"apiKeyHelper": "x"}')
    assert ("api", "") == homes.payer_in(home, str(cwd))
    assert ("api", "proxy p:1") == homes.payer_in(home, str(cwd), own_says((), "p:1"))
    assert homes.is_subscribed(home)
    (home.path / "settings.json").write_text('{"env": {"ANTHROPIC_API_KEY": "x"}}')
    assert ("api", "") == homes.payer_in(home, str(tmp_path))
    assert not homes.is_subscribed(home)
    assert ("api", "") == homes.payer_of_log(f"{home.projects}/p/c.jsonl")


@pytest.mark.parametrize(
    ("settings", "payer"),
    [
        ({"apiKeyHelper": "x"}, ("api", "")),
        ({"env": {"ANTHROPIC_API_KEY": "x"}}, ("api", "")),
        ({"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}}, ("api", "")),
        ({"env": {"CLAUDE_CODE_OAUTH_TOKEN": "x"}}, ("subscription", "")),
        ({"env": {"ANTHROPIC_BASE_URL": "http://p"}, "apiKeyHelper": "x"}, ("api", "proxy p")),
        ({"permissions": {}}, ("subscription", "acc-1")),
    ],
)
@pytest.mark.parametrize("name", ["managed-settings.json", "managed-settings.d/10.json"])
def test_managed_settings(
    tmp_path: Path, managed: Path, name: str, settings: dict[str, object], payer: tuple[str, str]
) -> None:
    """Managed settings say who pays in every home, as other settings do."""
    home = home_in(tmp_path / "h")
    homes = followed(home)
    (managed / name).write_text(json.dumps(settings))
    assert payer == homes.payer_in(home, "")
    assert (payer[0] == "subscription") == homes.is_subscribed(home)
    account = payer[1] if payer[0] == "subscription" else ""
    assert (payer[0], account) == homes.payer_of_log(f"{home.projects}/p/c.jsonl")


def test_which_settings_go_before(tmp_path: Path, managed: Path) -> None:
    """Each file hides what those say that it goes before, also by an empty value, name by name."""
    home, cwd = home_in(tmp_path / "h"), tmp_path / "shop"
    (cwd / ".claude").mkdir(parents=True)
    homes = followed(home)
    places = [
        home.path / "settings.json",
        cwd / ".claude" / "settings.json",
        cwd / ".claude" / "settings.local.json",
        managed / "managed-settings.json",
        managed / "managed-settings.d" / "10.json",
        managed / "managed-settings.d" / "20.json",
    ]
    for step, file in enumerate(places):
        key = "" if step % 2 else "x"
        names = {"ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": f"http://p{step}"}
        file.write_text(json.dumps({"env": names}))
        expected = ("subscription", "acc-1") if step % 2 else ("api", f"proxy p{step}")
        assert expected == homes.payer_in(home, str(cwd))
    places[-1].write_text("{}")
    assert ("api", "proxy p4") == homes.payer_in(home, str(cwd))


@pytest.mark.parametrize("accounts", ["auto", "api", "subscription"])
def test_names_that_settings_hide(tmp_path: Path, accounts: Source) -> None:
    """Settings hide single names of an environment; those left decide before what is set by hand."""
    home = home_in(tmp_path / "h")
    homes = followed(home, Accounts(accounts))
    (home.path / "settings.json").write_text('{"env": {"ANTHROPIC_API_KEY": ""}}')
    both = own_says(("ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_VERTEX"), "")
    assert ("api", "") == homes.payer_in(home, "", both)
    left = ("", "") if accounts == "api" else ("subscription", "acc-1")
    assert left == homes.payer_in(home, "", own_says(("ANTHROPIC_API_KEY",), ""))
    (home.path / "settings.json").write_text('{"env": {"ANTHROPIC_BASE_URL": ""}}')
    own = own_says(("ANTHROPIC_API_KEY",), "proxy:1")
    assert ("api", "") == homes.payer_in(home, "", own)


def test_home_of_nobody(tmp_path: Path) -> None:
    """A home that names no account leaves it open who pays."""
    home = Home(tmp_path)
    assert ("", "") == followed(home).payer_in(home, str(tmp_path))
    assert "" == followed(home).account_of(home)


@pytest.mark.parametrize(
    ("source", "payer"),
    [
        ("auto", ("subscription", "acc-1")),
        ("both", ("subscription", "acc-1")),
        ("subscription", ("subscription", "acc-1")),
        ("api", ("", "")),
    ],
)
def test_setting_of_a_home(tmp_path: Path, source: Source, payer: tuple[str, str]) -> None:
    """A setting for one home goes before the general one, also by a link to it."""
    home = home_in(tmp_path / "h")
    (tmp_path / "link").symlink_to(home.path)
    accounts = Accounts("api", {str(tmp_path / "link"): source})
    assert payer == followed(home, accounts).payer_in(home, str(tmp_path))
    found = followed(home, accounts).payer_of_log(f"{home.projects}/p/c.jsonl")
    assert (payer[0] or "api", payer[1]) == found
    other = home_in(tmp_path / "other", "acc-2")
    assert ("", "") == followed(other, accounts).payer_in(other, str(tmp_path))
