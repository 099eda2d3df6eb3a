"""Draws the tray's icon: a sign in a ring on a badge, in another colour and shape for each mood. Pure.

The grounds are mid tones, at least three times as light or dark as a black or a white panel and as
the white sign and ring on them, so that one icon suits dark panels and light ones. The shapes differ
too, for those who can't tell the colours apart.
"""

from functools import lru_cache

from PIL import Image, ImageDraw

from tollkeeper_tray.view import RING_STEPS, Mood

SIZE = 64
WHITE = (255, 255, 255)
GROUNDS: dict[Mood, tuple[int, int, int]] = {
    "calm": (31, 136, 84),
    "warned": (190, 104, 8),
    "reached": (207, 52, 47),
    "limited": (128, 90, 213),
    "gone": (112, 118, 126),
}
# How much of the ground's light the part of the ring has that is not used.
_TRACK = 0.55

# Drawn larger and scaled down, as Pillow does not smooth what it draws.
_SCALE = 4
_BAR = 8


@lru_cache(maxsize=64)
def draw(mood: Mood, ring: int | None = None, opaque: bool = False) -> Image.Image:
    """The icon of this mood, with a ring of so many of ``RING_STEPS`` steps, clockwise from the top.

    ``opaque`` is for panels that know no transparency: no corners.
    """
    ground = GROUNDS[mood]
    large = SIZE * _SCALE
    image = Image.new("RGBA", (large, large), (*ground, 255 if opaque else 0))
    pen = ImageDraw.Draw(image)
    if not opaque:
        pen.rounded_rectangle(_scaled(0, 0, SIZE - 1, SIZE - 1), 18 * _SCALE, fill=ground)
    if ring is not None:
        _ring(pen, ring, ground)
    match mood:
        case "calm":
            _bar(pen, (21, 33), (29, 41))
            _bar(pen, (29, 41), (43, 23))
        case "warned":
            pen.rounded_rectangle(_scaled(28, 16, 36, 36), 4 * _SCALE, fill=WHITE)
            pen.ellipse(_scaled(27.5, 40, 36.5, 49), fill=WHITE)
        case "reached":
            pen.rounded_rectangle(_scaled(21, 20, 29, 44), 2 * _SCALE, fill=WHITE)
            pen.rounded_rectangle(_scaled(35, 20, 43, 44), 2 * _SCALE, fill=WHITE)
        case "limited":
            pen.polygon(_scaled(19, 17, 45, 17, 32, 33), fill=WHITE)
            pen.polygon(_scaled(19, 47, 45, 47, 32, 31), fill=WHITE)
        case "gone":
            _bar(pen, (22, 22), (42, 42))
            _bar(pen, (22, 42), (42, 22))
    return image.reduce(_SCALE)


def _ring(pen: ImageDraw.ImageDraw, steps: int, ground: tuple[int, int, int]) -> None:
    around, width = _scaled(4, 4, SIZE - 5, SIZE - 5), 7 * _SCALE
    red, green, blue = (round(part * _TRACK) for part in ground)
    pen.arc(around, 0, 360, fill=(red, green, blue), width=width)
    pen.arc(around, -90, -90 + 360 * steps / RING_STEPS, fill=WHITE, width=width)


def _bar(pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A bar with round ends."""
    pen.line(_scaled(*start, *end), fill=WHITE, width=_BAR * _SCALE)
    for x, y in (start, end):
        half = _BAR / 2
        pen.ellipse(_scaled(x - half, y - half, x + half, y + half), fill=WHITE)


def _scaled(*numbers: float) -> tuple[float, ...]:
    return tuple(number * _SCALE for number in numbers)
