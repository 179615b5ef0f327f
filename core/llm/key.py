"""The key of a model: from the environment, else from the keyring of this operating system.

We never write a key to a file. A keyring counts only when the operating system keeps it: by module
name, since the keyring package would also pick a plain text file, or nothing at all, without a
word. Trade-off: on a machine without one the environment is the only way.

Importing this module does not load keyring: its first use does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import MachineUnfit, UsageError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

VARIABLE = "ANTHROPIC_API_KEY"
_SERVICE, _NAME = "countersign", "anthropic"
_REAL = (
    "keyring.backends.SecretService",
    "keyring.backends.Windows",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "keyring.backends.macOS",
)
_CHAIN = "keyring.backends.chainer"
_LONGEST = 4096
_INSTEAD = f"export {VARIABLE} in the shell that starts countersign"


def find_key(environment: Mapping[str, str]) -> str | None:
    """Return the key, or None where there is none; raises MachineUnfit when a keyring fails."""
    if key := environment.get(VARIABLE, "").strip():
        return key
    backend = _backend()
    if backend is None:
        return None
    from keyring.errors import KeyringError

    try:
        return backend.get_password(_SERVICE, _NAME)
    except KeyringError as error:
        raise MachineUnfit(f"the keyring can't be read: {error}", hint=_INSTEAD) from error


def set_key(key: str) -> str:
    """Store a key and return the name of the keyring; raises UsageError, MachineUnfit."""
    key = check_key(key)
    backend = _backend()
    if backend is None:
        raise MachineUnfit("this machine has no keyring that can hold a key", hint=_INSTEAD)
    from keyring.errors import KeyringError

    try:
        backend.set_password(_SERVICE, _NAME, key)
        kept = backend.get_password(_SERVICE, _NAME) == key
    except KeyringError as error:
        raise MachineUnfit(f"the keyring can't be written: {error}", hint=_INSTEAD) from error
    if not kept:
        raise MachineUnfit("the keyring did not keep the key", hint=_INSTEAD)
    return str(backend.name)


def check_key(text: str) -> str:
    """Return a key without white space around it; raises UsageError when it can't be one."""
    key = text.strip()
    if not key:
        raise UsageError("no key was given", hint="type or pipe it: countersign config set-key")
    if len(key) > _LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("that is no key: one line of printable characters without spaces")
    return key


def real(backend: KeyringBackend) -> KeyringBackend | None:
    """Return the backend, or the first behind a chain, that the operating system keeps; or None."""
    module = type(backend).__module__
    if module == _CHAIN:
        found = (real(each) for each in getattr(backend, "backends", ()))
        return next((each for each in found if each), None)
    return backend if module.startswith(_REAL) else None


def _backend() -> KeyringBackend | None:
    import keyring

    return real(keyring.get_keyring())
