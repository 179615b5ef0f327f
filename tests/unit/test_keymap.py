"""Keys from the settings: what is taken, and what is refused with a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pytest

from core.config import Settings
from core.errors import ConfigError
from tui.action import bar_key
from tui.actions import ACTIONS, BY_NAME
from tui.keymap import remapped
from tui.look import look_of


def test_no_settings_change_nothing() -> None:
    """Without keys of one's own the registry holds as it is, and has no clash itself."""
    assert remapped(ACTIONS, {}) == ACTIONS


def test_an_action_gets_other_keys() -> None:
    """Signs are written as they look, two actions can swap their keys, and the key bar follows."""
    made = {
        each.name: each
        for each in remapped(
            ACTIONS, {"approve": ["r", "ctrl+g"], "reject": ["a"], "next": ["%"], "skip": []}
        )
    }

    assert made["approve"].keys == ("r", "ctrl+g")
    assert made["reject"].keys == ("a",)
    assert made["next"].keys == ("percent_sign",)
    assert made["skip"].keys == ()
    assert bar_key(made["next"], tuple(made.values())) == "[ %"
    assert made["approve"].key == "r ctrl+g"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"aprove": ["B"]}, "did you mean approve"),
        ({"nonsense": ["B"]}, "no such action"),
        ({"approve": ["enter"]}, "without thinking"),
        ({"approve": ["space"]}, "without thinking"),
        ({"skip": ["escape"]}, "without thinking"),
        ({"approve": ["y"]}, "without thinking"),
        ({"approve": ["ctrl+m"]}, "can't tell"),
        ({"approve": ["hyper+x"]}, "is no key"),
        ({"approve": [""]}, "is no key"),
        ({"approve": ["ab"]}, "is no key"),
        ({"approve": ["r"]}, "r would mean both approve and reject"),
        ({"zoom": ["B"], "skip": ["B"]}, "B would mean both"),
        ({"help": []}, "must have a key"),
        ({"stop": []}, "must have a key"),
    ],
)
def test_a_mistake_is_refused(keys: dict[str, Sequence[str]], said: str) -> None:
    """A wrong name, a key that means two things or none, and a key that decides by reflex."""
    with pytest.raises(ConfigError, match=said):
        remapped(ACTIONS, keys)


def test_home_has_keys_of_its_own() -> None:
    """`home.` names an action there: its keys change there alone, and clash there alone."""
    look = look_of(Settings.model_validate({"keys": {"home.begin": ["B"], "zoom": ["B"]}}))

    assert (look.keymap["home.begin"], look.keymap["zoom"]) == ("B", "B")
    assert look.keymap["home.open"] == "o"
    for keys, said in (
        ({"home.begn": ["B"]}, "keys.home.begn: no such action; did you mean home.begin?"),
        ({"home.begin": ["r"]}, "r would mean both home.begin and home.replay"),
        ({"home.help": []}, "keys.home.help: must have a key"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            look_of(Settings.model_validate({"keys": keys}))


def test_every_action_can_be_reached() -> None:
    """Each has a key of its own, and speaks in the key bar for one that exists."""
    assert [each.name for each in ACTIONS if not each.keys] == []
    assert [each.beside for each in ACTIONS if each.beside and each.beside not in BY_NAME] == []
    counted = Counter(key for action in ACTIONS for key in action.keys)
    assert [key for key, number in counted.items() if number > 1] == []
