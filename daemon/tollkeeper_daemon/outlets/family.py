"""A process and all that descend from it."""

from collections import defaultdict
from collections.abc import Iterable

from tollkeeper.kernel import Kernel, Stat
from tollkeeper.signals import SignalRefused, id_of, pid_of, recognise


def family(roots: Iterable[str], kernel: Kernel) -> dict[str, Stat]:
    """Those of these processes that run, and their descendants: by id, parents before children.

    What left its parent, as daemons do, is no descendant any more.
    """
    table = kernel.table()
    children: defaultdict[int, list[str]] = defaultdict(list)
    for pid, stat in table.items():
        children[stat.parent].append(id_of(pid, stat.start))
    found = {root: stat for root in roots if (stat := _listed(root, table)) and not stat.ended}
    todo = list(found)
    for parent in todo:
        for child in children[pid_of(parent)]:
            if child not in found and (stat := _child(child, parent, kernel)):
                found[child] = stat
                todo.append(child)
    return found


def _listed(process: str, table: dict[int, Stat]) -> Stat | None:
    pid = pid_of(process)
    stat = table.get(pid)
    return stat if stat and id_of(pid, stat.start) == process else None


def _child(child: str, parent: str, kernel: Kernel) -> Stat | None:
    """The child as it is now, if that is what it is.

    A table takes its time: one process may have ended in between, and its pid be another's. The
    parent was in the table and is there still, so in between that pid was its own.
    """
    try:
        stat = recognise(child, kernel)
        recognise(parent, kernel)
    except SignalRefused:
        return None
    return stat if stat.parent == pid_of(parent) else None
