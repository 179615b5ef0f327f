"""The gateway's judge: may this AWS call go out under the approved policy?

`authorizer` binds a policy and its surroundings once; what it returns does no I/O and never raises,
since everything that could go wrong (a table that can't be read, a policy that can't be understood)
has been settled when it returns. In this order a call must

1. be made by the operator, or by an identity of the same partition that this run got keys of,
2. be in an approved region, whatever the policy says; a service that has one region for the whole
   partition (IAM, Route 53, CloudFront, Organizations) is in that one; a change must not name
   another region to copy from or to, either,
3. not be one that is never allowed (tier 5),
4. be within the ceiling of the run,
5. be allowed by the policy on every resource that it names, and so must whatever AWS would check
   along with it (`iam:PassRole` for a role in the parameters, `logs:Unmask`),
6. not be more dangerous than the policy was rated: a wildcard can match what the table of actions
   does not know, and nobody has approved that.

Conditions are judged with the keys that are certain here (`core.iam.context`); every other key
counts as unknown. What AWS itself denies (boundaries, organisation and resource policies) stays
its business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.iam.actions import CHANGE, DURABLE, NEVER, lookup
from core.iam.conditions import OTHER_KEYS, UNKNOWN, lowered
from core.iam.context import context_of
from core.iam.document import Document, parse
from core.iam.evaluate import Ruling, decide
from core.iam.regions import regions_in
from core.iam.resources import Need, Place, needs
from core.iam.table import load_table
from core.iam.tiers import tier_of_policy
from sandbox.job import OPERATOR, AwsCall, Json, Tier, Verdict

_IDENTITY = re.compile(r"arn:(?P<partition>[\w-]+):(?:iam|sts)::(?P<account>\d{12}):.+", re.ASCII)
_NOTHING: Mapping[str, Any] = {OTHER_KEYS: UNKNOWN}
_TIMES = ("aws:currenttime", "aws:epochtime")


def authorizer(
    policy: Json, *, account: str, partition: str, regions: tuple[str, ...], ceiling: Tier
) -> Judge:
    """Return the judge of one run; it never raises, and denies what it can't understand.

    Raises MachineUnfit, here and not later, when the action table can't be read.
    """
    document = parse(policy)
    text = json.dumps(policy, default=str).lower()
    return Judge(
        document=document,
        rated=tier_of_policy(policy)[0],
        account=account,
        partition=partition,
        regions=regions,
        everywhere=load_table().everywhere.get(partition, {}),
        ceiling=ceiling,
        asks="${" in text or any(one.condition for one in document.statements),
        asks_time=any(key in text for key in _TIMES),
    )


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the calls of one run: an `Authorize`."""

    document: Document
    rated: Tier
    """The tier that the policy was shown with to whoever approved it."""
    account: str
    partition: str
    regions: tuple[str, ...]
    everywhere: Mapping[str, str]
    """Service to the one region of the partition that it is called in."""
    ceiling: Tier
    asks: bool
    """Whether anything in the policy depends on the call's context."""
    asks_time: bool

    def __call__(self, call: AwsCall) -> Verdict:
        action = lookup(call.service, call.operation)
        place = self._place(call)
        if place is None:
            reason = f"{call.principal} is not an identity of this partition ({self.partition})"
            return Verdict(False, reason, action.tier, action.name, action.tier >= DURABLE)
        needed = needs(action, call.parameters, place)
        tier = max(need.action.tier for need in needed)
        refusal = self._refused(call, needed)
        ruling = Ruling(allowed=False, reason=refusal) if refusal else self._rule(call, needed)
        other = "" if call.principal == OPERATOR else f", in the name of {call.principal}"
        return Verdict(
            allowed=ruling.allowed,
            reason=ruling.reason + other,
            tier=tier,
            action=needed[0].action.name,
            durable_first=tier >= DURABLE,
        )

    def tier(self, call: AwsCall) -> Tier:
        """Return the tier of a call, whatever the policy says of it."""
        action = lookup(call.service, call.operation)
        place = self._place(call)
        needed = () if place is None else needs(action, call.parameters, place)
        return max((need.action.tier for need in needed), default=action.tier)

    def _place(self, call: AwsCall) -> Place | None:
        """Where a call goes: into the account of whoever makes it."""
        if call.principal == OPERATOR:
            return Place(self.partition, call.region, self.account)
        found = _IDENTITY.fullmatch(call.principal)
        if found is None or found["partition"] != self.partition:
            return None
        return Place(self.partition, call.region, found["account"])

    def _refused(self, call: AwsCall, needed: tuple[Need, ...]) -> str:
        """The reason why no policy could allow this call in this run, or nothing."""
        if call.region not in self.regions and (
            not self.regions or self.everywhere.get(call.service) != call.region
        ):
            return f"{call.region} is not one of {self._approved()}"
        if any(need.action.tier >= CHANGE for need in needed):
            for region in regions_in(call.parameters):
                if region not in self.regions:
                    return f"it reaches {region}, which is not one of {self._approved()}"
        for action in (need.action for need in needed):
            if action.tier == NEVER:
                return f"{action.name} is never allowed, by no approval ({action.reason})"
            if action.tier > self.ceiling:
                return (
                    f"{action.name} is tier {action.tier} ({action.reason}), "
                    f"above this run's ceiling of {self.ceiling}"
                )
        return ""

    def _approved(self) -> str:
        return f"the approved regions ({', '.join(self.regions) or 'none'})"

    def _rule(self, call: AwsCall, needed: tuple[Need, ...]) -> Ruling:
        """The first ruling that denies, otherwise that of the call's own action."""
        context = self._context(call) if self.asks else _NOTHING
        first: Ruling | None = None
        for need in needed:
            ruling = self._rule_on(need, context)
            if not ruling.allowed:
                return ruling
            first = first or ruling
        return first or Ruling(allowed=False, reason="the call needs nothing that could be allowed")

    def _context(self, call: AwsCall) -> Mapping[str, Any]:
        now = datetime.now(UTC) if self.asks_time else None
        return lowered(context_of(call, call.region, self.account, now))

    def _rule_on(self, need: Need, context: Mapping[str, Any]) -> Ruling:
        """Rule over every resource; each may be spelled in several ways, of which one must do."""
        if need.action.free:
            return Ruling(allowed=True, reason=f"{need.action.name} needs no permission")
        first: Ruling | None = None
        for spellings in need.resources:
            ruling = decide(self.document, need.action.name, spellings, context)
            if not ruling.allowed:
                return ruling
            first = first or ruling
        if need.action.tier > self.rated:
            return Ruling(
                allowed=False,
                reason=f"only a wildcard allows {need.action.name}, which is tier "
                f"{need.action.tier} ({need.action.reason}), and the policy was approved as tier "
                f"{self.rated}; name the action",
            )
        return first or Ruling(allowed=False, reason=f"{need.action.name} names no resource")
