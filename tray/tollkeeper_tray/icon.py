"""Draws the tray's icon: a toll gate on a badge, in another colour and shape for each mood. Pure.

The grounds are mid tones, at least three times as light or dark as a black or a white panel and as
the white gate on them. The shapes differ too, for those who can't tell the colours apart.
"""

from PIL import Image, ImageDraw

from tollkeeper_tray.view import Mood

SIZE = 64
WHITE = (255, 255, 255)
GROUNDS: dict[Mood, tuple[int, int, int]] = {
    "calm": (31, 136, 84),
    "waiting": (190, 104, 8),
    "limited": (207, 52, 47),
    "gone": (112, 118, 126),
}

# Drawn larger and scaled down, as Pillow does not smooth what it draws.
_SCALE = 4
_BAR = 9


def draw(mood: Mood, opaque: bool = False) -> Image.Image:
    """The icon of this mood; ``opaque`` is for panels that know no transparency: no corners."""
    ground = GROUNDS[mood]
    large = SIZE * _SCALE
    image = Image.new("RGBA", (large, large), (*ground, 255 if opaque else 0))
    pen = ImageDraw.Draw(image)
    if not opaque:
        pen.rounded_rectangle(_scaled(0, 0, SIZE - 1, SIZE - 1), 14 * _SCALE, fill=ground)
    match mood:
        case "calm":
            _post(pen)
            _bar(pen, (18, 42), (52, 14))
        case "waiting":
            pen.rounded_rectangle(_scaled(27, 10, 37, 39), 5 * _SCALE, fill=WHITE)
            pen.ellipse(_scaled(26, 44, 38, 56), fill=WHITE)
        case "limited":
            _post(pen)
            _bar(pen, (18, 31), (56, 31))
        case "gone":
            _bar(pen, (18, 18), (46, 46))
            _bar(pen, (18, 46), (46, 18))
    return image.reduce(_SCALE)


def _post(pen: ImageDraw.ImageDraw) -> None:
    pen.rounded_rectangle(_scaled(10, 24, 23, 54), 3 * _SCALE, fill=WHITE)


def _bar(pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A bar with round ends."""
    pen.line(_scaled(*start, *end), fill=WHITE, width=_BAR * _SCALE)
    for x, y in (start, end):
        half = _BAR / 2
        pen.ellipse(_scaled(x - half, y - half, x + half, y + half), fill=WHITE)


def _scaled(*numbers: float) -> tuple[float, ...]:
    return tuple(number * _SCALE for number in numbers)
