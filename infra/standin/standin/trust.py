"""Who may assume a role: the trust policies that moto keeps but does not look at.

Read are `Allow` statements with `Principal.AWS` and the condition `StringEquals` on `sts:ExternalId`. A
statement with any other condition is taken as not met, so that nothing is allowed that AWS might refuse.
"""

from __future__ import annotations

import json
from typing import Any


def may_assume(role_arn: str, caller_account: str, caller_arn: str, external_id: str) -> bool:
    """Whether the role exists and one of its statements lets the caller in."""
    from moto.iam.models import iam_backends

    fields = role_arn.split(":")
    if len(fields) != 6 or fields[4] not in iam_backends:
        return False
    roles = [role for role in iam_backends[fields[4]]["aws"].get_roles() if role.arn == role_arn]
    if not roles:
        return False
    statements = _listed(json.loads(roles[0].assume_role_policy_document or "{}").get("Statement", []))
    return any(_lets_in(statement, caller_account, caller_arn, external_id) for statement in statements)


def _lets_in(statement: dict[str, Any], account: str, arn: str, external_id: str) -> bool:
    allowed = statement.get("Effect") == "Allow" and "sts:AssumeRole" in _listed(statement.get("Action", []))
    principals = statement.get("Principal", {})
    named = _listed(principals.get("AWS", [])) if isinstance(principals, dict) else [principals]
    known = {"*", account, f"arn:aws:iam::{account}:root", arn, _role_of(arn)}
    return allowed and bool(known & set(named)) and _is_met(statement.get("Condition", {}), external_id)


def _is_met(condition: dict[str, Any], external_id: str) -> bool:
    for operator, keys in condition.items():
        for key, values in keys.items():
            if (operator, key) != ("StringEquals", "sts:ExternalId") or external_id not in _listed(values):
                return False
    return True


def _role_of(arn: str) -> str:
    """The role's ARN of a session's."""
    fields = arn.split(":")
    if fields[5].startswith("assumed-role/"):
        return f"arn:aws:iam::{fields[4]}:role/{fields[5].split('/')[1]}"
    return arn


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
