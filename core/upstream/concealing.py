"""The upstream that hands on no credentials: around the one that asks AWS, or answers like it.

An answer that can't be handed on is replaced by an error that says so: the call was made, and that
is what is recorded. It also tells which texts of call and answer are secret by their shape
(`Response.sensitive`), so that whoever records the call can take them out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sandbox.gateway.deny import DENIED, S3, error
from sandbox.gateway.documents import read_document
from sandbox.gateway.sensitive import sensitive_parameters, sensitive_values
from sandbox.gateway.shapes import answer_of
from sandbox.gateway.vault import PLACEHOLDER, Vault
from sandbox.job import AwsCall, Response, Upstream

WITHHELD_CODE = "AnswerWithheld"
"""What a script's client gets as the code of the error."""

_OK, _FORBIDDEN = 200, 403


class Concealing:
    """Swaps or withholds the credentials in answers; threads may share it."""

    def __init__(self, upstream: Upstream, vault: Vault) -> None:
        """`upstream` must send in the name of the principals that `vault` has credentials of."""
        self._upstream = upstream
        self._vault = vault

    def send(self, call: AwsCall) -> Response:
        """Return the answer without credentials; raises ValueError when nothing was sent."""
        self._vault.check(call)
        told = sensitive_parameters(call)
        response = self._upstream.send(call)
        try:
            concealed = self._vault.conceal(call, response, partial(self._identity, call.region))
            told = sensitive_values(call, concealed)
        except ValueError as problem:
            concealed = _withheld(call, response, str(problem))
        secret = (text for text in (*response.sensitive, *told) if not text.startswith(PLACEHOLDER))
        return replace(concealed, sensitive=tuple(dict.fromkeys(secret)))

    def _identity(self, region: str, principal: str) -> str:
        """Ask whose credentials these are; raises ValueError when the answer does not say."""
        call = AwsCall("sts", "GetCallerIdentity", region, {}, principal)
        response = self._upstream.send(call)
        if response.status == _OK:
            for structure in read_document("query", response.body).structures():
                for text in structure:
                    if text.name == "arn":
                        return text.value
        raise ValueError("AWS did not say whose credentials it gave")


def _withheld(call: AwsCall, response: Response, why: str) -> Response:
    """Return what a script gets instead of an answer, which is let go."""
    close = getattr(response.stream, "close", None)
    if close is not None:
        close()
    dialect = S3 if call.service == "s3" else answer_of(call.service, call.operation).protocol
    told = f"the call was made, but its answer ({response.status}) is withheld: {why}"
    instead = error(dialect, _FORBIDDEN, WITHHELD_CODE, told)
    ids = {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() in ("x-amzn-requestid", "x-amz-request-id")
    }
    headers = {**instead.headers, **ids, DENIED: "1"}
    return replace(response, status=_FORBIDDEN, headers=headers, body=instead.body, stream=None)
