"""Posts of a batch what can be posted: one bad block of a log must not cost the others."""

from collections.abc import Callable

from msgspec.structs import replace

from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.store.store import is_out_of_room

Post = Callable[[list[Scan]], object]
Lost = Callable[[Scan, Exception], object]


def salvage(scans: list[Scan], post: Post, lost: Lost) -> None:
    """Post these scans together, or, when that fails, one by one.

    Of a scan that can't be posted by itself only the mark is, and a bad line: so its log is read
    on, and ``lost`` is told. When disk or memory are at fault the error is passed on, and nothing
    is passed over: it is read again when there is room.
    """
    try:
        post(scans)
    except Exception as error:
        if is_out_of_room(error):
            raise
        if len(scans) > 1:
            for scan in scans:
                salvage([scan], post, lost)
        else:
            lost(scans[0], error)
            post([_emptied(scans[0])])


def _emptied(scan: Scan) -> Scan:
    return replace(
        scan,
        mark=replace(scan.mark, open=()),
        replies=(),
        prompts=(),
        profiles=(),
        refusals=(),
        stated=(),
        owners=(),
        bad_lines=scan.bad_lines + 1,
    )
