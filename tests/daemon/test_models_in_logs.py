"""Each spelling of a model that a log may bear has the right price, from the log's bytes on."""

import json

import pytest

from .lines import DATA, assistant, scanned, usage
from .shelf import post

RATES = json.loads((DATA / "prices.json").read_bytes())["models"]
ARN = "arn:aws:bedrock:us-east-1"
ACCOUNT = "123456789012"

# Spellings of the client, of Bedrock (regions, versions, ARNs), of Vertex, and of gateways.
SPELLINGS = {
    "claude-opus-5-5": [
        "claude-opus-5-5",
        "claude-opus-5-5[1m]",
        "claude-opus-5-5-20261020",
        "CLAUDE-OPUS-5-5",
        "global.anthropic.claude-opus-5-5",
        "us.anthropic.claude-opus-5-5[1m]",
        f"{ARN}:{ACCOUNT}:inference-profile/us.anthropic.claude-opus-5-5",
        "claude-opus-5-5@default",
        "anthropic/claude-opus-5.5",
    ],
    "claude-opus-4-6": [
        "us.anthropic.claude-opus-4-6-v1",
        "us.anthropic.claude-opus-4-6-v1[1m]",
        "eu.anthropic.claude-opus-4-6-v1:0",
    ],
    "claude-opus-4-5-20251101": ["claude-opus-4-5", "claude-opus-4-5@20251101"],
    "claude-opus-4-1-20250805": [
        "claude-opus-4-1",
        "claude-opus-4-1@20250805",
        "us.anthropic.claude-opus-4-1-20250805-v1:0",
        "anthropic/claude-opus-4.1",
    ],
    "claude-opus-4-20250514": [
        "claude-opus-4",
        "claude-opus-4-0",
        "claude-opus-4@20250514",
        "anthropic.claude-opus-4-20250514-v1:0",
    ],
    "claude-sonnet-4-5-20250929": [
        "claude-sonnet-4-5",
        "claude-sonnet-4-5[1m]",
        "claude-sonnet-4-5-20250929[1m]",
        "claude-sonnet-4-5@20250929",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0[1m]",
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "jp.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        f"{ARN}:{ACCOUNT}:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        f"{ARN}::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "vertex_ai/claude-sonnet-4-5@20250929",
        "publishers/anthropic/models/claude-sonnet-4-5@20250929",
        "openrouter/anthropic/claude-sonnet-4.5",
    ],
    "claude-sonnet-4-20250514": [
        "claude-sonnet-4",
        "claude-sonnet-4-0",
        "apac.anthropic.claude-sonnet-4-20250514-v1:0",
        "anthropic/claude-sonnet-4",
    ],
    "claude-3-7-sonnet-20250219": [
        "claude-3-7-sonnet-latest",
        "claude-3-7-sonnet@20250219",
        "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        "anthropic/claude-3.7-sonnet",
        "anthropic/claude-3.7-sonnet:thinking",
    ],
    "claude-haiku-4-5-20251001": [
        "claude-haiku-4-5",
        "claude-haiku-4-5-latest",
        "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    ],
    "claude-3-5-haiku-20241022": [
        "claude-3-5-haiku-latest",
        "claude-3-5-haiku@20241022",
        "us.anthropic.claude-3-5-haiku-20241022-v1:0",
        "anthropic/claude-3.5-haiku",
    ],
    "claude-fable-5-2": ["claude-fable-5-2[1m]", "us.anthropic.claude-fable-5-2-v1:0"],
}


@pytest.mark.parametrize(
    ("spelling", "model"),
    [(spelling, model) for model, spellings in SPELLINGS.items() for spelling in spellings],
)
def test_price_of_a_spelling(spelling: str, model: str) -> None:
    """The model's own rates hold for all kinds of tokens, and nothing is marked as a guess."""
    used = usage(1_000, 2_000, 3_000, 4_000, 5_000)
    total = post(scanned([assistant(used, model=spelling)]).replies).total()
    rates = RATES[model]
    expected = (
        rates["input"] * 1
        + rates["output"] * 2
        + rates["cache_read"] * 3
        + rates["cache_write_5m"] * 4
        + rates["cache_write_1h"] * 5
    )
    assert (round(expected * 1e6), 0) == (total.value, total.unpriced)


@pytest.mark.parametrize(
    "spelling",
    [
        f"{ARN}:{ACCOUNT}:application-inference-profile/abcd1234efgh",
        "claude-opus-5-50",
        "claude-sonnet-4-55",
        "my-claude",
        "glm-4.6",
    ],
)
def test_names_that_tell_no_known_model(spelling: str) -> None:
    """A name that does not say which model it is, or says another, is charged as a guess."""
    total = post(scanned([assistant(usage(1_000), model=spelling)]).replies).total()
    assert 1 == total.unpriced
