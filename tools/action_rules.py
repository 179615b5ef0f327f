"""How dangerous an action is, by its name and the level that AWS gives it; see docs/iam.md.

The level is the floor, names only raise it: what is called like a secret can return one, what does
not begin with a verb of reading may do more than read, what AWS marks as sensitive in an answer is
no metadata. What was reviewed by hand (`tools/actions.json`) stands above all of this.
"""

from __future__ import annotations

import re
from itertools import pairwise

from botocore.model import Shape

from sandbox.gateway.sensitive import ENVIRONMENTS


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


READS = ("List", "Read")
_VERBS = _set(
    "Describe List Get Head BatchGet BatchDescribe BatchCheck Search Lookup Query Scan Check View "
    "Is Has Count Preview Validate Verify Estimate Simulate Compare Discover Evaluate Filter Find "
    "Select Read Resolve Retrieve Test Lint Calculate Summarize"
)
"""The only verbs that an action of level Read or List may have to stay below tier 3."""
_CHANGES = _set(
    "Accept Activate Add Allocate Apply Approve Assign Associate Attach Authorize Cancel Claim "
    "Complete Configure Confirm Connect Copy Create Deactivate Delete Deliver Deploy Deregister "
    "Detach Disable Disassociate Enable Execute Import Initiate Insert Install Link Merge Modify "
    "Move Notify Post Promote Provision Publish Purchase Push Put Reboot Register Reject Release "
    "Remove Replace Request Reset Restart Restore Resume Revoke Rotate Run Schedule Send Set Share "
    "Start Stop Submit Subscribe Suspend Sync Tag Terminate Transfer Undeploy Unlink Unsubscribe "
    "Untag Update Upgrade Upload Write"
)
_SECRETS = _set(
    "secret secrets password passwords passphrase token tokens credential credentials presigned "
    "signed decrypt unmask login jwt otp"
)
_SECRET_PAIRS = _set(
    "privatekey accesskey accesskeys apikey apikeys sessionkey datakey authcode sharedkey "
    "connectionstring kubeconfig downloadurl uploadurl"
)
_CONTENT = _set(
    "content contents record records item items message messages result results log logs object "
    "document file files download export body payload transcript sample samples data input output "
    "execution executions history template environment query queries"
)
_METADATA = _set(
    "status tags policy policies location summary quota quotas limits attributes versioning count "
    "arn id permissions"
)
_TELLING = {*ENVIRONMENTS, "userdata", "containerenvironmentvariables"} - {"variables"}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")
_IDENTITY = ("iam", "sso", "sso-directory", "identitystore")

SIDE_EFFECT = "may have side effects, though AWS calls it a read"
Rated = tuple[int, str]
"""A tier, and why; empty: as the tier says."""


def level_of(written: str) -> str:
    """Return the one level that counts of what AWS writes, such as "Tagging, Write"."""
    return written.partition(",")[0]


def rate(prefix: str, name: str, level: str, *, tells: bool = False) -> Rated:
    """Return how dangerous an action is that nobody has looked at.

    `tells` says that `tells_content` holds for its answer.
    """
    if level not in READS:
        return _rate_change(prefix, level)
    words = [word.lower() for word in _WORDS.findall(name)]
    by_answer = (2, "returns what may be confidential") if tells else (1, "")
    by_name = _by_verb(name), _by_words(words), _by_service(prefix)
    return max(*by_name, by_answer, key=lambda rated: rated[0])


def tells_content(shape: Shape | None) -> bool:
    """Return whether an answer holds what AWS marks as sensitive, or environments or user data.

    Pages' tokens don't count: some services mark those too.
    """
    waiting: list[tuple[str, Shape]] = [] if shape is None else [("", shape)]
    seen: set[str] = set()
    while waiting:
        name, one = waiting.pop()
        plain = name.replace("_", "").lower()
        if plain.endswith("nexttoken"):
            continue
        text = one.type_name in ("list", "map", "structure", "string", "blob")
        if text and (one.metadata.get("sensitive") or plain in _TELLING):
            return True
        if one.name in seen:
            continue
        seen.add(one.name)
        waiting += [(inner, each) for inner, each in getattr(one, "members", {}).items()]
        inside = (getattr(one, inner, None) for inner in ("member", "value"))
        waiting += [("", inner) for inner in inside if inner is not None]
    return False


def _rate_change(prefix: str, level: str) -> Rated:
    if prefix == "organizations":
        return 5, "reaches the whole organisation"
    if prefix == "account":
        return 5, "reaches the root of the account"
    if prefix in _IDENTITY and level == "Permissions management":
        return 5, "changes who may do what in the whole account"
    return 4, ""


def _by_verb(name: str) -> Rated:
    words = _WORDS.findall(name)
    verb = "".join(words[:2]) if words[0] == "Batch" and len(words) > 1 else words[0]
    if verb in _CHANGES or verb.removeprefix("Batch") in _CHANGES:
        return 4, SIDE_EFFECT
    if verb not in _VERBS:
        return 3, SIDE_EFFECT
    metadata = verb in ("Describe", "List", "Head") or words[-1].lower() in _METADATA
    return (1 if metadata else 2), ""


def _by_words(words: list[str]) -> Rated:
    pairs = {first + second for first, second in pairwise(words)}
    if _SECRETS & set(words) or _SECRET_PAIRS & pairs:
        return 3, "is called like what returns secrets"
    # "List" and "Describe" name what there is; only what else reads is taken to return it.
    content = words[0] not in ("list", "describe") and _CONTENT & set(words)
    return (2, "") if content else (1, "")


def _by_service(prefix: str) -> Rated:
    return (2, "is billed by the request") if prefix == "ce" else (1, "")
