"""Text from elsewhere, made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.safe_text import safe_line, safe_text

ANY = st.text(st.characters())
NASTY = st.text(
    st.one_of(
        st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"]),
        st.sampled_from("a \n\t\r<U+>\u034f\ufe0f\U000e0100\u3164"),
    )
)
HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\ufe00\ufe0f\uffa0"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("a\rb", "a␍b"),
        ("\x00\x08\x7f", "␀␈␡"),
        ("\x85\x9b31m", "<U+0085><U+009B>31m"),
        ("user\u202etxt.exe", "user<U+202E>txt.exe"),
        ("\u2066\u2069\u200f\u061c", "<U+2066><U+2069><U+200F><U+061C>"),
        ("a\u200bb\u200c\u200d\u2060\ufeff", "a<U+200B>b<U+200C><U+200D><U+2060><U+FEFF>"),
        ("soft\u00adhyphen", "soft<U+00AD>hyphen"),
        ("\u2028\u2029", "<U+2028><U+2029>"),
        ("\ud800\udfff", "<U+D800><U+DFFF>"),
        ("\U000e0041\U000e007f", "<U+E0041><U+E007F>"),
        ("\ufe0f\U000e0100\U000e01ef", "<U+FE0F><U+E0100><U+E01EF>"),
        ("\u3164\u115f\uffa0\u034f", "<U+3164><U+115F><U+FFA0><U+034F>"),
        ("\ue000\uffff\U0010ffff", "<U+E000><U+FFFF><U+10FFFF>"),
    ],
)
def test_what_can_not_be_seen_is_shown(text: str, shown: str) -> None:
    """Escape sequences, marks that turn the text, and what shows nothing become visible."""
    assert shown == safe_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain ASCII ~!@#",
        "two\nlines\tand a tab",
        "Grüße, 東京, Ελλάδα, שלום, 🚀 → ½",
        "e\u0301",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    """Letters of any language, symbols, accents, line feeds and tabs stay as they are."""
    assert text == safe_text(text)


def test_one_line_has_no_breaks() -> None:
    """Where one line is expected, line feeds and tabs are made visible too."""
    assert safe_text("a\nb\tc", newlines=False) == "a␊b␉c"


@given(st.one_of(ANY, NASTY))
def test_nothing_hidden_is_left(text: str) -> None:
    """Whatever goes in, no control or invisible character comes out, and it can be encoded."""
    shown = safe_text(text)
    left = {each for each in shown if unicodedata.category(each) in HIDDEN or each in INVISIBLE}

    assert left <= {"\n", "\t"}
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(st.one_of(ANY, NASTY), st.booleans())
def test_again_changes_nothing(text: str, newlines: bool) -> None:
    """What was made safe is safe: doing it again changes nothing."""
    once = safe_text(text, newlines=newlines)

    assert once == safe_text(once, newlines=newlines)


@given(ANY)
def test_visible_text_is_never_lost(text: str) -> None:
    """Every visible character stands in the result, in its order."""
    visible = [each for each in text if safe_text(each) == each]
    shown = iter(safe_text(text))

    assert all(each in shown for each in visible)


@given(st.one_of(ANY, NASTY), st.integers(1, 50))
def test_a_line_is_one_line_of_bounded_length(text: str, most: int) -> None:
    """A line never breaks, never grows beyond its limit, and stays as it is the second time."""
    line = safe_line(text, most)

    assert len(line) <= most
    assert "\n" not in line
    assert len(line.splitlines()) <= 1
    assert line == safe_line(line, most)


def test_a_line_says_where_it_was_cut() -> None:
    """An ellipsis stands for the rest; a line that just fits has none."""
    assert safe_line("abcdef", 6) == "abcdef"
    assert safe_line("abcdefg", 6) == "abcde…"
    assert safe_line("\x1b" * 3 + "\u202e", 6) == "␛␛␛<U…"
    assert safe_line("a\nb") == "a␊b"
