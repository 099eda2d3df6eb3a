"""What ``toll doctor`` found at one thing."""

from collections.abc import Iterable

from msgspec import Struct

from tollkeeper.cli import words


class Finding(Struct, frozen=True):
    """One thing that was looked at; ``mend`` says what to do when it is not well."""

    well: bool
    text: str
    mend: str | None = None


def print_findings(findings: Iterable[Finding]) -> None:
    """A line for each, and one more for what is to be done."""
    for finding in findings:
        print(f"{'ok  ' if finding.well else 'BAD '} {words.plain(finding.text)}")
        if finding.mend:
            print(f"     mend: {words.plain(finding.mend)}")
