"""Writes one conversation: prompts, replies and tool results."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from synth import blocks, ids
from synth.context import Context
from synth.lines import Lines, Place, Prompt, Reply
from synth.older import OlderLines
from synth.text import NOUNS, VERBS
from synth.tools import Call, make_call
from synth.usage import ModelTotals, Usage
from synth.world import Setting

FIRST_ATTACHMENTS: Final = (
    b"environment",
    b"model",
    b"deferred_tools_delta",
    b"agent_listing_delta",
    b"skill_listing",
    b"session_context",
    b"date",
    b"prompt_snapshot",
)
SYNTHETIC_SHARE: Final = 0.01
SNAPSHOT_SHARE: Final = 0.15
THINKING_SHARE: Final = 0.3
TEXT_SHARE: Final = 0.4
MOST_BLOCKS: Final = 4
MOST_ROUNDS: Final = 90


class Conversation:
    """Writes one log, line by line."""

    def __init__(self, setting: Setting, clock: int) -> None:
        self.lines: list[bytes] = []
        self.size = 0
        self.clock = clock
        self.last_call = b""
        self._world = setting.world
        self._rng = setting.world.rng
        self._log = setting.log
        self._habits = setting.habits
        self._spending = setting.spending
        self._writer: Lines = (OlderLines if setting.habits.is_older else Lines)(setting.log)
        self._context = Context(self._rng, setting.habits, is_agent=bool(setting.log.agent_id))
        self._parent = b""
        self._prompt = Prompt(b"", b"", b"", 0)

    def open(self) -> None:
        """Write what stands before the first prompt."""
        if not self._habits.is_older:
            place = Place(b"", ids.uuid(self._rng), ids.stamp(self.clock))
            self._put(*self._writer.opening(self._habits.title, self._habits.owner, place))

    def go_on(self, copies: Sequence[bytes], leaf: bytes) -> None:
        """Start as a fork: take over the parent's conversation, which ends at the leaf."""
        if not self._habits.is_older:
            self._put(self._writer.tools_used())
        self._put(*copies)
        self._parent = leaf
        self._context.grow(min(self.size // 3, 400_000))

    def turn(self, room: int) -> None:
        """Play a turn: a prompt, some rounds of tool calls, a last word."""
        begun, lines = self.clock, len(self.lines)
        self._ask()
        for _ in range(min(1 + int(self._rng.lognormvariate(2.2, 0.9)), MOST_ROUNDS)):
            if self.size >= room:
                break
            self._work([self._make_call() for _ in range(self._call_count())])
        if self._rng.random() < SYNTHETIC_SHARE:
            self._fail()
        self._answer([])
        self._finish(begun, len(self.lines) - lines)

    def delegate(self, call: Call) -> None:
        """Play the reply that starts a subagent."""
        self._ask()
        self._work([call])
        self._answer([])

    def notify(self, text: bytes) -> None:
        """Take in that a background agent is done."""
        self._put(*self._writer.queue(ids.stamp(self.clock), text))
        self._prompt = Prompt(ids.uuid(self._rng), self._prompt.title, text, self._prompt.number)
        self._put(self._writer.reminder(self._place(), self._prompt))
        self._put(self._writer.notification(self._place(), self._prompt))
        self._answer([])

    def close(self) -> None:
        """Write what the client writes at exit."""
        if not (self._habits.is_older or self._log.agent_id):
            self._put(self._writer.last_prompt(self._prompt, self._parent))
            self._put(self._spending.line(self._log.session_id, self.clock))

    def _put(self, *lines: bytes) -> None:
        self.lines += lines
        self.size += sum(map(len, lines))

    def _pass(self, milliseconds: float) -> None:
        self.clock = min(self.clock + int(milliseconds), self._world.now)

    def _place(self) -> Place:
        place = Place(self._parent, ids.uuid(self._rng), ids.stamp(self.clock))
        self._parent = place.uuid
        return place

    def _ask(self) -> None:
        is_first = not self._parent
        if not is_first:
            pause = self._rng.lognormvariate(11.5, 1.6)
            self._pass(pause)
            self._context.rest(int(pause))
        self._prompt = self._make_prompt(self._prompt.number + 1)
        self._context.grow(len(self._prompt.text))
        if self._context.is_full:
            self._context.compact()
        is_plain = self._habits.is_older or bool(self._log.agent_id)
        if not is_plain and self._log.entrypoint != b"cli":
            self._put(*self._writer.queue(ids.stamp(self.clock), self._prompt.text))
        place = self._place()
        if not is_plain and self._log.entrypoint == b"cli" and not is_first:
            self._put(self._writer.file_history(place))
        self._put(self._writer.prompt(place, self._prompt))
        self._count_prompt()
        if is_first and not self._habits.is_older:
            for kind in FIRST_ATTACHMENTS:
                self._put(self._writer.attachment(self._place(), kind))

    def _make_prompt(self, number: int) -> Prompt:
        rng, prose = self._rng, self._world.pools.prose
        verb, noun = rng.choice(VERBS).encode(), rng.choice(NOUNS).encode()
        title = b"%b the %b. %b" % (verb, noun, prose.take(rng, 60))
        extra = 4_000 if rng.random() < 0.08 else 300
        return Prompt(
            id=ids.uuid(rng),
            title=title,
            text=title + prose.take(rng, int(rng.random() * extra)),
            number=number,
        )

    def _count_prompt(self) -> None:
        if self._log.agent_id:
            self._world.truth.subagent_prompts += 1
        else:
            self._world.truth.prompts += 1

    def _make_call(self) -> Call:
        return make_call(self._rng, self._world.pools, self._log.cwd)

    def _call_count(self) -> int:
        return self._rng.choices((1, 2, 3, 4), cum_weights=(32, 62, 83, 100))[0]

    def _work(self, calls: Sequence[Call]) -> None:
        asked = self._answer(calls)
        for call, uuid in zip(calls, asked, strict=True):
            self._pass(self._rng.lognormvariate(6.5, 1.5))
            place = Place(uuid, ids.uuid(self._rng), ids.stamp(self.clock))
            self._parent = place.uuid
            self._put(self._writer.tool_result(place, self._prompt, call))
            self._context.grow(min(len(call.content), 60_000))
        if not self._habits.is_older and self._rng.random() < SNAPSHOT_SHARE:
            self._put(self._writer.attachment(self._place(), b"prompt_snapshot"))
        if self._context.is_full:
            self._context.compact()

    def _answer(self, calls: Sequence[Call]) -> list[bytes]:
        """Write a reply and give the uuids of the lines that hold its calls."""
        thinking = self._thinking(len(calls))
        content = [*thinking, *self._text(len(calls) + len(thinking), is_final=not calls)]
        content += [blocks.call_block(call) for call in calls]
        usage = self._context.request(sum(map(len, content)), sum(map(len, thinking)))
        uuids = self._write_reply(content, self._make_reply(usage, is_final=not calls))
        self.last_call = calls[-1].id if calls else self.last_call
        return uuids[len(content) - len(calls) :]

    def _thinking(self, calls: int) -> list[bytes]:
        if calls >= MOST_BLOCKS or self._rng.random() > THINKING_SHARE:
            return []
        return [blocks.thinking_block(self._rng, self._world.pools)]

    def _text(self, others: int, *, is_final: bool) -> list[bytes]:
        if not is_final and (others >= MOST_BLOCKS or self._rng.random() > TEXT_SHARE):
            return []
        return [blocks.text_block(self._rng, self._world.pools, is_final=is_final)]

    def _make_reply(self, usage: Usage, *, is_final: bool) -> Reply:
        request_id = b"req_011C" + ids.token(self._rng, 20)
        return Reply(
            message_id=b"msg_01" + ids.token(self._rng, 22),
            request_id=request_id if self._habits.has_request_ids else b"",
            request_ref=ids.uuid(self._rng),
            model=self._habits.model.encode(),
            usage=usage,
            stop_reason=b"end_turn" if is_final else b"tool_use",
        )

    def _write_reply(self, content: Sequence[bytes], reply: Reply) -> list[bytes]:
        self._count_request(reply)
        if not self._habits.is_older:
            self._put(self._writer.api_request(reply.request_ref, ids.stamp(self.clock)))
        self._pass(self._rng.lognormvariate(8.6, 0.7))
        uuids: list[bytes] = []
        for index, block in enumerate(content):
            is_last = index == len(content) - 1
            usage = self._shown_usage(reply.usage, is_last=is_last)
            if not (is_last or self._habits.has_request_ids):
                self._count_repeat(usage)
            place = self._place()
            self._put(self._writer.assistant(place, reply, index, block, usage))
            self._pass(20 + self._rng.random() * 900)
            uuids.append(place.uuid)
        if self._habits.is_older and len(content) > 1:
            self._world.truth.odd.partial_requests += 1
        return uuids

    def _shown_usage(self, usage: Usage, *, is_last: bool) -> Usage:
        """Give the usage as one line shows it: older clients logged a partial output first."""
        if is_last or not self._habits.is_older:
            return usage
        return replace(usage, output=min(usage.output, self._rng.randint(1, 8)))

    def _count_request(self, reply: Reply) -> None:
        self._world.truth.add_request(self._habits.model, reply.usage)
        self._spending.add(self._habits.model, reply.usage)
        self._world.truth.odd.no_request_id_requests += not self._habits.has_request_ids

    def _count_repeat(self, usage: Usage) -> None:
        repeats = self._world.truth.odd.no_request_id_repeats
        repeats.setdefault(self._habits.model, ModelTotals()).add(self._habits.model, usage)

    def _fail(self) -> None:
        self._put(self._writer.synthetic(self._place(), self.clock // 1000 + 3_600))
        self._world.truth.odd.synthetic_lines += 1

    def _finish(self, begun: int, messages: int) -> None:
        if self._habits.is_older or self._log.agent_id:
            return
        self._put(self._writer.stop_hooks(self._place()))
        if self._log.entrypoint == b"cli":
            duration = self.clock - begun
            self._put(self._writer.turn_duration(self._place(), duration, messages))
        self._put(self._writer.last_prompt(self._prompt, self._parent))
        if self._rng.random() < 0.3:
            self._put(self._spending.line(self._log.session_id, self.clock))
