"""Log lines as the client wrote them before 2.1: fewer fields, in another order."""

from synth.blocks import older_usage_field
from synth.lines import Lines, Log, Place, Prompt, Reply, quoted
from synth.tools import Call
from synth.usage import Usage


class OlderLines(Lines):
    """Writes the conversation only; of the machinery there was less."""

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self._context = (
            b'"isSidechain":%b,"userType":"external","cwd":"%b","sessionId":"%b",'
            b'"version":"%b","gitBranch":"%b",'
            % (
                b"true" if log.agent_id else b"false",
                log.cwd,
                log.session_id,
                log.version,
                log.branch,
            )
        )
        if log.agent_id:
            self._context += b'"agentId":"%b",' % log.agent_id

    def _line(self, place: Place, body: bytes) -> bytes:
        return b"".join((
            b'{"parentUuid":%b,' % quoted(place.parent),
            self._context,
            body,
            b'"uuid":"%b","timestamp":"%b"}\n' % (place.uuid, place.stamp),
        ))  # fmt: skip

    def prompt(self, place: Place, prompt: Prompt) -> bytes:
        """Write a message to the session; nothing tells where it came from."""
        body = b'"type":"user","message":{"role":"user","content":"%b"},' % prompt.text
        return self._line(place, body)

    def tool_result(self, place: Place, prompt: Prompt, call: Call) -> bytes:
        """Write a tool's result."""
        body = (
            b'"type":"user","message":{"role":"user","content":[{"tool_use_id":"%b",'
            b'"type":"tool_result","content":%b}]},"toolUseResult":%b,'
            % (call.id, call.content, call.outcome)
        )
        return self._line(place, body)

    def assistant(
        self, place: Place, reply: Reply, index: int, block: bytes, usage: Usage
    ) -> bytes:
        """Write one block of a reply."""
        request = b'"requestId":"%b",' % reply.request_id if reply.request_id else b""
        body = (
            b'"message":{"model":"%b","id":"%b","type":"message","role":"assistant","content":[%b],'
            b'"stop_reason":null,"stop_sequence":null,%b},%b"type":"assistant",'
            % (reply.model, reply.message_id, block, older_usage_field(usage), request)
        )
        return self._line(place, body)

    def synthetic(self, place: Place, reset: int) -> bytes:
        """Write a usage limit, as a reply that the client made up."""
        body = (
            b'"type":"assistant","message":{"id":"%b","model":"<synthetic>","role":"assistant",'
            b'"stop_reason":"stop_sequence","stop_sequence":"","type":"message","usage":'
            b'{"input_tokens":0,"output_tokens":0,"cache_creation_input_tokens":0,'
            b'"cache_read_input_tokens":0,"server_tool_use":{"web_search_requests":0},'
            b'"service_tier":null},"content":[{"type":"text","text":'
            b'"Claude AI usage limit reached|%d"}]},"isApiErrorMessage":true,' % (place.uuid, reset)
        )
        return self._line(place, body)
