"""Holds the colours of tokens.css to their contrast, in light and in dark.

Never looks at how the colours are used: the page tests run axe for that.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "static" / "css" / "tokens.css"
THEMES = ("light", "dark")

SURFACES = ("page", "surface", "raised", "sunken", "hover", "selected")
MEANINGS = ("accepted", "refused", "warning", "skipped", "note")
TEXTS = ("text", "text-muted", "link")

TEXT_PAIRS = (
    *((text, surface) for text in TEXTS for surface in SURFACES),
    *((text, f"{meaning}-background") for text in TEXTS for meaning in MEANINGS),
    *((f"{meaning}-text", f"{meaning}-background") for meaning in MEANINGS),
    *((f"{meaning}-text", surface) for meaning in MEANINGS for surface in SURFACES),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-danger", "danger"),
    ("on-danger", "danger-hover"),
    ("on-bar", "bar"),
    ("on-bar", "bar-hover"),
    ("on-bar-muted", "bar"),
    ("on-bar-muted", "bar-hover"),
    ("differs-text", "differs-background"),
    ("missing-text", "missing-background"),
)
EDGE_PAIRS = (
    *(("control", surface) for surface in SURFACES),
    *(("focus", surface) for surface in SURFACES),
    ("on-bar-focus", "bar"),
)


def declared_colors() -> dict[str, tuple[str, str]]:
    """Every six-digit colour of tokens.css by its short name, as (light, dark)."""
    css = TOKENS.read_text(encoding="utf-8")
    pairs = re.findall(r"--color-([a-z-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", css)
    same = re.findall(r"--color-([a-z-]+):\s*(#[0-9a-f]{6});", css)
    return {name: (light, dark) for name, light, dark in pairs} | {name: (one, one) for name, one in same}


def luminance(color: str) -> float:
    """The relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2, "relative luminance")."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def too_faint(pairs: tuple[tuple[str, str], ...], theme: str, least: float) -> list[str]:
    colors = declared_colors()
    side = THEMES.index(theme)
    ratios = [(front, back, contrast(colors[front][side], colors[back][side])) for front, back in pairs]
    return [f"{front} on {back}: {ratio:.2f}" for front, back, ratio in ratios if ratio < least]


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_is_readable_on_every_background_it_may_meet(theme: str) -> None:
    assert too_faint(TEXT_PAIRS, theme, 4.5) == []


@pytest.mark.parametrize("theme", THEMES)
def test_edges_of_controls_and_the_focus_ring_are_seen(theme: str) -> None:
    assert too_faint(EDGE_PAIRS, theme, 3) == []


def test_no_color_is_written_outside_the_tokens() -> None:
    """A colour written into a component would not follow the theme."""
    strays = [
        f"{sheet.name}: {color}"
        for sheet in sorted(TOKENS.parent.glob("*.css"))
        if sheet != TOKENS
        for color in re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*;)|\brgba?\(|\bhsla?\(", sheet.read_text(encoding="utf-8"))
    ]
    assert strays == []
