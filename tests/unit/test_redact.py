"""Secrets taken out of text, bytes and JSON."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.known_secrets import FEW, MOST_LEARNED
from core.redact import MOST_DEPTH, NAMES, Redactor

KEY = b"k" * 32
PLAIN = Redactor(KEY)
MARKER = re.compile(r"\[redacted:([a-z0-9-]+):[0-9a-f]{8}\]")
SECRETS = st.text(
    # NUL is what the tests put where a marker was.
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=6,
    max_size=20,
).filter(lambda secret: secret not in "[redacted:canary:0123456789abcdef]")  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def without_markers(text: str) -> str:
    """Return a text with every replacement cut out."""
    return MARKER.sub("\0", text)


def shown(text: str) -> str:
    """Return a redacted text with only what each replacement stands for."""
    return MARKER.sub(lambda found: f"<{found[1]}>", text)


# ------------------------------------------------------------------ what it looks like
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key AKIAIOSFODNN7EXAMPLE.", "key <access-key-id>."),
        ("ASIAIOSFODNN7EXAMPLE", "<access-key-id>"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
         "aws_secret_access_key = <secret-access-key>\n"),
        ("AWS_SESSION_TOKEN='FwoGZXIvYXdzE/+='", "AWS_SESSION_TOKEN='<session-token>'"),
        ("?X-Amz-Security-Token=Fwo%2FG&X-Amz-Signature=0a1b&n=1",
         "?X-Amz-Security-Token=<security-token>&X-Amz-Signature=<amz-signature>&n=1"),
        ("DB_PASSWORD=hunter2 user=me", "DB_PASSWORD=<password> user=me"),
        ("password: hunter2,", "password: <password>,"),
        ("{'masterUserPassword': 'a b', 'n': 1}", "{'masterUserPassword': '<password>', 'n': 1}"),
        ('{"password": "a\\"b", "n": 1}', '{"password": "<password>", "n": 1}'),
        ('"{\\"api_key\\": \\"abc\\"}"', '"{\\"api_key\\": \\"<api-key>\\"}"'),
        ('{"password": "never closed', '{"password": "<password>'),
        ('{:client_secret=>"abc"}', '{:client_secret=>"<client-secret>"}'),
        ("<a:SecretKey>x&amp;y</a:SecretKey>", "<a:SecretKey><secret-key></a:SecretKey>"),
        ("<userData>\n <value>x</value>", "<userData>\n <value><user-data></value>"),
        ("Authorization: Bearer abc-def", "Authorization: Bearer <authorization>"),
        ("'authorization': 'Basic dXNlcg=='", "'authorization': 'Basic <authorization>'"),
        (f"bearer {'a' * 20}", "bearer <bearer>"),
        ("see eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl now", "see <jwt> now"),
        ("postgres://me:pa:ss@db/x", "postgres://me:<url-password>@db/x"),
        (f"sk-{'a' * 24} ghp_{'b' * 20}", "<api-key> <api-key>"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
         "a <private-key>\nb"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE and then cut", "<private-key>"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_goes(text: str, expected: str) -> None:
    """Credentials are known by their form, or by the name before them; the rest stays."""
    assert expected == shown(PLAIN.redact(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn:aws:iam::111122223333:role/on-call",
        '{"NextToken": "abc", "MaxPasswordAge": 5, "PasswordPolicy": {}}',
        "An error occurred (InvalidToken): the token is malformed",
        "secretsmanager:GetSecretValue",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "https://sts.amazonaws.com/?Action=GetCallerIdentity",
        "XAKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLE1 AKIAiosfodnn7example",
        "the password",
        "password=",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Names, error messages, certificates and page tokens are left alone."""
    assert text == PLAIN.redact(text)
    assert text.encode() == PLAIN.redact_bytes(text.encode())


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_every_spelling(name: str) -> None:
    """Each name of the list is known in text and in JSON, however it is written."""
    words = name.split()
    for spelling in (
        "_".join(words),
        "-".join(words).upper(),
        "".join(word.title() for word in words),
        f"my{''.join(words)}",
    ):
        label = name.replace(" ", "-")
        assert shown(PLAIN.redact(f"{spelling}=value")) == f"{spelling}=<{label}>"
        assert shown(PLAIN.redact_json({spelling: "value"})[spelling]) == f"<{label}>"


