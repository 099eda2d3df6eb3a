"""How a verb refuses parameters: in words that people know."""

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.rules.settings import Dollars, Label, Tokens


class Asked(Struct, forbid_unknown_fields=True):
    """Some parameters, as verbs have them."""

    usd: Dollars = 0
    tokens: Tokens = 0
    stage: Label = "plan"
    workflows: Annotated[tuple[str, ...], Meta(min_length=2, max_length=3)] = ("w-1", "w-2")
    percent: Annotated[float, Meta(gt=0, le=100)] = 100.0


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"usd": 1e15}, "usd must be at the most 1,000,000,000"),
        ({"usd": -0.5}, "usd must be at least 0"),
        ({"tokens": -1}, "tokens must be at least 0"),
        ({"percent": 0}, "percent must be above 0"),
        ({"percent": 100.5}, "percent must be at the most 100"),
        ({"stage": ""}, "stage is empty: name one"),
        ({"stage": 201 * "s"}, "stage is too long: 200 characters at the most"),
        ({"workflows": ["w-1"]}, "too few workflows: name 2 at least"),
        ({"workflows": ["w"] * 4}, "too many workflows: name 3 at the most"),
        ({"usd": "much"}, "Expected `float`, got `str` - at `$.usd`"),
    ],
)
def test_words(params: dict[str, Any], words: str) -> None:
    """A number out of its bounds, a name that is none and too many names are told in plain words."""
    with pytest.raises(Refused) as refused:
        params_as(Asked, params)
    assert str(refused.value) == words
