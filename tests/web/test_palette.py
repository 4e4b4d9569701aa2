"""Every colour of text can be read on every ground that it stands on, light and dark (WCAG 2.2, 1.4.3 and 1.4.11); nothing else has one."""

import re
from pathlib import Path

import pytest

import grantway.web

WEB = Path(grantway.web.__file__).parent
STYLE = (WEB / "style.css").read_text("utf-8")
SCHEMES = ("light", "dark")
GROUNDS = ("ground", "raised")
TEXTS = ("ink", "soft", "accent", "bad", "good")
ON = (("on-accent", "accent"), ("on-bad", "bad"))
SHAPES = ("field", "accent", "bad", "series-0", "series-1", "series-2", "series-3", "series-4")
"""Borders that show where a field is, and bars."""


def palette(scheme: str) -> dict[str, str]:
    """Name to colour: what dark does not say, it takes from light."""
    dark = "".join(re.findall(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", STYLE, re.DOTALL))
    light = "".join(re.findall(r"^:root \{(.*?)\}", STYLE, re.DOTALL | re.MULTILINE))
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", light + (dark if scheme == "dark" else "")))


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ratios_are_those_of_the_standard() -> None:
    assert [round(contrast(one, "#ffffff"), 2) for one in ("#000000", "#ffffff", "#767676")] == [21, 1, 4.54]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_texts_can_be_read(scheme: str) -> None:
    colours = palette(scheme)
    pairs = [*ON, *((text, ground) for text in TEXTS for ground in GROUNDS)]
    assert {pair: ratio for pair in pairs if (ratio := contrast(*(colours[name] for name in pair))) < 4.5} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fields_and_bars_can_be_seen(scheme: str) -> None:
    colours = palette(scheme)
    assert {name: ratio for name in SHAPES if (ratio := contrast(colours[name], colours["ground"])) < 3} == {}


def test_no_colour_stands_outside_the_palette() -> None:
    """And none is made weaker."""
    rules = re.sub(r":root \{.*?\}", "", STYLE, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl|color-mix", rules) == []
    assert "opacity" not in rules
    named = re.findall(r"(?<![a-z-])(?:color|fill): ([^;]+);", rules)
    assert {one for one in named if one != "inherit"} <= {f"var(--{name})" for name in palette("light")}


def test_no_field_holds_an_example() -> None:
    """A placeholder is either too faint to be read or taken for what was typed; examples stand in the hint."""
    assert [page.name for page in WEB.glob("templates/**/*.html") if "placeholder" in page.read_text("utf-8")] == []
