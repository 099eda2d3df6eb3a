"""Where a proxy answers: told from an address, and which may be asked without being named. Pure."""

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

SCHEMES = {"http": 80, "https": 443}
# All of them are this machine, and one proxy.
HERE = "127.0.0.1"
NAMES_OF_HERE = frozenset({"localhost", "::1"})
# This machine (RFC 1122, RFC 4291), and the private networks (RFC 1918, RFC 4193).
NEAR = tuple(
    ip_network(each)
    for each in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
)
HOST = re.compile(r"[A-Za-z0-9._:-]{1,200}")


class Place(Struct, frozen=True, order=True):
    """Host and port, and whether it is spoken to by TLS."""

    host: str
    port: int
    tls: bool = False

    @property
    def name(self) -> str:
        """How it is called in reports."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{shown}:{self.port}"

    @property
    def is_near(self) -> bool:
        """Whether it is this machine, or one of a private network that is named by its number.

        A name could be anybody's, and to find out would be to ask somebody else.
        """
        try:
            address = ip_address(self.host)
        except ValueError:
            return False
        return any(address in each for each in NEAR)


def place_of(url: str) -> Place:
    """The place that an address names; ValueError, without its user and password, for one that names none."""
    shown = repr(url.rpartition("@")[2][:80])
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"url: {shown} is no address, such as http://127.0.0.1:8080") from None
    if parts.scheme not in SCHEMES or not HOST.fullmatch(host):
        raise ValueError(f"url: {shown} must be such as http://127.0.0.1:8080")
    if parts.username or parts.password or parts.path.strip("/") or parts.query:
        raise ValueError("url: must be no more than scheme, host and port")
    tls = parts.scheme == "https"
    host = HERE if host.lower() in NAMES_OF_HERE else host.lower()
    return Place(host, port or SCHEMES[parts.scheme], tls)


def place_asked(server: str) -> Place | None:
    """The place of the server that an agent asks, if it may be asked whether it is a proxy."""
    try:
        found = place_of(f"http://{server}")
    except ValueError:
        return None
    return found if found.is_near else None


def names_of(server: str) -> set[str]:
    """How the place may be called of the server that an agent asks; without a port it may be either scheme's."""
    try:
        return {place_of(f"{scheme}://{server}").name for scheme in SCHEMES}
    except ValueError:
        return set()