@given(st.text())
def test_patterns_of_the_settings_count_too(around: str) -> None:
    """What the operator's own expressions match is taken out, wherever it stands."""
    redactor = Redactor(KEY, patterns=["CUST-[0-9]{8}", "x*"])
    assert "CUST-12345678" not in redactor.redact(f"{around}CUST-12345678{around}")


def test_a_pattern_of_the_settings_goes_whole() -> None:
    """Groups in an operator's expression don't narrow what is taken out."""
    redactor = Redactor(KEY, patterns=["(CUST|USER)-([0-9]+)"])
    assert shown(redactor.redact("for CUST-12 and USER-3")) == "for <pattern> and <pattern>"


# ------------------------------------------------------------------ what is known
@given(SECRETS, st.text(), st.text())
def test_a_known_secret_is_never_left(secret: str, before: str, after: str) -> None:
    """Wherever a known value stands, as it is or encoded in a usual way, it goes."""
    redactor = Redactor(KEY, [("canary", secret)])
    encoded = base64.b64encode(secret.encode()).decode()
    for spelling in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), encoded):
        left = without_markers(redactor.redact(before + spelling + after))
        assert spelling not in left


@given(SECRETS, JSON)
def test_a_known_secret_is_never_left_in_json(secret: str, value: Any) -> None:
    """In keys and values of any document, and the document stays one."""
    redactor = Redactor(KEY, [("canary", secret)])
    document = {"a": [value, secret], f"x{secret}": f"{secret}{secret}"}
    data = redactor.redact_bytes(json.dumps(document).encode())
    parsed = json.loads(data)

    assert secret not in without_markers(json.dumps(parsed, ensure_ascii=False))
    assert json.dumps(secret)[1:-1].encode() not in MARKER.sub("\0", data.decode()).encode()
    assert parsed == redactor.redact_json(document)


@given(st.lists(SECRETS, min_size=2, max_size=4), st.data())
def test_secrets_that_overlap_leave_nothing(secrets: list[str], data: st.DataObject) -> None:
    """Where the end of one is the beginning of another, both go whole."""
    cut = data.draw(st.integers(0, 5))
    text = "".join(secret[cut if place else 0 :] for place, secret in enumerate(secrets))
    redactor = Redactor(KEY, [("canary", secret) for secret in secrets])
    left = without_markers(redactor.redact(text))

    assert all(secret not in left for secret in secrets)


@given(SECRETS, st.binary(), st.binary())
def test_bytes_that_are_no_text(secret: str, before: bytes, after: bytes) -> None:
    """A secret is found among bytes that are no UTF-8, and they come back as they were."""
    # Bytes that go on where a character of the secret ends would make another character of it.
    assume(not after or after[0] & 0xC0 != 0x80)
    redactor = Redactor(KEY, [("canary", secret)])
    data = b"\xff" + before + b"\xff" + secret.encode() + after
    redacted = redactor.redact_bytes(data)

    assert redacted.startswith(b"\xff")
    assert secret.encode() not in re.sub(rb"\[redacted:[a-z0-9-]+:[0-9a-f]{8}\]", b"\0", redacted)


def test_short_values_are_left_alone() -> None:
    """A value of a few characters would tear every text apart."""
    assert Redactor(KEY, [("pin", "12345")]).redact("12345") == "12345"


