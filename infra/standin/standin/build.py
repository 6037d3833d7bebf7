"""Fills moto with what a description says, under ids that are made from names and so always the same."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.models.instances import InstanceState
from moto.kms.models import kms_backends

from . import description as described
from . import identity
from .description import DescriptionError, SnapshotLife
from .world import Region, World

GIB = 1 << 30
_STATES = {"running": 16, "terminated": 48, "stopped": 80}


def fill(world: World, images: Path) -> None:
    """Makes every described account; images are looked for in the folder `images`."""
    for account in world.accounts.values():
        identity.make(world, account)
        for region in account.regions.values():
            _Builder(region, images).build()
        for name in _named_regions(account.description) - set(account.regions):
            raise DescriptionError(f"account {account.id} has no region {name!r}")


def made_id(prefix: str, *names: str) -> str:
    """An id of AWS's form."""
    return f"{prefix}-{hashlib.sha256('/'.join(names).encode()).hexdigest()[:17]}"


def _named_regions(description: described.Description) -> set[str]:
    things = [*description.instance, *description.volume, *description.ami, *description.snapshot]
    return {thing.region for thing in things if thing.region}


class _DescribedAmi(Ami):
    """An image whose volumes are the described ones: moto knows one of 15 GiB only."""

    mappings: list[dict[str, Any]] = []

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return self.mappings


