"""The service files: well formed, and asking for what the daemon needs."""

import configparser
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "tollkeeper.service"
PLIST = ROOT / "launchd" / "io.tollkeeper.tolld.plist"
# Each makes the user's systemd put the daemon into a namespace, from which it can't tell agents apart.
NAMESPACED = {
    "PrivateDevices",
    "PrivateTmp",
    "PrivateUsers",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
}


def unit() -> configparser.ConfigParser:
    """The unit, with its specifiers as they stand."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read_string(UNIT.read_text("utf-8"))
    return parser


def test_unit() -> None:
    """The unit starts tolld with the user's session, and again when it fails."""
    parsed = unit()
    assert ["Unit", "Service", "Install"] == parsed.sections()
    assert parsed["Service"]["ExecStart"].endswith("/tolld")
    assert "on-failure" == parsed["Service"]["Restart"]
    assert "default.target" == parsed["Install"]["WantedBy"]


def test_unit_can_see_the_agents() -> None:
    """No option of the unit hides the user's processes from the daemon."""
    assert not NAMESPACED & set(unit()["Service"])


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """systemd finds nothing wrong with the unit, once tolld is where it says."""
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    tolld = tmp_path / ".local" / "bin" / "tolld"
    tolld.parent.mkdir(parents=True)
    tolld.write_text("#!/bin/sh\n")
    tolld.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace("%h", str(tmp_path)), "utf-8")
    result = subprocess.run(
        [analyze, "verify", "--user", copy],
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)


def test_plist() -> None:
    """The launch agent starts tolld at login, again when it fails, and keeps what it prints."""
    parsed = plistlib.loads(PLIST.read_bytes())
    assert PLIST.stem == parsed["Label"]
    assert ["@TOLLD@"] == parsed["ProgramArguments"]
    assert (True, {"SuccessfulExit": False}) == (parsed["RunAtLoad"], parsed["KeepAlive"])
    assert 0o077 == parsed["Umask"]
    for key in ("StandardOutPath", "StandardErrorPath"):
        assert parsed[key].startswith("@HOME@/Library/Logs/")