# ------------------------------------------------------------------ JSON
def test_json_is_redacted_by_name() -> None:
    """Below a secret name every text and number goes; the shape, nulls and truth values stay."""
    document = {
        "Credentials": {"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "s", "N": 1},
        "UserData": {"Value": "x", "Sizes": [1, 2.5], "More": None, "Empty": ""},
        "headers": {"Authorization": "AWS4 x", "Set-Cookie": "a=b", "Accept": "*/*"},
        "AllowUsersToChangePassword": True,
    }
    expected = {
        "Credentials": {"AccessKeyId": "<access-key-id>", "SecretAccessKey": "<secret-access-key>",
                        "N": 1},
        "UserData": {"Value": "<user-data>", "Sizes": ["<user-data>"] * 2, "More": None,
                     "Empty": ""},
        "headers": {"Authorization": "<authorization>", "Set-Cookie": "<cookie>", "Accept": "*/*"},
        "AllowUsersToChangePassword": True,
    }  # fmt: skip

    assert expected == json.loads(shown(json.dumps(PLAIN.redact_json(document))))


@pytest.mark.parametrize(
    ("pair", "taken"),
    [
        ({"name": "DB_PASSWORD", "value": "x"}, "password"),
        ({"Key": "api-key", "Value": "x"}, "api-key"),
        ({"Name": "/prod/db/password", "Type": "String", "Value": "x"}, "password"),
        ({"Name": "/prod/db/host", "Type": "SecureString", "Value": "x"}, "secure-string"),
    ],
)
def test_pairs_of_name_and_value(pair: dict[str, str], taken: str) -> None:
    """Environment variables, tags and parameters are known by the name beside their value."""
    redacted = PLAIN.redact_json([pair])[0]
    (key,) = [key for key in pair if key.lower() == "value"]

    assert {**pair, key: f"<{taken}>"} == {**redacted, key: shown(redacted[key])}


@given(JSON)
def test_harmless_json_stays(value: Any) -> None:
    """A document without secrets comes back byte for byte, with its spaces and order."""
    data = json.dumps({"Name": value}, indent=3).encode()
    assume(not MARKER.search(json.dumps(PLAIN.redact_json(value))))

    assert data == PLAIN.redact_bytes(data)


def test_a_key_that_stands_twice_hides_nothing() -> None:
    """Parsing would keep only the second value; the first goes all the same."""
    data = b'{"a": "AKIAIOSFODNN7EXAMPLE", "a": 1}'
    assert shown(PLAIN.redact_bytes(data).decode()) == '{"a": "<access-key-id>", "a": 1}'


@pytest.mark.parametrize("depth", [MOST_DEPTH + 1, 500, 100_000])
def test_deep_json_is_no_hiding_place(depth: int) -> None:
    """What is nested too deep to look at is searched as text, or goes whole."""
    data = b"[" * depth + b'"AKIAIOSFODNN7EXAMPLE"' + b"]" * depth
    assert b"AKIAIOSFODNN7EXAMPLE" not in PLAIN.redact_bytes(data)


# ------------------------------------------------------------------ the replacement
def test_equal_secrets_can_be_recognised() -> None:
    """The same secret has the same tag, another secret or another key another one."""
    other = Redactor(b"o" * 32)
    tags = [
        PLAIN.redact("password=one"),
        PLAIN.redact_json({"password": "one"})["password"],
        PLAIN.redact("password=two"),
        other.redact("password=one"),
    ]

    assert tags[0] == f"password={tags[1]}"
    assert len(set(tags)) == 4


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "<Password>hunter2</Password>",
        "postgres://me:hunter2@db/x",
        "Authorization: Bearer hunter2",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
    ],
)
def test_a_replacement_is_not_replaced(text: str) -> None:
    """Redacting twice gives what redacting once gave."""
    once = PLAIN.redact(text)
    assert MARKER.search(once)
    assert once == PLAIN.redact(once)
    assert once.encode() == PLAIN.redact_bytes(once.encode())


