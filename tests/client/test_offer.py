"""What is said after a change of prices, of requests that are charged at others."""

import pytest

from tollkeeper.cli.offer import offer
from tollkeeper.cli.prices_set import unseen


@pytest.mark.parametrize(
    ("count", "complete", "said"),
    [
        (0, True, None),
        (1, True, "1 request is charged at other prices: toll reprice"),
        (2000, True, "2,000 requests are charged at other prices: toll reprice"),
        (2000, False, "at least 2,000 requests are charged at other prices: toll reprice"),
        (0, False, "Whether requests are charged at other prices takes long to say: toll reprice"),
    ],
)
def test_offer(count: int, complete: bool, said: str | None) -> None:
    """The number is exact where all were counted, and never claimed to be where they were not."""
    assert said == offer({"requests_at_other_prices": count, "counted_all": complete})


def test_names_of_others_move_no_cursor() -> None:
    """A model's name in the warning is made plain."""
    answer = {"price": {"model": "a\x1b[2J"}, "closest": ["b\n"]}
    assert unseen(answer).isprintable()
