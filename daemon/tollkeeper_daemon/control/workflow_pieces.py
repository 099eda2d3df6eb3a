"""``workflow.pieces``: past pieces of work, from which a forecast is made."""

from typing import Any

from msgspec import Struct

from tollkeeper.model import Piece, Pieces
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.changes import Changes, changes_of_work
from tollkeeper_daemon.reports.pieces import is_under_way, piece_of
from tollkeeper_daemon.rules.settings import Label
from tollkeeper_daemon.store.transaction import Transaction

# What was longer ago tells little of work to come: models, prices and habits change.
MOST_PIECES = 300


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """Whole workflows, or this stage of each."""

    stage: Label | None = None


def answer(daemon: Daemon, params: dict[str, Any]) -> Pieces:
    """The latest pieces of work that are over."""
    stage = params_as(Wish, params).stage

    def read(transaction: Transaction) -> Pieces:
        changes = _changes(daemon, transaction, stage)
        under_way = 0
        pieces: list[Piece] = []
        for work in transaction.work.in_brief(now_ms()):
            name = work.workflow
            piece = piece_of(work, changes.get(name) or Changes(), stage)
            if not name or piece is None:
                continue
            spans = transaction.work.spans_of(name) if work.is_open else ()
            if is_under_way(transaction.work.workflow(name), spans, stage):
                under_way += 1
            else:
                pieces.append(piece)
        pieces.sort(key=lambda piece: (piece.last_used_at, piece.workflow))
        return Pieces(stage=stage, pieces=tuple(pieces[-MOST_PIECES:]), under_way=under_way)

    return daemon.store.read(read)


def _changes(daemon: Daemon, transaction: Transaction, stage: str | None) -> dict[str, Changes]:
    edits = list(transaction.edits.all())
    conversations = {
        name: known
        for name in {each.conversation for each in edits}
        if (known := transaction.conversation(name))
    }
    stage_of = daemon.settings.config.workflow.stage_of
    return changes_of_work(edits, conversations, stage_of, stage)