def test_replacements_in_json_are_not_replaced() -> None:
    """A document that was redacted comes back byte for byte the second time."""
    once = PLAIN.redact_bytes(b'{"UserData": {"Value": "hunter2"}, "key": "AKIAIOSFODNN7EXAMPLE"}')
    assert MARKER.search(once.decode())
    assert once == PLAIN.redact_bytes(once)


def test_labels_are_plain() -> None:
    """Whatever a known secret is called, the replacement keeps its form."""
    redactor = Redactor(KEY, [("The key]: of " + "x" * 100, "canary-canary")])
    assert MARKER.fullmatch(redactor.redact("canary-canary"))


def test_a_short_key_is_refused() -> None:
    """With a key that can be guessed the tags would give weak secrets away."""
    with pytest.raises(ValueError, match="protects nothing"):
        Redactor(b"short")


# ------------------------------------------------------------------ what is learned on the way
def test_what_was_learned_goes_everywhere() -> None:
    """A secret that an AWS call held is taken out of text, JSON and base64 from then on."""
    redactor = Redactor(KEY)
    before = redactor.redact("the word is swordfish")
    redactor.learn(["swordfish", "tiny", ""])

    assert before == "the word is swordfish"
    assert shown(redactor.redact("the word is swordfish, tiny")) == "the word is <sensitive>, tiny"
    assert (
        shown(redactor.redact_bytes(b'{"a": ["swordfish"]}').decode()) == '{"a": ["<sensitive>"]}'
    )
    coded = base64.b64encode(b"swordfish").decode()
    assert shown(redactor.redact(coded)) == "<sensitive>"


def test_learned_secrets_are_recognised_like_known_ones() -> None:
    """The tag says that two places held the same secret, however each was found."""
    redactor = Redactor(KEY)
    redactor.learn(["swordfish"])
    learned = redactor.redact("swordfish")
    named = redactor.redact_json({"password": "swordfish"})["password"]

    assert learned.rpartition(":")[2] == named.rpartition(":")[2]
    assert redactor.redact(learned) == learned


@given(st.lists(SECRETS, min_size=1, max_size=5), st.data())
def test_many_are_found_like_few(secrets: list[str], data: st.DataObject) -> None:
    """With more secrets than are looked for one by one, exactly the same is taken out."""
    few, many = Redactor(KEY), Redactor(KEY)
    few.learn(secrets)
    many.learn([*secrets, *(f"another\0{number:05}" for number in range(FEW))])
    pieces = data.draw(st.lists(st.sampled_from([*secrets, "and", "\n", secrets[0][:4]])))
    text = "".join(pieces)

    assert few.redact(text) == many.redact(text)


def test_the_values_that_replacements_are_made_of_stay() -> None:
    """Whatever is learned, what is left behind keeps its form and is not replaced again."""
    redactor = Redactor(KEY)
    redactor.learn(["[redacted:sensitive:", "sensitive", "redacted", "swordfish"])
    once = redactor.redact("swordfish")

    assert MARKER.fullmatch(once)
    assert redactor.redact(once) == once


def test_the_oldest_are_forgotten_first() -> None:
    """What is learned is bounded; what was known from the start is never forgotten."""
    redactor = Redactor(KEY, [("canary", "swordfish")])
    redactor.learn(["an-old-secret"])
    redactor.learn(f"secret-{number:06}" for number in range(MOST_LEARNED))
    newest = f"secret-{MOST_LEARNED - 1:06}"

    assert shown(redactor.redact(f"swordfish an-old-secret {newest}")) == (
        "<canary> an-old-secret <sensitive>"
    )


def test_learning_while_others_redact() -> None:
    """Threads may learn and redact at once; whoever learned first finds it gone."""
    redactor = Redactor(KEY)

    def learn_and_look(number: int) -> bool:
        redactor.learn([f"secret-{number}"])
        return f"secret-{number}" in without_markers(redactor.redact(f"a secret-{number} b"))

    with ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(learn_and_look, range(FEW)))
