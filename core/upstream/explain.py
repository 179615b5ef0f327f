"""Says in a sentence why nobody can tell who we are in AWS, and what to type about it.

What botocore says is not passed on where it quotes others: the words of a `credential_process`, or
of a server, may hold what must not be shown.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    ConnectionError,  # noqa: A004  botocore's own, which is another than Python's
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.session import Session

from core.credentials import Order
from core.upstream.clock import clock_offset, skew_told

_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN_KEYS = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch")
_MOST_NAMES = 8


class Unknown(Exception):
    """Nobody can tell who we are: one sentence, and the way out."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint

    @classmethod
    def no_credentials(cls, session: Session) -> Unknown:
        """Return that the chain found nothing."""
        if path := _unreadable(session):
            return cls(f"{path} can't be read", "make it a file that you may read")
        return cls(f"there are no credentials in {_named(session)}", _choose(session))


def explained(error: Exception, session: Session, order: Order) -> tuple[str, str]:
    """Return the reason and the hint for what looking for credentials raised."""
    match error:
        case ProfileNotFound():
            if path := _unreadable(session):
                return f"{path} can't be read", "make it a file that you may read"
            return f"there is no profile {_profile(session)!r} here", _nearest(session)
        case SSOError() | TokenRetrievalError():
            name = shlex.quote(_sso_profile(session))
            return (
                f"the SSO session of {_named(session)} has expired or was never begun",
                f"aws sso login --profile {name}",
            )
        case LoginError():
            name = shlex.quote(_profile(session))
            return f"the login of {_named(session)} has expired", f"aws login --profile {name}"
        case NoCredentialsError() | PartialCredentialsError():
            return f"the credentials of {_named(session)} are not complete", _choose(session)
        case EOFError():
            return (
                f"{_named(session)} wants an MFA code, which can't be asked for here",
                (
                    f'eval "$(aws configure export-credentials --format env{_flag(session)})"\n'
                    "asks for it; then go on without --profile"
                ),
            )
        case ClientError():
            return _answered(error, session, order)
        case _:
            return _failed(error, session)


def _answered(error: Any, session: Session, order: Order) -> tuple[str, str]:
    """Return what to say of an error that AWS answered with."""
    code = error.response["Error"].get("Code", "")
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if told := skew_told(clock_offset(headers)):
        return told, "set the clock: timedatectl set-ntp true"
    if code in _EXPIRED:
        return f"the credentials of {_named(session)} have expired", _renew(session)
    if code in _UNKNOWN_KEYS:
        return f"AWS does not know the keys of {_named(session)} ({code})", _choose(session)
    if error.operation_name == "AssumeRole" and order.role:
        return (
            f"{order.role} can't be assumed with {_named(session)} ({code})",
            "does its trust policy name the profile's identity, and is aws.role the right one?",
        )
    return (
        f"AWS answered {error.operation_name} with {code} for {_named(session)}",
        f"aws sts get-caller-identity{_flag(session)}",
    )


def _failed(error: Exception, session: Session) -> tuple[str, str]:
    """Return what to say of what is no answer of AWS."""
    tried = f"aws configure export-credentials{_flag(session)} >/dev/null"
    match error:
        case ProxyConnectionError():
            return "the proxy for AWS can't be reached", "is HTTPS_PROXY right?"
        case SSLError():
            return (
                "AWS's TLS certificate is signed by an authority that is not trusted here",
                "behind a proxy that reads TLS, name its authorities in AWS_CA_BUNDLE",
            )
        case ConnectionError() | HTTPClientError():
            return (
                "AWS can't be reached to ask whose the credentials are",
                "is the network up? behind a proxy, HTTPS_PROXY must name it",
            )
        case InvalidRegionError():
            return (
                f"the region that {_named(session)} or AWS_REGION names can't be one",
                "correct it, or name one with --region NAME",
            )
        case ConfigParseError():
            path = error.kwargs["path"]
            return f"{path} is not a configuration file of AWS", f"correct it; see why: {tried}"
        case CredentialRetrievalError():
            provider = error.kwargs["provider"]
            return (
                f"the credentials of {_named(session)} could not be had ({provider})",
                f"see why: {tried}",
            )
        case _:
            kind = type(error).__name__
            return f"the credentials of {_named(session)} can't be used ({kind})", tried


# ------------------------------------------------------------------ profiles
def _unreadable(session: Session) -> str:
    """Return the configuration file that is there and can't be read; botocore passes over it."""
    for name in ("config_file", "credentials_file"):
        path = Path(os.path.expanduser(session.get_config_variable(name)))  # noqa: PTH111 (no error)
        if os.access(path, os.F_OK) and not (os.access(path, os.R_OK) and path.is_file()):
            return str(path)
    return ""


def _profile(session: Session) -> str:
    return str(session.profile or "default")


def _named(session: Session) -> str:
    return f"profile {_profile(session)!r}"


def _flag(session: Session) -> str:
    return f" --profile {shlex.quote(session.profile)}" if session.profile else ""


def _profiles(session: Session) -> Mapping[str, Any]:
    found: Mapping[str, Any] = session.full_config.get("profiles", {})
    return found


def _nearest(session: Session) -> str:
    names = sorted(_profiles(session))
    near = get_close_matches(_profile(session), names, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are: {', '.join(names[:_MOST_NAMES])}" if names else "aws configure sso"


def _choose(session: Session) -> str:
    names = ", ".join(sorted(_profiles(session))[:_MOST_NAMES])
    if not names:
        return "set a profile up, and name it with --profile NAME: aws configure sso"
    return f"name a profile with --profile NAME (there are: {names})"


def _renew(session: Session) -> str:
    credentials = session.get_credentials()
    method = getattr(credentials, "method", "")
    if method == "env":
        return "put new ones into AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
    if "sso" in method or _sso_profile(session) != _profile(session):
        return f"aws sso login --profile {shlex.quote(_sso_profile(session))}"
    return f"renew them as they were made, then: aws sts get-caller-identity{_flag(session)}"


def _sso_profile(session: Session) -> str:
    """Return the profile that SSO is set up in: this one, or one that its role stands on."""
    profiles, name = _profiles(session), _profile(session)
    seen: list[str] = []
    while name in profiles and name not in seen:
        seen.append(name)
        if {"sso_session", "sso_start_url"} & profiles[name].keys():
            return name
        name = profiles[name].get("source_profile", "")
    return _profile(session)
