"""The icon: one for each mood, and visible on any panel."""

import itertools

import pytest

pytest.importorskip("PIL", reason="the tray's packages are not installed")

from PIL import Image

from tollkeeper_tray.icon import GROUNDS, SIZE, WHITE, draw
from tollkeeper_tray.view import RING_STEPS, Mood

BLACK = (0, 0, 0)
# What WCAG 2 asks of graphics (1.4.11).
ENOUGH = 3.0


def luminance(colour: tuple[int, int, int]) -> float:
    """How light a colour is, from 0 to 1, as WCAG 2 reckons it."""
    parts = [each / 255 for each in colour]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """How well two colours are told apart, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("mood", GROUNDS)
def test_size(mood: Mood, opaque: bool) -> None:
    """Every icon is 64 pixels wide and high, with its corners clear unless it has to be opaque."""
    image = draw(mood, opaque=opaque)
    assert ("RGBA", (64, 64), 64) == (image.mode, image.size, SIZE)
    assert (*GROUNDS[mood], 255) == image.getpixel((SIZE // 2, 3))
    corner = image.getpixel((0, 0))
    assert isinstance(corner, tuple)
    assert (255 if opaque else 0) == corner[3]


def test_moods_differ_in_shape() -> None:
    """The shapes of any two moods differ, not only their colours."""
    shapes = [[light > 200 for light in draw(mood).convert("L").tobytes()] for mood in GROUNDS]
    for one, other in itertools.combinations(shapes, 2):
        assert sum(a != b for a, b in zip(one, other, strict=True)) > 100


@pytest.mark.parametrize("mood", GROUNDS)
@pytest.mark.parametrize("panel", [WHITE, BLACK])
def test_visible_on_any_panel(mood: Mood, panel: tuple[int, int, int]) -> None:
    """The badge stands out from a white and from a black panel, and its white shape from the badge."""
    assert contrast(GROUNDS[mood], panel) >= ENOUGH


@pytest.mark.parametrize("mood", GROUNDS)
def test_ring_grows(mood: Mood) -> None:
    """Each step of the ring is more white; without a ring there is no track for it."""
    lights = [_white(draw(mood, steps)) for steps in range(RING_STEPS + 1)]
    assert sorted(set(lights)) == lights
    assert _white(draw(mood)) == lights[0]
    assert draw(mood).tobytes() != draw(mood, 0).tobytes()


@pytest.mark.parametrize("mood", GROUNDS)
def test_ring_is_seen(mood: Mood) -> None:
    """The used part of the ring is told from the rest of it."""
    image = draw(mood, RING_STEPS // 2)
    used, left = image.getpixel((SIZE - 8, SIZE // 2)), image.getpixel((7, SIZE // 2))
    assert isinstance(used, tuple) and isinstance(left, tuple)
    assert contrast((used[0], used[1], used[2]), (left[0], left[1], left[2])) >= ENOUGH


def _white(image: "Image.Image") -> int:
    return sum(light > 200 for light in image.convert("L").tobytes())
