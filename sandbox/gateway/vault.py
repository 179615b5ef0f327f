"""Where the credentials inside answers stay: the script gets handles, the gateway keeps the keys.

Credentials that sign requests (sts.AssumeRole and some thirty operations more) become dummy ones:
the dummy access key id is a handle, by which later requests are judged and sent in the name of the
identity that the real ones belong to. That name is the ARN which the answer gives, or which AWS
gives when it is asked with them (sts.GetCallerIdentity): never a guess. Nothing is signed with what
stands in content, such as the values of a map, which a script could have written itself: that only
loses its secret.

Other credentials that AWS issues (`WITHHELD`: tokens, passwords, private keys) are of no use to a
script that reaches nothing but this gateway; a sentence stands in their place.

A vault is for one run: a handle of one run means nothing in another, whose policy did not allow it.
Of one identity it knows the credentials that were issued last. What can't be rewritten (CBOR, an
answer that is not what the model says) is refused; real credentials are never handed on.
docs/secrets.md lists what is swapped and what is withheld.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html import escape
from json import dumps
from threading import Lock

from sandbox.gateway.documents import Document, Structure, read_document
from sandbox.gateway.shapes import KEY_ID, SECRET_KEYS, SESSION_TOKEN, Answer, answer_of
from sandbox.gateway.withheld import WITHHELD
from sandbox.job import AwsCall, Credentials, Response

PLACEHOLDER = "countersign-withholds-this"
"""What a script reads where a secret was; also readable as base64, which some members are."""
MOST_HANDLES = 1000
"""Credentials that one run may be given."""

SAME_IDENTITY = ("s3.CreateSession", "sts.GetSessionToken")
"""Their credentials belong to the one who asks, so calls under the handle go out in that name."""
NAMED = (
    "sts.AssumeRole",
    "sts.AssumeRoleWithSAML",
    "sts.AssumeRoleWithWebIdentity",
    "sts.GetFederationToken",
)
"""Their answers hold one ARN: that of the identity."""

Whose = Callable[[str], str]
"""Returns the ARN behind the credentials that a vault knows by a provisional principal."""

_ARN = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:[\x21-\x7e]{1,512}", re.ASCII)
_SIGNS = (
    re.compile(rb"secret(?:access)?key", re.IGNORECASE),
    re.compile(KEY_ID.encode(), re.IGNORECASE),
)
_PROVISIONAL = "unidentified:"
_SHORTEST_CHECKED = 8
MADE_FOR_THE_OLD_BODY = ("content-length", "content-md5", "x-amz-crc32")
"""Headers that are wrong once the body of an answer is another."""
_TRIES = 10


def new_handle() -> str:
    """Return a dummy access key id as temporary credentials have one; it opens nothing anywhere."""
    return f"ASIACOUNTERSIGN{secrets.token_hex(3).upper()[:5]}"


class Vault:
    """The credentials that one run was given, and never sees; threads may share it."""

    def __init__(self, handles: Callable[[], str] = new_handle) -> None:
        """`handles` makes access key ids; it is asked again when one is taken."""
        self._handles = handles
        self._lock = Lock()
        self._principals: dict[str, str] = {}
        self._credentials: dict[str, Credentials] = {}

    def principal_of(self, access_key: str) -> str | None:
        """Return in whose name requests under a handle are made; None when it is not one."""
        with self._lock:
            return self._principals.get(access_key)

    def credentials_of(self, principal: str) -> Credentials:
        """Return what signs in the name of `principal`; raises ValueError when there is nothing."""
        with self._lock:
            if principal not in self._credentials:
                raise ValueError(f"this run holds no credentials of {principal}")
            return self._credentials[principal]

    def check(self, call: AwsCall) -> None:
        """Raise ValueError for a call whose answer could not be handed over: do not send it."""
        answer = answer_of(call.service, call.operation)
        if answer.protocol == "smithy-rpc-v2-cbor" and _expected(call, answer):
            raise ValueError(f"{_said(call)} answers with credentials in CBOR")
        if answer.signs and len(self._principals) >= MOST_HANDLES:
            raise ValueError(f"this run was given credentials {MOST_HANDLES} times")

    def conceal(self, call: AwsCall, response: Response, whose: Whose) -> Response:
        """Return the answer to `call` without its credentials; raises ValueError if it can't be.

        `whose` is called while the answer waits, where it does not say itself whose they are.
        """
        answer = answer_of(call.service, call.operation)
        expected = _expected(call, answer)
        if not 200 <= response.status < 300 or not answer.document:  # noqa: PLR2004  HTTP's success
            return response
        if not expected and not all(each.search(response.body) for each in _SIGNS):
            return response
        if response.stream is not None:
            raise ValueError(f"the answer of {_said(call)} is too large to be looked at")
        if not response.body:
            return response
        return self._rewritten(call, answer, response, whose)

    def _rewritten(
        self, call: AwsCall, answer: Answer, response: Response, whose: Whose
    ) -> Response:
        try:
            document = read_document(answer.protocol, response.body)
        except ValueError as error:
            raise ValueError(f"{_said(call)} may hold credentials; {error}") from error
        taken = list(self._taken(call, answer, document, whose))
        if not taken:
            return response
        headers = {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in MADE_FOR_THE_OLD_BODY
        }
        concealed = replace(response, headers=headers, body=document.to_bytes())
        _check_gone(call, taken, concealed)
        return concealed

    def _taken(
        self, call: AwsCall, answer: Answer, document: Document, whose: Whose
    ) -> Iterator[str]:
        """Take the secrets out of a document; yield each."""
        withheld = [name.lower() for name in WITHHELD.get(_said(call), ())]
        for structure in list(document.structures()):
            for text in structure:
                if text.name in withheld and text.value:
                    text.write(PLACEHOLDER)
                    yield text.value
            if (found := _signing(structure)) and found[1].name not in withheld:
                if answer.signs:
                    self._swap(call, document, found, whose)
                else:
                    for text in found[1:]:
                        text.write(PLACEHOLDER)
                yield from (text.value for text in found[1:])

    def _swap(self, call: AwsCall, document: Document, found: Structure, whose: Whose) -> None:
        key, secret, *token = found
        real = Credentials(key.value, secret.value, token[0].value if token else "")
        handle = self._new_handle()
        if _said(call) in SAME_IDENTITY:
            self._keep(handle, call.principal, None)
        else:
            self._keep(handle, self._identity(call, document, real, handle, whose), real)
        key.write(handle)
        secret.write(f"{PLACEHOLDER}-{handle}")
        if token:
            token[0].write(f"{PLACEHOLDER}-{handle}")

    def _identity(
        self, call: AwsCall, document: Document, real: Credentials, handle: str, whose: Whose
    ) -> str:
        if _said(call) in NAMED:
            arns = [
                text.value
                for structure in document.structures()
                for text in structure
                if text.name == "arn"
            ]
            arn = arns[0] if len(arns) == 1 else ""
        else:
            arn = self._asked(real, handle, whose)
        if _ARN.fullmatch(arn) is None:
            raise ValueError(f"whose credentials {_said(call)} gave can't be told")
        return arn

    def _asked(self, real: Credentials, handle: str, whose: Whose) -> str:
        principal = _PROVISIONAL + handle
        with self._lock:
            self._credentials[principal] = real
        try:
            return whose(principal)
        finally:
            with self._lock:
                del self._credentials[principal]

    def _new_handle(self) -> str:
        with self._lock:
            for _ in range(_TRIES):
                handle = self._handles()
                if handle not in self._principals:
                    return handle
        raise ValueError("no new handle could be made")

    def _keep(self, handle: str, principal: str, real: Credentials | None) -> None:
        with self._lock:
            self._principals[handle] = principal
            if real is not None:
                self._credentials[principal] = real


def _said(call: AwsCall) -> str:
    return f"{call.service}.{call.operation}"


def _expected(call: AwsCall, answer: Answer) -> bool:
    return answer.signs or _said(call) in WITHHELD


def _signing(structure: Structure) -> Structure:
    """Return the texts that sign requests: key id, secret and, where there is one, the token."""
    named = {text.name: text for text in structure}
    secret = next((named[name] for name in SECRET_KEYS if name in named), None)
    if secret is None or KEY_ID not in named:
        return []
    token = named.get(SESSION_TOKEN)
    return [named[KEY_ID], secret] if token is None else [named[KEY_ID], secret, token]


def _check_gone(call: AwsCall, taken: Sequence[str], response: Response) -> None:
    """Raise ValueError if a secret is in the answer a second time, under another name."""
    headers = " ".join(response.headers.values()).encode("utf-8", "replace")
    for secret in taken:
        spellings = {secret, escape(secret), escape(secret, quote=False), dumps(secret)[1:-1]}
        if len(secret) >= _SHORTEST_CHECKED and any(
            spelling.encode() in response.body or spelling.encode() in headers
            for spelling in spellings
        ):
            raise ValueError(f"{_said(call)} answers with its secrets in other places too")
