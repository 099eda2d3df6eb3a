"""The client's own running totals of a session: the `cost-state` line."""

from copy import deepcopy

from msgspec import Struct, field

from synth.usage import ModelTotals, Usage


class Spending(Struct):
    """What one session has spent; a fork goes on from its parent's."""

    started: int
    models: dict[str, ModelTotals] = field(default_factory=dict[str, ModelTotals])

    def fork(self) -> "Spending":
        """Give a copy to go on from."""
        return deepcopy(self)

    def add(self, model: str, usage: Usage) -> None:
        """Count one request in."""
        self.models.setdefault(model, ModelTotals()).add(model, usage)

    def line(self, session_id: bytes, now: int) -> bytes:
        """Write the totals so far."""
        total = sum(totals.cost_usd for totals in self.models.values())
        requests = sum(totals.requests for totals in self.models.values())
        return (
            b'{"type":"cost-state","sessionId":"%b","totalCostUSD":%b,"totalAPIDuration":%d,'
            b'"totalAPIDurationWithoutRetries":%d,"totalToolDuration":%d,"totalLinesAdded":%d,'
            b'"totalLinesRemoved":%d,"totalDuration":%d,"startTime":%d,"modelUsage":{%b},'
            b'"hasUnknownModelCost":false}\n'
            % (
                session_id,
                repr(total).encode(),
                requests * 9_140,
                requests * 9_120,
                requests * 3_060,
                requests * 11,
                requests * 4,
                now - self.started,
                self.started,
                b",".join(_model(name, totals) for name, totals in self.models.items()),
            )
        )


def _model(name: str, totals: ModelTotals) -> bytes:
    return (
        b'"%b":{"inputTokens":%d,"outputTokens":%d,"thinkingTokens":%d,"cacheReadInputTokens":%d,'
        b'"cacheCreationInputTokens":%d,"cacheCreationEphemeral5mInputTokens":%d,'
        b'"cacheCreationEphemeral1hInputTokens":%d,"webSearchRequests":%d,"costUSD":%b}'
        % (
            name.encode(),
            totals.input,
            totals.output,
            totals.thinking,
            totals.cache_read,
            totals.cache_write_5m + totals.cache_write_1h,
            totals.cache_write_5m,
            totals.cache_write_1h,
            totals.web_searches,
            repr(totals.cost_usd).encode(),
        )
    )
