"""Environments before anything is fetched: their digests, and what counts as a locked line."""

from __future__ import annotations

import hashlib

import pytest

from sandbox.environments import environment_digest
from sandbox.errors import RuntimeUnusable
from sandbox.job import Sha
from sandbox.packages import (
    _lines_of,
    _one_line,
    is_locked,
    is_name,
    name_of,
    normal_name,
    variables_of,
)

RUNTIME = Sha("f" * 64)
HASH = " --hash=sha256:" + "a" * 64
LINES = ("openpyxl==3.1.5" + HASH, "et-xmlfile==2.0.0" + HASH)


def test_no_packages_no_other_digest() -> None:
    """The sealed runtime is the environment of a script that needs nothing."""
    assert environment_digest(RUNTIME, ()) == RUNTIME


def test_a_stranger_can_compute_the_digest() -> None:
    """It is the hash of the canonical JSON that docs/environments.md shows."""
    preimage = (
        '{"layout":1,"requirements":["et-xmlfile==2.0.0 --hash=sha256:AA",'
        '"openpyxl==3.1.5 --hash=sha256:AA"],"runtime":"FF"}'
    )
    text = preimage.replace("AA", "a" * 64).replace("FF", RUNTIME)

    assert environment_digest(RUNTIME, LINES) == hashlib.sha256(text.encode()).hexdigest()


def test_neither_order_nor_repetition_counts() -> None:
    """The set of lines decides."""
    assert environment_digest(RUNTIME, (*LINES[::-1], LINES[0])) == environment_digest(
        RUNTIME, LINES
    )


@pytest.mark.parametrize(
    "lines",
    [LINES[:1], (LINES[0].replace("3.1.5", "3.1.4"), LINES[1]), (LINES[0][:-1] + "b", LINES[1])],
)
def test_every_line_counts(lines: tuple[str, ...]) -> None:
    """One package less, another version or another hash is another environment."""
    assert environment_digest(RUNTIME, lines) != environment_digest(RUNTIME, LINES)


def test_the_runtime_counts() -> None:
    """The same packages on another interpreter are another environment."""
    assert environment_digest(Sha("0" * 64), LINES) != environment_digest(RUNTIME, LINES)


@pytest.mark.parametrize(
    "line",
    [
        *("six", "six==1", "six>=1" + HASH, "six==1" + HASH[:-1], "six==1" + HASH + "\n", ""),
        *(
            "six==1" + HASH.upper(),
            "-r x" + HASH,
            "six==1; python_version>'3'" + HASH,
            "_==1" + HASH,
        ),
        *("six @ http://127.0.0.1/x" + HASH, "six==1 " + HASH, "six==1" + HASH + " --pre"),
    ],
)
def test_what_is_not_locked_has_no_name(line: str) -> None:
    """Only a name, one version and hashes; no options, markers, addresses or further lines."""
    assert not is_locked(line)
    with pytest.raises(RuntimeUnusable, match="is not locked"):
        name_of(line)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Et_XML.File==2.0.0" + HASH, "et-xml-file"),
        ("a==1!2.0+local" + HASH + HASH, "a"),
        ("ruamel.yaml[jinja2]==0.18" + HASH, "ruamel-yaml"),
    ],
)
def test_a_locked_line_has_a_normal_name(line: str, name: str) -> None:
    """Every spelling of a name is one package."""
    assert (is_locked(line), name_of(line)) == (True, name)


@pytest.mark.parametrize("text", ["", "-", "a-", ".a", "a b", "a\n", "ä", "a[b]", "a==1"])
def test_what_can_be_no_name(text: str) -> None:
    """A name of the settings is a name and nothing more."""
    assert not is_name(text)
    assert is_name("Zope.Interface_2")
    assert normal_name("Zope.Interface_2") == "zope-interface-2"


def test_only_what_leads_to_an_index_is_handed_on() -> None:
    """No credentials, no folder of the operator, nothing that changes what uv does."""
    passed = {
        "HTTPS_PROXY": "http://proxy",
        "https_proxy": "http://proxy",
        "NO_PROXY": "localhost",
        "SSL_CERT_FILE": "/etc/ssl/inner.pem",
        "UV_DEFAULT_INDEX": "https://inner/simple",
        "UV_INDEX_INNER_PASSWORD": "secret",
    }
    others = ("AWS_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY", "HOME", "PATH", "PYTHONPATH")
    uv = ("UV_PYTHON", "UV_NO_VERIFY_HASHES", "UV_INSECURE_HOST", "UV_CONFIG_FILE", "UV_TARGET")

    assert variables_of({**passed, **dict.fromkeys((*others, *uv), "x")}) == passed


@pytest.mark.parametrize("missing", ["version", "wheels", "hashes", "sha256"])
def test_an_index_that_tells_too_little_is_refused(missing: str) -> None:
    """Without a SHA-256 of a wheel there is nothing to bind."""
    whole = (
        '[[packages]]\nname = "a"\nversion = "1"\nwheels = [{ hashes = { sha256 = "f" } },'
        ' { hashes = { sha256 = "e" } }]\n[[packages]]\nname = "six"\nversion = "1"\n'
    )

    assert _lines_of(whole) == ("a==1 --hash=sha256:e --hash=sha256:f",)
    with pytest.raises(RuntimeUnusable, match=f"does not tell the '{missing}'"):
        _lines_of(whole.replace(missing, "other"))


def test_what_uv_complains_about_is_one_line_without_passwords() -> None:
    """Labels and indentation are gone, and what an index's address gives away."""
    told = "error: Request failed\n  cause: Failed to fetch: https://ada:secret@inner/simple/\n\n"

    assert _one_line(told) == "Request failed: Failed to fetch: https://inner/simple/"
    assert _one_line("") == "uv failed without a word"
