"""What a daemon told the commands of its user: each call is a file of JSON in a folder."""

import json
from pathlib import Path
from typing import Any

from waiting import wait_until


class Told:
    """A folder that commands put what they are told into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def command(self, name: str) -> str:
        """A command line, as a TOML string, that keeps what it gets under this name."""
        line = (
            f"f=$(mktemp {self.folder}/.XXXXXX); cat > $f; mv $f {self.folder}/{name}$(basename $f)"
        )
        return json.dumps(line)

    def all(self, name: str) -> list[Any]:
        """What was told under this name so far, oldest first."""
        files = sorted(self.folder.glob(f"{name}.*"), key=lambda path: path.stat().st_mtime_ns)
        return [json.loads(path.read_bytes()) for path in files]

    def first(self, name: str, timeout: float = 20.0, **wanted: str) -> Any:
        """The first under this name that holds these values, once it is there."""

        def look() -> Any:
            told = self.all(name)
            return next((each for each in told if wanted.items() <= each.items()), None)

        return wait_until(look, timeout, what=f"{name} with {wanted}")
