"""Who is there: the alias of an account, the user whose key clients use, and the roles."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from .description import Role
from .world import Account, World


def make(world: World, account: Account) -> None:
    """The alias, the user whose key clients use, and the roles."""
    owner, iam = account.description.account, iam_backends[account.id]["aws"]
    if owner.alias:
        iam.create_account_alias(owner.alias)
    user = iam.create_user("us-east-1", "standin")
    key = iam.create_access_key("standin")
    del iam.access_keys[key.physical_resource_id]
    key.access_key_id = owner.access_key
    iam.access_keys[owner.access_key] = key
    world.add_principal(owner.access_key, account.id, user.arn)
    for role in account.description.role:
        iam.create_role(role.name, _trust(role), "/", None, "made by the stand-in", [], "3600")


def _trust(role: Role) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    if role.external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": role.external_id}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
