"""Log lines, byte for byte in the field order of Claude Code 2.1.330."""

from typing import Final

from msgspec import Struct

from synth.blocks import block_timing, usage_field
from synth.tools import Call
from synth.usage import Usage

ORGANIZATION: Final = b"22222222-2222-4222-8222-222222222222"


class Log(Struct, frozen=True):
    """What all lines of one log have in common."""

    session_id: bytes
    cwd: bytes
    branch: bytes
    version: bytes
    entrypoint: bytes
    effort: bytes = b"medium"
    agent_id: bytes = b""
    agent_type: bytes = b""


class Place(Struct, frozen=True):
    """Where a line stands in the conversation."""

    parent: bytes
    uuid: bytes
    stamp: bytes


class Reply(Struct, frozen=True):
    """One API reply, whose blocks come on a line each."""

    message_id: bytes
    request_id: bytes
    request_ref: bytes
    model: bytes
    usage: Usage
    stop_reason: bytes


class Prompt(Struct, frozen=True):
    """A message to the session. The title is what lists show of it."""

    id: bytes
    title: bytes
    text: bytes
    number: int


def quoted(uuid: bytes) -> bytes:
    """Write a parent, which the first line has not."""
    return b'"%b"' % uuid if uuid else b"null"


class Lines:
    """Writes the lines of one log as today's client does."""

    def __init__(self, log: Log) -> None:
        self.log = log
        interactive = log.entrypoint == b"cli" and not log.agent_id
        self.is_interactive = interactive
        self._side = b"true" if log.agent_id else b"false"
        self._agent = b'"agentId":"%b",' % log.agent_id if log.agent_id else b""
        self._by = b'"attributionAgent":"%b",' % log.agent_type if log.agent_id else b""
        self._mark = b'"session_id":"%b",' % log.session_id if interactive else b""
        self._session = b'"sessionId":"%b"' % log.session_id
        self._end = (
            b'"userType":"external","entrypoint":"%b","cwd":"%b","sessionId":"%b","version":"%b",'
            b'"gitBranch":"%b"}\n'
            % (log.entrypoint, log.cwd, log.session_id, log.version, log.branch)
        )

    def _start(self, place: Place) -> bytes:
        return b'{"parentUuid":%b,"isSidechain":%b,' % (quoted(place.parent), self._side)

    def opening(self, title: bytes, owner: bytes, place: Place) -> list[bytes]:
        """Write what an interactive client writes first, and again after each prompt."""
        if not self.is_interactive:
            return [b'{"type":"atis-latch","atis":"",%b}\n' % self._session]
        lines: list[bytes] = []
        if title:
            lines += [
                b'{"type":"custom-title","customTitle":"%b",%b}\n' % (title, self._session),
                b'{"type":"agent-name","agentName":"%b",%b}\n' % (title, self._session),
            ]
        lines += [
            b'{"type":"mode","mode":"normal",%b}\n' % self._session,
            b'{"type":"permission-mode","permissionMode":"default",%b}\n' % self._session,
        ]
        if owner:
            lines.append(
                b'{"type":"session-owner","accountUuid":"%b","organizationUuid":"%b",%b}\n'
                % (owner, ORGANIZATION, self._session)
            )
        lines.append(b'{"type":"atis-latch","atis":"",%b}\n' % self._session)
        return [*lines, self.file_history(place)]

    def file_history(self, place: Place) -> bytes:
        """Write the mark of the files as they were before a prompt."""
        return (
            b'{"type":"file-history-snapshot","messageId":"%b","snapshot":{"messageId":"%b",'
            b'"trackedFileBackups":{},"timestamp":"%b"},"isSnapshotUpdate":false}\n'
            % (place.uuid, place.uuid, place.stamp)
        )

    def prompt(self, place: Place, prompt: Prompt) -> bytes:
        """Write what a person typed, a script sent, or a parent agent asked for."""
        source = b""
        if self.is_interactive:
            source = (
                b'"permissionMode":"default","origin":{"kind":"human"},"promptSource":"typed",'
                b'"turnOrigin":"human","turnPosition":{"promptIndex":%d,"turnIndex":%d},'
                % (prompt.number, prompt.number)
            )
        elif not self.log.agent_id:
            source = (
                b'"permissionMode":"default","promptSource":"sdk","turnOrigin":"sdk",'
                b'"turnPosition":{"promptIndex":0,"turnIndex":%d},' % prompt.number
            )
        return b'%b"promptId":"%b",%b"type":"user","message":{"role":"user","content":"%b"},' % (
            self._start(place),
            prompt.id,
            self._agent,
            prompt.text,
        ) + b'"uuid":"%b","timestamp":"%b",%b%b' % (place.uuid, place.stamp, source, self._end)

    def notification(self, place: Place, prompt: Prompt) -> bytes:
        """Write the client's own message that a background agent is done."""
        return (
            b'%b"promptId":"%b","type":"user","message":{"role":"user","content":"%b"},'
            b'"uuid":"%b","timestamp":"%b","permissionMode":"default","origin":{"kind":'
            b'"task-notification","producer":"session-task","runId":"0%b"},"promptSource":"system",'
            b'"turnOrigin":"task_notification","turnPosition":{"promptIndex":0,"turnIndex":%d},'
            b'"queueSkipAttachments":true,%b'
            % (
                self._start(place),
                prompt.id,
                prompt.text,
                place.uuid,
                place.stamp,
                prompt.id[:8],
                prompt.number,
                self._end,
            )
        )

    def reminder(self, place: Place, prompt: Prompt) -> bytes:
        """Write a message of the machinery."""
        return (
            b'%b"promptId":"%b","type":"user","message":{"role":"user","content":'
            b'"<system-reminder>\\n<tools-used-before-summary>Bash</tools-used-before-summary>\\n'
            b'</system-reminder>"},"isMeta":true,"turnCompanion":true,"uuid":"%b",'
            b'"timestamp":"%b","queueSkipAttachments":true,%b'
            % (self._start(place), prompt.id, place.uuid, place.stamp, self._end)
        )

    def tool_result(self, place: Place, prompt: Prompt, call: Call) -> bytes:
        """Write a tool's result. A subagent's log has no `toolUseResult`."""
        outcome = b"" if self.log.agent_id else b'"toolUseResult":%b,' % call.outcome
        return b"".join((
            b'%b"promptId":"%b",%b' % (self._start(place), prompt.id, self._agent),
            b'"type":"user","message":{"role":"user","content":[{"tool_use_id":"%b",' % call.id,
            b'"type":"tool_result","content":',
            call.content,
            b',"is_error":false}]},"uuid":"%b","timestamp":"%b",' % (place.uuid, place.stamp),
            outcome,
            b'"sandboxed":false,"sourceToolAssistantUUID":"%b","permissionDecision":{"decision":'
            b'"accept","source":"config","reasonType":"subcommandResults"},%b%b'
            % (place.parent, self._mark, self._end),
        ))  # fmt: skip

    def attachment(self, place: Place, kind: bytes) -> bytes:
        """Write that something was added to the conversation."""
        return (
            b'%b%b"attachment":{"type":"%b"},"type":"attachment","uuid":"%b","timestamp":"%b",'
            b'"renderedRole":"system",%b%b'
            % (
                self._start(place),
                self._agent,
                kind,
                place.uuid,
                place.stamp,
                self._mark,
                self._end,
            )
        )

    def api_request(self, ref: bytes, stamp: bytes) -> bytes:
        """Write that a request goes out."""
        source = b"repl_main_thread" if self.is_interactive else b"sdk"
        if self.log.agent_id:
            source = b"agent:custom:" + self.log.agent_type
        return (
            b'{"type":"api-request",%b,"id":"%b","timestamp":"%b","version":"%b",'
            b'"querySource":"%b"}\n' % (self._session, ref, stamp, self.log.version, source)
        )

    def assistant(
        self, place: Place, reply: Reply, index: int, block: bytes, usage: Usage
    ) -> bytes:
        """Write one block of a reply."""
        request = b'"requestId":"%b",' % reply.request_id if reply.request_id else b""
        return b"".join((
            self._start(place),
            b'%b"message":{"id":"%b","type":"message","role":"assistant","model":"%b",'
            b'"content":[' % (self._agent, reply.message_id, reply.model),
            block,
            b'],"stop_reason":"%b","stop_sequence":null,' % reply.stop_reason,
            usage_field(usage),
            b',"stop_details":null},%b"apiBlockIndex":%d,%b"requestRef":"%b",'
            % (block_timing(block), index, request, reply.request_ref),
            b'"requestedModel":"%b","promptCacheRequested":"%b",%b"type":"assistant",'
            % (reply.model, b"5m" if self.log.agent_id else b"1h", self._by),
            b'"uuid":"%b","timestamp":"%b","effort":"%b","perTurnEffort":"%b","madeBy":"model",'
            % (place.uuid, place.stamp, self.log.effort, self.log.effort),
            self._mark,
            self._end,
        ))  # fmt: skip

    def synthetic(self, place: Place, reset: int) -> bytes:
        """Write a usage limit, as a reply that the client made up."""
        limits = b'"rateLimitType":"five_hour","isUsingOverage":false'
        return (
            b'%b%b"type":"assistant","uuid":"%b","timestamp":"%b","message":{"diagnostics":null,'
            b'"id":"%b","container":null,"model":"<synthetic>","role":"assistant",'
            b'"stop_details":null,"stop_reason":"stop_sequence","stop_sequence":"",'
            b'"type":"message","usage":{"output_tokens_details":null,"input_tokens":0,'
            b'"output_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
            b'"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},'
            b'"service_tier":null,"cache_creation":{"ephemeral_1h_input_tokens":0,'
            b'"ephemeral_5m_input_tokens":0},"inference_geo":null,"iterations":null,"speed":null,'
            b'"fallback_credit":null},"content":[{"type":"text","text":"You\'ve hit your 5-hour '
            b'limit \xc2\xb7 resets 10:51am (UTC)"}],"context_management":null},'
            b'"apiError":"usage_limit_reached","apiErrorParams":{"rate_limit_info":'
            b'{"status":"rejected","resetsAt":%d,%b}},"quotaLimits":{"status":"rejected",'
            b'"resetsAt":%d,"unifiedRateLimitFallbackAvailable":false,%b},"error":"rate_limit",'
            b'"isApiErrorMessage":true,"apiErrorStatus":429,"apiErrorType":"rate_limit_error",'
            b'"perTurnEffort":"%b","failedResponseHadNoToolCall":true,"madeBy":"model",%b%b'
            % (
                self._start(place),
                self._agent,
                place.uuid,
                place.stamp,
                place.uuid,
                reset,
                limits,
                reset,
                limits,
                self.log.effort,
                self._mark,
                self._end,
            )
        )

    def stop_hooks(self, place: Place) -> bytes:
        """Write what the hooks said at the turn's end."""
        return (
            b'%b"type":"system","subtype":"stop_hook_summary","hookCount":1,"hookInfos":'
            b'[{"command":"toll-hook","durationMs":6}],"hookErrors":[],'
            b'"failedHookErrorIndexes":[],"hookAdditionalContext":[],'
            b'"preventedContinuation":false,"stopReason":"","hasOutput":false,'
            b'"level":"suggestion","timestamp":"%b","uuid":"%b","toolUseID":"%b",%b%b'
            % (self._start(place), place.stamp, place.uuid, place.uuid, self._mark, self._end)
        )

    def turn_duration(self, place: Place, milliseconds: int, messages: int) -> bytes:
        """Write how long an interactive turn took."""
        return (
            b'%b"type":"system","subtype":"turn_duration","durationMs":%d,"messageCount":%d,'
            b'"timestamp":"%b","uuid":"%b","isMeta":false,%b'
            % (self._start(place), milliseconds, messages, place.stamp, place.uuid, self._end)
        )

    def last_prompt(self, prompt: Prompt, leaf: bytes) -> bytes:
        """Write the session's latest prompt, for the list of sessions."""
        return b'{"type":"last-prompt","lastPrompt":"%b","leafUuid":"%b",%b}\n' % (
            prompt.title,
            leaf,
            self._session,
        )

    def queue(self, stamp: bytes, text: bytes) -> list[bytes]:
        """Write a message's way through the queue."""
        return [
            b'{"type":"queue-operation","operation":"enqueue","timestamp":"%b",%b,"content":"%b"}\n'
            % (stamp, self._session, text),
            b'{"type":"queue-operation","operation":"dequeue","timestamp":"%b",%b}\n'
            % (stamp, self._session),
        ]

    def tools_used(self) -> bytes:
        """Write which tools the session has used."""
        return (
            b'{"type":"tools-used","tools":["Agent","Bash","Edit","Grep","Read"],%b}\n'
            % self._session
        )
