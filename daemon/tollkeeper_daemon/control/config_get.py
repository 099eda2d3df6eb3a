"""``config.get``: the settings, with what each may be."""

from collections.abc import Container
from typing import Any

from msgspec import Struct

from tollkeeper.settings import Settings
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.own.catalogue import UnknownSettingError, all_settings, meant_by


class Which(Struct, frozen=True, forbid_unknown_fields=True):
    """Which settings: each name is that of one, or of a section; without any it is all of them."""

    names: tuple[str, ...] = ()


def answer(daemon: Daemon, params: dict[str, Any]) -> Settings:
    """Those that were asked for."""
    try:
        meant = meant_by(params_as(Which, params).names)
    except UnknownSettingError as error:
        raise Refused("bad-params", str(error), error.hint) from None
    return told(daemon, meant)


def told(daemon: Daemon, names: Container[str]) -> Settings:
    """The settings of these names; reads the file, for what it sets."""
    settings = daemon.settings
    found, broken = settings.read()
    known = all_settings(settings.config, settings.began_with, found)
    return Settings(
        settings=tuple(each for each in known if each.name in names),
        file=str(settings.file.path),
        broken=broken,
    )
