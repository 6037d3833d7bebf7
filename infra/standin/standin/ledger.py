"""The books: every call of the control plane, who made it, and how it ended."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from .wire import Call

LOG_LIMIT = 100_000
# The user guide's example prices of us-east-1.
DOLLARS_PER_LIST = 0.0006 / 1000
DOLLARS_PER_BLOCK = 0.003 / 1000


@dataclass
class Entry:
    """One call that has ended."""

    action: str
    principal: str
    account: str
    region: str
    resources: list[str]
    dry_run: bool
    result: str


class Ledger:
    """Counts by action, and the calls in the order in which they ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._log: list[Entry] = []
            self._lost = 0
            self._results: dict[str, Counter[str]] = defaultdict(Counter)
            self._principals: dict[str, Counter[str]] = defaultdict(Counter)
            self._dry_runs: Counter[str] = Counter()
            self._needed: dict[str, set[str]] = defaultdict(set)

    def write(self, call: Call, account: str, principal: str, result: str) -> None:
        """Books a call; `result` is `ok`, an error code, or `dropped`."""
        with self._lock:
            self._results[call.name][result] += 1
            self._principals[call.name][principal] += 1
            self._dry_runs[call.name] += call.dry_run
            self._needed[principal].add(call.name)
            if call.tags_on_create:
                self._needed[principal].add("ec2:CreateTags")
            if len(self._log) == LOG_LIMIT:
                self._lost += 1
                return
            entry = Entry(call.name, principal, account, call.region, call.resources, call.dry_run, result)
            self._log.append(entry)

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(entry) for entry in self._log]

    def counts(self, ebs: dict[str, Any], principal_of: dict[str, str]) -> dict[str, Any]:
        """All counts; `ebs` is what the EBS stand-in counted, whose callers are access keys."""
        with self._lock:
            calls = {name: self._about(name) for name in self._results}
            needed = {principal: set(names) for principal, names in self._needed.items()}
            lost = self._lost
        for action, counted in ebs["actions"].items():
            calls[f"ebs:{action}"] = _ebs_action(action, counted, ebs["callers"], principal_of)
        for access_key, actions in ebs["callers"].items():
            if access_key not in principal_of:
                continue
            names = {f"ebs:{action}" for action in actions if action != "unknown"}
            needed.setdefault(principal_of[access_key], set()).update(names)
        return {
            "calls": {name: calls[name] for name in sorted(calls)},
            "iam_actions": {principal: sorted(needed[principal]) for principal in sorted(needed)},
            "dollars": _dollars(ebs),
            "log_lost": lost + ebs["log_lost"],
        }

    def _about(self, name: str) -> dict[str, Any]:
        results = self._results[name]
        return {
            "calls": sum(results.values()),
            "dry_runs": self._dry_runs[name],
            "results": dict(sorted(results.items())),
            "principals": dict(sorted(self._principals[name].items())),
        }


def _ebs_action(
    action: str, counted: dict[str, Any], callers: dict[str, Any], principal_of: dict[str, str]
) -> dict[str, Any]:
    principals: Counter[str] = Counter()
    for access_key, actions in callers.items():
        principals[principal_of.get(access_key, access_key)] += actions.get(action, 0)
    return {
        "calls": counted["calls"],
        "dry_runs": 0,
        "results": counted["results"],
        "principals": {name: count for name, count in sorted(principals.items()) if count},
    }


def _dollars(ebs: dict[str, Any]) -> dict[str, Any]:
    """What the reads would cost: answered lists and blocks, each block as often as it was sent."""
    listings = [ebs["actions"].get(name, {}) for name in ("ListSnapshotBlocks", "ListChangedBlocks")]
    lists = sum(listing.get("results", {}).get("ok", 0) for listing in listings)
    list_dollars, block_dollars = lists * DOLLARS_PER_LIST, ebs["blocks"] * DOLLARS_PER_BLOCK
    return {
        "list_calls": lists,
        "blocks": ebs["blocks"],
        "bytes": ebs["bytes"],
        "lists": round(list_dollars, 9),
        "blocks_read": round(block_dollars, 9),
        "total": round(list_dollars + block_dollars, 9),
    }
