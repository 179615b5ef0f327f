"""The colours of the screen: dark, light, and whatever the terminal's own sixteen are.

Every theme of Textual can be named in the settings as well. What our style sheets use and a theme
does not know has a value here (`VARIABLES`), taken from colours that every theme has.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="countersign",
    dark=True,
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#bb9af7",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#c8d0e8",
    background="#15161e",
    surface="#1a1b26",
    panel="#242635",
    variables={
        "border-calm": "#3b4060",
        "text-dim": "#8089ad",
        "scrollbar": "#3b4060",
        "scrollbar-hover": "#7aa2f7",
        "scrollbar-active": "#7aa2f7",
        "scrollbar-background": "#1a1b26",
        "scrollbar-background-hover": "#1a1b26",
        "scrollbar-background-active": "#1a1b26",
        "scrollbar-corner-color": "#1a1b26",
    },
)
LIGHT: Final = Theme(
    name="countersign-light",
    dark=False,
    primary="#2e5cb8",
    secondary="#00708f",
    accent="#7a3fc4",
    warning="#8f5e00",
    error="#b3203a",
    success="#3d7a1a",
    foreground="#22263a",
    background="#eceef4",
    surface="#f7f8fb",
    panel="#dde1ec",
    variables={
        "border-calm": "#b4bace",
        "text-dim": "#5c6486",
        "scrollbar": "#b4bace",
        "scrollbar-background": "#f7f8fb",
        "scrollbar-corner-color": "#f7f8fb",
    },
)
THEMES: Final = (DARK, LIGHT)
VARIABLES: Final = {"border-calm": "gray", "text-dim": "gray"}
"""For themes that are not ours: grey is in every palette, and reads on light and dark."""
