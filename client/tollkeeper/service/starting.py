"""The daemon started by its service, where one is installed: so that it is kept running by that."""

from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.service.parts import daemon_part
from tollkeeper.service.placing import goes_by, read_text
from tollkeeper.service.seal import seal_of


def start_service(paths: Paths) -> bool:
    """Whether the service has started the daemon of these directories; False where it is not for it."""
    try:
        part = daemon_part()
        seal = seal_of(read_text(part.file) or "")
    except TollError:
        return False
    manager = part.manager
    if manager is None or seal is None or seal.data != str(paths.data):
        return False
    if not goes_by(manager.state(), part.file):
        return False
    if manager.resume() is None:
        return True
    manager.stop()  # Or it would be tried again beside the daemon that is started without it.
    return False
