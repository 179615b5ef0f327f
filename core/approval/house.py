"""What the settings say about who may let what run: facts of `session.started`.

They are written down when a session begins, so that it goes on by the rules that it was started
with, and so that `decide` needs nothing but the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.approval.draft import Target
from core.approval.modes import HUMAN_CEILING, MODES, UNATTENDED_CEILING, Mode
from sandbox.job import Tier

Rehearse = Literal["never", "change", "always"]
_FALLBACKS: tuple[Mode, ...] = ("guided", "manual")
"""The modes that a session may fall back to by itself: those in which nothing runs by itself."""


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What holds in one account."""

    account: str
    """By number or by alias."""
    label: str = ""
    production: bool = False
    ceiling: Tier = HUMAN_CEILING
    """The highest tier that runs there, whoever approves it."""
    modes: tuple[Mode, ...] = MODES


@dataclass(frozen=True, slots=True)
class HouseRules:
    """The rules of one session."""

    unattended: Tier = UNATTENDED_CEILING
    """The highest tier that goes by itself."""
    accounts: tuple[AccountRules, ...] = ()
    rehearse: Rehearse = "never"
    request_ms: int = 0
    """How long a request stands; 0 = until it is answered."""
    second_person: bool = False
    """Tier 4 is decided by somebody else than whoever started the session."""
    confirmed: str = ""
    """What was typed as the account to start in automated mode."""

    def of(self, target: Target | None) -> AccountRules:
        """Return what holds in an account: by its number, else by its alias, else nothing."""
        for name in (target.account, target.alias) if target else ():
            for each in self.accounts:
                if name and each.account == name:
                    return each
        return AccountRules(account="")


DEFAULT = HouseRules()


def names_account(typed: str, target: Target | None) -> bool:
    """Tell whether what was typed names the account, by alias or by number."""
    return bool(typed) and target is not None and typed in (target.account, target.alias)


def fallback(rules: AccountRules) -> Mode | None:
    """Return the mode that a session in this account falls back to by itself."""
    return next((mode for mode in _FALLBACKS if mode in rules.modes), None)
