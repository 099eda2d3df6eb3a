"""Prints the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

REQUIREMENT = re.compile(r"([\w-]+)>=([\w.]+)$")


def main() -> None:
    """One line a dependency: ``name==version``. ValueError for a bound of another form."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    for requirement in (
        *project["dependencies"],
        *extras["tray"],
        *extras["top"],
        *extras["forecast"],
    ):
        found = REQUIREMENT.match(requirement)
        if found is None:
            raise ValueError(f"{requirement} has no lower bound that can be tested")
        print(f"{found[1]}=={found[2]}")


if __name__ == "__main__":
    main()
