"""Makes docs/screen.svg: the real program at the third request of the demo, as a picture.

The program works on the simulated shop in a window of tmux (tools/tmux.py), where two steps are
approved by key; then what stands in the window becomes a picture. Fonts are left to whoever looks:
no address of a font server goes into the file.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tools.tmux import Tmux

PICTURE = Path(__file__).parent.parent / "docs" / "screen.svg"
PROGRAM = Path(sys.executable).with_name("countersign")
SIZE = (120, 36)
DEMO = ("ask", "--aws", "simulated:shop-502", "--ui", "tui")
_COLOURS = [(40, 42, 54), (240, 80, 80), (80, 200, 120), (230, 190, 80), (90, 150, 240)]
_COLOURS += [(190, 120, 220), (90, 200, 210), (220, 220, 220)]
_THEME = TerminalTheme((18, 20, 27), (216, 219, 226), _COLOURS)
"""For what has no colour of its own: the program says all others."""


def take(data: Path) -> str:
    """Return what the window shows at the third request, with its colours."""
    command = [str(PROGRAM), *DEMO]
    with Tmux(command, {"COUNTERSIGN_DATA": str(data)}, SIZE) as screen:
        screen.until("▲ R1", "asks because")
        screen.press_for("a", "▲ R2", "asks because")
        screen.press_for("a", "▲ R3", "asks because")
        return screen.coloured


def picture_of(coloured: str) -> str:
    """Return a window's text as a picture."""
    console = Console(width=SIZE[0], height=SIZE[1], record=True, file=io.StringIO())
    console.print(Text.from_ansi(coloured), no_wrap=True, crop=True, end="")
    return without_font_server(console.export_svg(title="countersign", theme=_THEME))


def without_font_server(picture: str) -> str:
    """Return the picture with fonts that every machine has."""
    plain = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    spaced = plain.replace("<text ", '<text xml:space="preserve" ')
    return spaced.replace("Fira Code", "Fira Code, DejaVu Sans Mono, Menlo, Consolas")


def main() -> int:
    """Make the picture anew."""
    with tempfile.TemporaryDirectory() as folder:
        picture = picture_of(take(Path(folder) / "data"))
    PICTURE.write_text(picture, encoding="utf-8")
    print(f"made {PICTURE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
