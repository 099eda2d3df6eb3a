"""What a look at a proxy brought."""

from msgspec import Struct

from tollkeeper_daemon.proxies.answers import Account, Row


class Told(Struct, frozen=True, kw_only=True):
    """What a look at a proxy brought; ``trouble`` says why there is no more.

    ``generation`` is empty where it never answered, and ``is_other`` says that whoever answers is no such
    proxy. ``names`` are the API's id and the conversation of a row, by its id. ``bad`` counts
    what of its latest answers could not be read, ``bad_accounts`` how many of these are accounts, and ``is_torn`` says that more rows came than can be had.
    """

    generation: str = ""
    is_other: bool = False
    live: bool = False
    trouble: str = ""
    wants_key: bool = False
    accounts: tuple[Account, ...] | None = None
    counts: dict[str, int] = {}
    rows: tuple[Row, ...] = ()
    names: dict[str, tuple[str, str]] = {}
    bad: int = 0
    bad_accounts: int = 0
    is_torn: bool = False
