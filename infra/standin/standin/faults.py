"""Faults: which calls go wrong, when, and how.

Rules are tried in order; the first that fires takes the call, and later ones do not see it. A rule for
one of the EBS direct APIs is handed to ebs-standin, which serves those calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from .description import DescriptionError, parse
from .wire import Call

EBS_ACTIONS = {"ListSnapshotBlocks", "ListChangedBlocks", "GetSnapshotBlock"}
_STATUS = {
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
    "UnauthorizedOperation": 403,
    "AccessDenied": 403,
    "ExpiredToken": 403,
}
_MESSAGE = {
    "RequestLimitExceeded": "Request limit exceeded.",
    "UnauthorizedOperation": "You are not authorized to perform this operation.",
    "ExpiredToken": "The security token included in the request is expired",
    "RequestExpired": "Request has expired.",
    "InternalError": "An internal error has occurred",
}


@dataclass
class Fault:
    """`[[fault]]`: the calls (`action`, `resource`, `tag`, `principal`), which of them, and one effect."""

    action: str
    resource: str = ""
    tag: dict[str, str] = field(default_factory=dict)
    principal: str = ""
    region: str = ""
    # Which of the calls that match: all, or
    first: int | None = None
    after: int | None = None
    every: int | None = None
    first_per_block: int | None = None
    # What happens to them: one of
    error: str = ""
    delay_ms: int = 0
    drop: Literal["", "before", "after"] = ""
    snapshot: Literal["", "error", "vanish", "stuck"] = ""
    terminate: Literal["", "before", "after"] = ""
    # A volume that is detached before the call; with `back`, attached again after it.
    detach: str = ""
    back: bool = False
    # A volume that is attached to the instance of the call before the call.
    attach: str = ""
    ebs: str = ""
    # Beside `error`, where the usual ones are not meant.
    status: int = 0
    message: str = ""

    def __post_init__(self) -> None:
        moved = self.detach or self.attach
        effects = [self.error, self.delay_ms, self.drop, self.snapshot, self.terminate, moved, self.ebs]
        if sum(map(bool, effects)) != 1:
            raise DescriptionError(f"fault of {self.action} needs one effect")
        counts = [self.first, self.after, self.every, self.first_per_block]
        if sum(count is not None for count in counts) > 1 or self.every == 0:
            raise DescriptionError(f"fault of {self.action} needs one of first, after, every, first_per_block")
        self.status = self.status or _STATUS.get(self.error, 400)
        self.message = self.message or _MESSAGE.get(self.error, "A fault that the stand-in was asked for.")
        if self.is_ebs:
            self._check_ebs()
        elif self.ebs or self.first_per_block is not None:
            raise DescriptionError(f"fault of {self.action}: only the EBS direct APIs know this")

    @property
    def is_ebs(self) -> bool:
        return self.action.removeprefix("ebs:") in EBS_ACTIONS

    def _check_ebs(self) -> None:
        moved = self.detach or self.attach
        if self.snapshot or self.terminate or moved or self.drop == "after" or self.principal or self.tag or self.region:
            raise DescriptionError(f"fault of {self.action}: the EBS direct APIs do not know this")

    def fires(self, number: int) -> bool:
        """Whether the call that matches as the `number`-th is one of the rule's own."""
        if self.first is not None:
            return number <= self.first
        if self.after is not None:
            return number > self.after
        return self.every is None or number % self.every == 0

    def names(self, call: Call, principal: str) -> bool:
        """Whether action, region and principal match."""
        name = call.name if ":" in self.action else call.action
        principals = (principal, call.access_key)
        return (
            fnmatchcase(name, self.action)
            and self.region in ("", call.region)
            and (not self.principal or any(fnmatchcase(one, self.principal) for one in principals))
        )

    def concerns(self, family: set[str], tags: dict[str, str]) -> bool:
        """Whether it is about these resources, by id or name, and their tags."""
        about = not self.resource or self.resource in family
        return about and all(tags.get(key) == value for key, value in self.tag.items())


class Faults:
    """The rules of one account, with their counts."""

    def __init__(self, rules: list[dict[str, Any]]):
        self._lock = threading.Lock()
        self._rules = [parse(Fault, rule, f"fault[{n}]") for n, rule in enumerate(rules)]
        self._seen = [0] * len(rules)
        self._fired = [0] * len(rules)

    def of_call(self, call: Call, principal: str, family: set[str], tags: dict[str, str]) -> Fault | None:
        """What happens to a call, if anything."""
        return self._meet(call, principal, family, tags, lambda rule: not rule.snapshot)

    def of_snapshot(self, call: Call, principal: str, family: set[str], tags: dict[str, str]) -> str:
        """How a snapshot that the call makes ends; asked once for each snapshot."""
        fault = self._meet(call, principal, family, tags, lambda rule: bool(rule.snapshot))
        return fault.snapshot if fault else "completed"

    def _meet(
        self, call: Call, principal: str, family: set[str], tags: dict[str, str], of_kind: Callable[[Fault], bool]
    ) -> Fault | None:
        with self._lock:
            for n, rule in enumerate(self._rules):
                if rule.is_ebs or not of_kind(rule):
                    continue
                if rule.names(call, principal) and rule.concerns(family, tags):
                    self._seen[n] += 1
                    if rule.fires(self._seen[n]):
                        self._fired[n] += 1
                        return rule
        return None

    def about(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"action": rule.action, "resource": rule.resource, "seen": seen, "fired": fired}
                for rule, seen, fired in zip(self._rules, self._seen, self._fired, strict=True)
                if not rule.is_ebs
            ]

    def for_ebs(self, volumes_of: Callable[[str], list[str]]) -> list[dict[str, Any]]:
        """The rules of the EBS direct APIs as ebs-standin takes them: one for each volume of the resource."""
        rules = []
        for rule in (rule for rule in self._rules if rule.is_ebs):
            one = {"action": rule.action.removeprefix("ebs:"), "when": _when(rule), "effect": _effect(rule)}
            if rule.resource.startswith("snap-"):
                rules.append(one | {"snapshot": rule.resource})
            elif rule.resource:
                rules += [one | {"lineage": volume} for volume in volumes_of(rule.resource)]
            else:
                rules.append(one)
        return rules


def _when(rule: Fault) -> Any:
    for name in ("first", "after", "every", "first_per_block"):
        if getattr(rule, name) is not None:
            return {name: getattr(rule, name)}
    return "always"


def _effect(rule: Fault) -> Any:
    if rule.error:
        return {"error": rule.error}
    if rule.delay_ms:
        return {"delay": rule.delay_ms}
    return "drop_connection" if rule.drop else rule.ebs
