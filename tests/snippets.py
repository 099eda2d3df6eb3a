"""The snippets of docs/orchestrators.md, so that tests can run them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs" / "orchestrators.md"


def snippets(language: str) -> str:
    """All of this language, one after the other, as one program."""
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL
    )
    return "\n".join(found)
