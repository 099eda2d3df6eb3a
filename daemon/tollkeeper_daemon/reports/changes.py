"""What was changed for each workflow, or for one stage of each: its files, and their lines. Pure.

An edit belongs to the work that its conversation, or its subagent, was for at its time. Its lines are
known only of the whole conversation, from the client's own totals: each edit has a share in them by its
length. The totals of a fork include its parents', so the parents' edits have their share in them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from tollkeeper_daemon.labels.labels import Labels, labels_at
from tollkeeper_daemon.records import Edit, Edits
from tollkeeper_daemon.store.schema import Conversation

LabelsAt = Callable[[int], Labels]


class Changes:
    """Checksums of the changed files; ``lines`` is None once any of them are not known."""

    def __init__(self) -> None:
        self.files: set[int] = set()
        self.lines: float | None = 0.0


def changes_of_work(
    edits: Iterable[Edits],
    conversations: Mapping[str, Conversation],
    stage_of: Callable[[str], str],
    stage: str | None,
) -> dict[str, Changes]:
    """The changes by workflow, of this stage alone if one is named.

    ``stage_of`` says which stage a subagent's type stands for.
    """
    edits = list(edits)
    sizes: Counter[str] = Counter()
    for each in edits:
        sizes[each.conversation] += sum(edit.size for edit in each.edits)
    found: dict[str, Changes] = {}
    for each in edits:
        known = conversations.get(each.conversation)
        if known is None or not known.labels:
            continue
        density = _lines_per_byte(each.conversation, known, sizes)
        work = _work_at(each, known, stage_of)
        for edit in each.edits:
            labels = work(edit.time)
            if labels.workflow and stage in (None, labels.stage):
                _add(found.setdefault(labels.workflow, Changes()), edit, density)
    return found


def _lines_per_byte(name: str, known: Conversation, sizes: Mapping[str, int]) -> float | None:
    """How many changed lines go on a byte of the conversation's edits; None without the client's totals."""
    if known.client_cost is None:
        return None
    edited = sum(sizes.get(each, 0) for each in (name, *known.told.parents))
    return (known.lines_added + known.lines_removed) / max(edited, 1)


def _work_at(edits: Edits, known: Conversation, stage_of: Callable[[str], str]) -> LabelsAt:
    """For which work they were at a time (ms); between two facts it is the same."""
    times = [fact.since for fact in known.labels]
    kind = edits.subagent_type
    found: dict[int, Labels] = {}

    def at(time: int) -> Labels:
        stretch = bisect_right(times, time)
        if stretch not in found:
            found[stretch] = labels_at(known.labels, time, edits.subagent, stage_of(kind), kind)
        return found[stretch]

    return at


def _add(changes: Changes, edit: Edit, density: float | None) -> None:
    changes.files.add(edit.file)
    if density is None or changes.lines is None:
        changes.lines = None
    else:
        changes.lines += edit.size * density