class _Builder:
    def __init__(self, region: Region, images: Path):
        self.region, self.images = region, images
        self.moto, self.description = region.moto, region.account.description
        self.keys: dict[str, str] = {}
        self.subnets: dict[str, Any] = {}
        self.vpcs: dict[str, Any] = {}
        self.groups: dict[str, Any] = {}

    def build(self) -> None:
        for key in self.description.key:
            self._key(key)
        for vpc in self.description.vpc:
            self._vpc(vpc)
        for group in self.description.security_group:
            self._group(group)
        for ami in self._mine(self.description.ami):
            self._ami(ami)
        for instance in self._mine(self.description.instance):
            self._instance(instance)
        for volume in self._mine(self.description.volume):
            self._volume(volume.name, volume, volume.zone)
        for snapshot in self._mine(self.description.snapshot):
            self._given_snapshot(snapshot)

    def _mine(self, things: list[Any]) -> list[Any]:
        """Those of this region: the first one's where none is named."""
        first = self.description.account.regions[0]
        return [thing for thing in things if (thing.region or first) == self.region.name]

    def _name(self, id: str, name: str) -> str:
        if name in self.region.names.values():
            raise DescriptionError(f"two things are named {name!r}")
        self.region.names[id] = name
        return id

    def _new_id(self, prefix: str, name: str) -> str:
        return self._name(made_id(prefix, self.region.account.id, self.region.name, prefix, name), name)

    def _zone(self, letter: str) -> str:
        return self.region.name + letter

    def _key(self, key: described.Key) -> None:
        kms = kms_backends[self.region.account.id][self.region.name]
        made = kms.create_key("", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", key.name, None)
        kms.create_alias(made.id, f"alias/{key.name}")
        if key.access == "disabled":
            kms.disable_key(made.id)
        self.keys[key.name] = made.arn
        self.region.key_access[made.arn] = key.access
        self._name(made.id, key.name)

    def _vpc(self, vpc: described.Vpc) -> None:
        made = self.vpcs[vpc.name] = self.moto.create_vpc(vpc.cidr)
        made.add_tags({"Name": vpc.name})
        for subnet in vpc.subnet:
            self.subnets[subnet.name] = self.moto.create_subnet(
                made.id, subnet.cidr, availability_zone=self._zone(subnet.zone)
            )

    def _group(self, group: described.SecurityGroup) -> None:
        vpc = self._found(self.vpcs, group.vpc, "vpc").id if group.vpc else None
        made = self.groups[group.name] = self.moto.create_security_group(group.name, group.name, vpc)
        for rule in group.ingress:
            kind = "CidrIpv6" if ":" in rule.cidr else "CidrIp"
            self.moto.authorize_security_group_ingress(
                made.id, "tcp", str(rule.port), str(rule.port), [{kind: rule.cidr}]
            )

    def _found(self, things: dict[str, Any], name: str, kind: str) -> Any:
        if name not in things:
            raise DescriptionError(f"there is no {kind} {name!r}")
        return things[name]

    def _image(self, name: str) -> Path | None:
        if not name:
            return None
        path = (self.images / name).resolve()
        if not path.exists():
            raise DescriptionError(f"there is no image {path}")
        return path

    def _size(self, image: Path | None, size_gib: int) -> int:
        return max(size_gib, -(-image.stat().st_size // GIB) if image else 1, 1)

    def _volume(self, name: str, disk: described.Disk | described.Volume | described.Snapshot, zone: str) -> Any:
        image = self._image(disk.image)
        volume = self.moto.create_volume(
            self._size(image, disk.size_gib),
            self._zone(zone),
            encrypted=disk.encrypted or bool(disk.key),
            kms_key_id=self._found(self.keys, disk.key, "key") if disk.key else None,
            volume_type=getattr(disk, "type", "gp3"),
        )
        del self.moto.volumes[volume.id]
        volume.id = self._new_id("vol", name)
        self.moto.volumes[volume.id] = volume
        volume.add_tags(disk.tags)
        if image:
            self.region.images[volume.id] = image
        return volume

    def _unattached(self, name: str, disk: described.Disk | described.Snapshot) -> Any:
        """The volume that a snapshot was made from, and that is gone."""
        volume = self._volume(name, disk, "a")
        del self.moto.volumes[volume.id]
        self.moto.tags.pop(volume.id, None)
        return volume

    def _given_snapshot(self, snapshot: described.Snapshot) -> None:
        if snapshot.volume:
            volume = self._found(self.moto.volumes, self.region.id_of(snapshot.volume), "volume")
        else:
            volume = self._unattached(f"{snapshot.name}: volume", snapshot)
        age = datetime.timedelta(hours=snapshot.age_hours)
        self._snapshot(snapshot.name, volume, snapshot, age)

    def _snapshot(self, name: str, volume: Any, about: described.Snapshot, age: datetime.timedelta) -> str:
        id = self._new_id("snap", name)
        owner = about.owner or self.region.account.id
        record = Snapshot(self.moto, id, volume, about.description, volume.encrypted, volume.kms_key_id, owner)
        record.status = about.state
        record.start_time -= age
        self.moto.snapshots[id] = record
        record.add_tags(about.tags)
        end = "stuck" if about.state == "pending" else about.state
        self.region.adopt(record, end, False, SnapshotLife())
        return id

    def _ami(self, ami: described.Ami) -> None:
        id = self._new_id("ami", ami.name)
        root = ami.volume[0].device if ami.volume else "/dev/xvda"
        made = _DescribedAmi(
            self.moto,
            id,
            name=ami.name,
            owner_id=ami.owner or None,
            virtualization_type="hvm",
            architecture=ami.architecture,
            platform=ami.platform or None,
            root_device_type="ebs" if ami.volume else "instance-store",
            root_device_name=root,
            region_name=self._zone("a"),
            tags=ami.tags,
        )
        del self.moto.snapshots[made.ebs_snapshot.id]
        made.mappings = [self._mapping(ami, disk) for disk in ami.volume]
        self.moto.amis[id] = made

    def _mapping(self, ami: described.Ami, disk: described.Disk) -> dict[str, Any]:
        name = f"{ami.name}:{disk.device}"
        volume = self._unattached(f"{name}: volume", disk)
        about = described.Snapshot(name=name, owner=ami.owner, description=f"Created by CreateImage for {ami.name}")
        snapshot = self._snapshot(name, volume, about, datetime.timedelta(hours=about.age_hours))
        ebs = {
            "SnapshotId": snapshot,
            "VolumeSize": volume.size,
            "VolumeType": disk.type,
            "Encrypted": volume.encrypted,
            "DeleteOnTermination": True,
        }
        return {"DeviceName": disk.device, "Ebs": ebs}

    def _instance(self, about: described.Instance) -> None:
        ami = self.region.id_of(about.ami) if about.ami else made_id("ami", about.architecture, about.platform)
        subnet = self._found(self.subnets, about.subnet, "subnet") if about.subnet else self._default_subnet(about)
        reservation = self.moto.run_instances(
            ami,
            1,
            None,
            [],
            instance_type=about.type,
            is_instance_type_default=False,
            region_name=self.region.name,
            subnet_id=subnet.id,
            security_group_ids=[self._found(self.groups, name, "security group").id for name in about.security_groups],
            block_device_mappings=[],
            tags={"instance": {"Name": about.name} | about.tags},
        )
        [instance] = reservation.instances
        self._rename(instance, self._new_id("i", about.name))
        self._looks(instance, about)
        self._addresses(instance, about)
        for disk in about.volume:
            volume = self._volume(f"{about.name}:{disk.device}", disk, about.zone)
            self.moto.attach_volume(volume.id, instance.id, disk.device, delete_on_termination=True)
        set_state(instance, about.state)

    def _default_subnet(self, about: described.Instance) -> Any:
        return self._found(self.moto.get_default_subnets(), self._zone(about.zone), "default subnet in the zone")

    def _rename(self, instance: Any, id: str) -> None:
        self.moto.tags[id] = self.moto.tags.pop(instance.id, {})
        instance.id = id

    def _looks(self, instance: Any, about: described.Instance) -> None:
        windows = about.platform == "windows"
        instance.architecture = about.architecture
        instance.virtualization_type = "hvm"
        instance.platform = about.platform or None
        instance.platform_details = "Windows" if windows else "Linux/UNIX"
        instance.root_device_type = "ebs" if about.volume else "instance-store"
        instance.root_device_name = about.volume[0].device if about.volume else "/dev/sda1"

    def _addresses(self, instance: Any, about: described.Instance) -> None:
        interface = instance.nics[0]
        if about.private_ip:
            interface.private_ip_address = about.private_ip
            interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": about.private_ip}]
        interface.public_ip = about.public_ip or None
        interface.ipv6_addresses = list(about.ipv6)
        if about.ipv6:
            instance.ipv6_address = about.ipv6[0]


def set_state(instance: Any, state: str) -> None:
    """Brings an instance into a state; the volumes of a terminated one go with it."""
    if state == "terminated":
        instance.terminate()
    instance._state = InstanceState(state, _STATES[state])
