"""Why ccusage tells something else: the causes, in words, and which way each of them goes; pure.

Each is a case of docs/accounting.md, "Where ccusage differs, and why".
"""

from msgspec import Struct

MORE, LESS, EITHER = 1, -1, 0


class Kind(Struct, frozen=True):
    """What a cause is called in words, and whether ccusage tells more or less for it."""

    text: str
    way: int = EITHER


# What makes another number of tokens.
OF_TOKENS = {
    "no-request-id": Kind(
        "replies without a request id: it adds up their lines, or their copies", MORE
    ),
    "some-request-ids": Kind(
        "replies with a request id on some of their lines only: it takes them for two", MORE
    ),
    "no-message-id": Kind("replies without a message id: it adds up their lines", MORE),
    "replay": Kind("replies written again under another request id: it counts them twice", MORE),
    "error": Kind("lines of errors that bear a usage: it counts them", MORE),
    "progress": Kind("replies repeated on lines of progress: it counts them as well", MORE),
    "split": Kind("cache writes that their split does not add up to: it counts the split alone"),
    "uneven": Kind(
        "replies with their largest counts on different lines: it keeps one line whole", LESS
    ),
    "first-lines": Kind(
        "replies whose first line says too little: this version counts a reply by its first line",
        LESS,
    ),
    "null": Kind("lines with a null that it can't read: it drops them", LESS),
    "empty-id": Kind("lines with an empty message id: it drops them", LESS),
    "spelling": Kind("lines with blanks between their fields: it passes them over", LESS),
    "time": Kind("lines with a time that is not written as the client does: it drops them", LESS),
    "midnight": Kind(
        "replies on both sides of midnight: it dates them by their longest line, we by the first"
    ),
    "gone": Kind("requests whose logs are gone by now: they stay in the ledger", LESS),
    "unread": Kind("requests in logs that the ledger has not read, or could not read", MORE),
    "moving": Kind("replies that came while it read the logs"),
}
# What makes another sum of money of the same tokens.
OF_MONEY = {
    "no-price": Kind("a model that it has no price for: it charges nothing", LESS),
    "guessed": Kind("a model that we have no price for: we charge the dearest of its kin"),
    "web-searches": Kind("web searches: it has no price for them", LESS),
    "us": Kind("inference in the US: it leaves the margin out", LESS),
    "long-prompts": Kind("prompts of more than 100,000 tokens: it leaves the margin out", LESS),
    "above-200k": Kind(
        "more than 200,000 tokens in a request: its list has a margin of 2025 on them", MORE
    ),
    "fast": Kind("replies in fast mode, for which its factor is another"),
    "region": Kind("a region of Bedrock: its list has the prices of Bedrock", MORE),
    "hour-writes": Kind(
        "cache writes for an hour: this version charges them like those for five minutes", LESS
    ),
    "own-cost": Kind("old lines that bear a cost of their own: it takes them at their word"),
    "own-prices": Kind("prices of your own"),
    "rates": Kind("another price of the model in its list than was in force here"),
}
KINDS = {
    **OF_TOKENS,
    **OF_MONEY,
    "unexplained": Kind("what no cause that is known comes to: please report it"),
}
