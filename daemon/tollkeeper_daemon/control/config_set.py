"""``config.set``: settings, into config.toml and in force."""

import asyncio
from typing import Any

from msgspec import Struct

from tollkeeper.settings import Settings
from tollkeeper_daemon.control.config_get import told
from tollkeeper_daemon.control.refusal import Refused, editing, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.own.catalogue import UnknownSettingError, check_names
from tollkeeper_daemon.own.config_toml import SettingError, with_values
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.own.plans import UnknownPlanError, check_plan
from tollkeeper_daemon.own.settings import Settings as FollowedSettings
from tollkeeper_daemon.plan.table import PlanTable


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """What the settings are to say, by their dotted names; null is for the default, out of the file.

    Without any the file is put in force as it is.
    """

    values: dict[str, Any]


async def answer(daemon: Daemon, params: dict[str, Any]) -> Settings:
    """These settings as they are now; all of them were changed, or the call is refused and none was.

    Where the file says something else that can't be, they are written, and ``broken`` tells that.
    """
    values = params_as(Wanted, params).values
    await put(daemon.settings, daemon.own_plans, values)
    return await asyncio.to_thread(told, daemon, values)


async def put(settings: FollowedSettings, own_plans: OwnFile, values: dict[str, Any]) -> None:
    """Write these, and put the file in force if nothing is wrong with it; Refused when one can't be."""
    try:
        check_names(values)
        check_plan(values.get("plan.name"), PlanTable(own_plans).plans())
        with editing(settings.file.path):
            await settings.edit(lambda text: with_values(text, values))
    except (UnknownSettingError, UnknownPlanError) as error:
        raise Refused("bad-params", str(error), error.hint) from None
    except SettingError as error:
        raise Refused("bad-params", str(error)) from None
