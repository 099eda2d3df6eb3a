"""What ``toll doctor`` says of the tray icon."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tollkeeper.cli.doctor_tray import tray_findings
from tollkeeper.cli.facts import Facts
from tollkeeper.paths import find_paths

BINDINGS = """
def require_version(name, version):
    if name != {name!r}:
        raise ValueError(name)
"""

FACTS = Facts(find_paths({"HOME": "/nowhere"}), datetime.now(UTC))

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="menus are the system's own there")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which packages are looked for."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in ("gi", "pystray", "PIL"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def said() -> str:
    """What it says; nothing has to be mended."""
    [finding] = tray_findings(FACTS)
    assert (True, None) == (finding.well, finding.mend)
    return finding.text


def test_not_installed(packages: Path) -> None:
    """Without the extra it says how that is installed."""
    assert said().endswith("install Tollkeeper with its extra [tray], as the README says")


def test_no_menu(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the distribution's packages it says which they are."""
    _install(packages, "pystray", "PIL")
    assert "apt install python3-gi gir1.2-ayatanaappindicator3-0.1" in said()
    _install(packages, "gi", content=BINDINGS.format(name="Gtk"))
    assert "apt install" in said()
    monkeypatch.delitem(sys.modules, "gi")


@pytest.mark.parametrize("name", ["AppIndicator3", "AyatanaAppIndicator3"])
def test_menu(packages: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With either name of the packages there is a menu."""
    _install(packages, "pystray", "PIL")
    _install(packages, "gi", content=BINDINGS.format(name=name))
    assert "tray icon: toll-tray, with its menu" == said()
    monkeypatch.delitem(sys.modules, "gi")


def _install(folder: Path, *names: str, content: str = "") -> None:
    for name in names:
        (folder / f"{name}.py").write_text(content)
