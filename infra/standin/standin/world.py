"""What the stand-in knows beside moto: which account a key is of, names, images, and lives of snapshots."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from .description import Description, SnapshotLife
from .ebs import Ebs, EbsError
from .faults import Faults
from .ledger import Ledger
from .rates import Rates
from .snapshots import Life


class Region:
    """One region of one account. Its methods are called under the world's lock."""

    def __init__(self, account: Account, name: str, ebs: Ebs):
        self.account = account
        self.name = name
        self.ebs = ebs
        # Names of the description by id.
        self.names: dict[str, str] = {}
        # The image of a volume; one without is blank.
        self.images: dict[str, Path] = {}
        # KMS key by its ARN: `readable`, `denied`, `disabled`.
        self.key_access: dict[str, str] = {}
        self.lives: dict[str, Life] = {}
        self.snapped_at: dict[str, float] = {}
        self.made = self.deleted = 0

    @property
    def moto(self) -> Any:
        from moto.ec2.models import ec2_backends

        return ec2_backends[self.account.id][self.name]

    def id_of(self, name: str) -> str:
        """The id of what a name or an id means."""
        return next((id for id, named in self.names.items() if named == name), name)

    def family(self, ids: list[str]) -> set[str]:
        """The ids with what they belong to: a snapshot's volume, a volume's instance; and all their names."""
        found = set(ids)
        for id in ids:
            if id in self.lives:
                found.add(self.lives[id].record.volume.id)
        for id in list(found):
            volume = self.moto.volumes.get(id)
            if volume is not None and volume.attachment:
                found.add(volume.attachment.instance.id)
        return found | {self.names[id] for id in found if id in self.names}

    def tags(self, family: set[str]) -> dict[str, str]:
        return {key: value for id in sorted(family) for key, value in self.moto.tags.get(id, {}).items()}

    def volumes_of(self, name: str) -> list[str]:
        """The volumes of an instance, or the volume itself, by name or id."""
        id = self.id_of(name)
        attached = [v.id for v in self.moto.volumes.values() if v.attachment and v.attachment.instance.id == id]
        return attached or [id]

    def adopt(self, record: Any, end: str, made: bool, timing: SnapshotLife) -> None:
        """Takes a snapshot of moto's into the books, and makes it known to the EBS stand-in."""
        self.lives[record.id] = Life(record, end, made, timing)
        self.made += made
        image = self.images.get(record.volume.id)
        self.ebs.add_snapshot(
            id=record.id,
            path=str(image or "/dev/null"),
            lineage=record.volume.id,
            owner=record.owner_id,
            status=record.status,
            access=_ebs_access(record, self.key_access),
            volume_gib=record.volume.size,
        )

    def advance(self) -> None:
        """Ends the pending time of the snapshots whose time it is."""
        for id, life in list(self.lives.items()):
            if not life.due:
                continue
            if life.end == "vanish":
                self.forget(id)
                continue
            life.record.status = life.end
            self.ebs.change_snapshot(id, status=life.end)

    def forget(self, id: str) -> None:
        """A snapshot is no more."""
        life = self.lives.pop(id, None)
        self.moto.snapshots.pop(id, None)
        self.moto.tags.pop(id, None)
        if life:
            self.deleted += life.made
            self.ebs.remove_snapshot(id)

    def pending(self) -> int:
        return sum(life.pending for life in self.lives.values() if life.record.owner_id == self.account.id)

    def unfinished_of(self, volume: str) -> int:
        """Those in error count too, as AWS counts them."""
        lives = [life for life in self.lives.values() if life.record.volume.id == volume]
        return sum(life.record.status in ("pending", "error") for life in lives)

    def since_last(self, volume: str) -> float:
        return time.monotonic() - self.snapped_at.get(volume, float("-inf"))


class Account:
    """One described account."""

    def __init__(self, description: Description, ebs: Ebs):
        self.description = description
        self.id = description.account.id
        self.faults = Faults(description.fault)
        self.rates = Rates(description.limits.rates)
        self.regions = {name: Region(self, name, ebs) for name in description.account.regions}


class World:
    """All accounts, and who calls."""

    def __init__(self, descriptions: list[Description], ebs: Ebs):
        # moto is not made for threads: one call at a time, without its waits.
        self.lock = threading.RLock()
        self.ebs = ebs
        self.ledger = Ledger()
        self.accounts = {one.account.id: Account(one, ebs) for one in descriptions}
        # Access key: account and ARN.
        self._principals: dict[str, tuple[str, str]] = {}

    def add_principal(self, access_key: str, account: str, arn: str) -> None:
        with self.lock:
            self._principals[access_key] = (account, arn)
        self.ebs.add_account(access_key, account)

    def principal(self, access_key: str) -> tuple[str, str] | None:
        """Account and ARN of a key, if it is known."""
        return self._principals.get(access_key)

    def arns(self) -> dict[str, str]:
        return {key: arn for key, (_, arn) in self._principals.items()}

    def regions(self) -> list[Region]:
        return [region for account in self.accounts.values() for region in account.regions.values()]

    def advance(self) -> None:
        with self.lock:
            for region in self.regions():
                region.advance()

    def set_faults(self, account: Account, rules: list[dict[str, Any]]) -> None:
        """Replaces the rules of an account; where the EBS stand-in refuses one, all stay as they were."""
        before, account.faults = account.faults, Faults(rules)
        try:
            self.send_ebs_faults()
        except EbsError:
            account.faults = before
            raise

    def send_ebs_faults(self) -> None:
        """Sets the rules of all accounts, and the load of the one that describes it, in the EBS stand-in."""
        faults: dict[str, Any] = {}
        rules: list[dict[str, Any]] = []
        for account in self.accounts.values():
            faults |= account.description.ebs
            rules += account.faults.for_ebs(lambda name, account=account: _volumes_of(account, name))
        self.ebs.set_faults(faults | {"rules": rules})


def _volumes_of(account: Account, name: str) -> list[str]:
    """In the region that has the name; an id that none has is taken as it is."""
    for region in account.regions.values():
        if name in region.names or name in region.names.values():
            return region.volumes_of(name)
    return [name]


def _ebs_access(record: Any, key_access: dict[str, str]) -> str:
    access = key_access.get(record.kms_key_id or "", "readable") if record.encrypted else "readable"
    return {"readable": "readable", "denied": "kms-denied", "disabled": "kms-disabled"}[access]
