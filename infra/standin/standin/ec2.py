"""EC2 as moto has it, with what moto lacks: pages, lives and limits of snapshots, dry runs, exact errors.

Errors and their texts are those that AWS's list of EC2 error codes and public logs of real calls show.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import DryRunClientError, EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import generic_filter

from . import paging
from .snapshots import Life
from .wire import Call
from .world import Region, World


class Ec2(EC2Response):
    """Put in the place of moto's own class; see `install`."""

    world: World

    @property
    def here(self) -> Region:
        return self.world.accounts[self.current_account].regions[self.region]

    def call_action(self) -> Any:
        if self._get_param("DryRun", False) is True:
            # Refusals for want of permission came before; nothing else is looked at.
            answer = self.serialized(ActionResult(DryRunClientError()))
            return 412, answer[1], answer[2]
        return super().call_action()

    def describe_instances(self) -> ActionResult:
        ids = self._get_param("InstanceIds", [])
        for id in ids:
            _check_form(id, "i")
        filters = self._filters_from_querystring()
        backend = self.ec2_backend
        found = backend.get_reservations_by_instance_ids(ids, filters=filters) if ids else None
        if found is None:
            found = backend.describe_instances(filters=filters)
        return self._page("Reservations", found, lambda one: one.instances[0].id if one.instances else one.id, ids)

    def describe_volumes(self) -> ActionResult:
        ids = self._get_param("VolumeIds", [])
        for id in ids:
            _check_form(id, "vol")
            self.ec2_backend.get_volume(id)
        found = self.ec2_backend.describe_volumes(volume_ids=ids, filters=self._filters_from_querystring())
        return self._page("Volumes", found, lambda one: one.id, ids)

    def describe_images(self) -> ActionResult:
        ids = self._get_param("ImageIds", [])
        found = self.ec2_backend.describe_images(
            ami_ids=ids,
            filters=self._filters_from_querystring(),
            exec_users=self._get_param("ExecutableUsers", []),
            owners=self._get_param("Owners", []),
        )
        return self._page("Images", found, lambda one: one.id, ids)

    def describe_regions(self) -> ActionResult:
        """Only those that the account has enabled."""
        names = self._get_param("RegionNames", [])
        enabled = self.world.accounts[self.current_account].regions
        regions = [region for region in self.ec2_backend.describe_regions(names) if region.name in enabled]
        return ActionResult({"Regions": regions})

    def describe_snapshots(self) -> ActionResult:
        """Those that are pending are one poll older afterwards, if they were shown."""
        region = self.here
        region.advance()
        ids = self._get_param("SnapshotIds", [])
        for id in ids:
            self._life(id)
        owners = self._get_param("OwnerIds", [])
        owners = {region.account.id if owner == "self" else owner for owner in owners}
        lives = [life for id, life in region.lives.items() if id in ids or not ids]
        lives = [life for life in lives if not owners or life.record.owner_id in owners]
        kept = generic_filter(self._filters_from_querystring(), [life.record for life in lives])
        result = self._page("Snapshots", [region.lives[record.id] for record in kept], lambda one: one.record.id, ids)
        shown = result.result["Snapshots"]
        result.result["Snapshots"] = [life.describe() for life in shown]
        for life in shown:
            life.seen += life.pending
        return result

    def create_snapshot(self) -> ActionResult:
        id = self._get_param("VolumeId")
        _check_form(id, "vol")
        volume = self.ec2_backend.get_volume(id)
        self._check_room([volume])
        [life] = self._snapshot([volume], copied_tags=False)
        return ActionResult(life.describe())

    def create_snapshots(self) -> ActionResult:
        spec = self._get_param("InstanceSpecification", {})
        id = spec.get("InstanceId", "")
        _check_form(id, "i")
        instance = self.ec2_backend.get_instance(id)
        if instance.state not in ("running", "stopped"):
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{id}' is not in a state from which it can be snapshotted: {instance.state}",
            )
        volumes = self._volumes_of(instance, spec)
        self._check_room(volumes)
        copied_tags = self._get_param("CopyTagsFromSource") == "volume"
        lives = self._snapshot(volumes, copied_tags)
        return ActionResult({"Snapshots": [life.describe() for life in lives]})

    def delete_snapshot(self) -> ActionResult:
        id = self._get_param("SnapshotId")
        life = self._life(id)
        if life.record.owner_id != self.current_account:
            raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{id}' does not exist.")
        used_by = [ami.id for ami in self.ec2_backend.amis.values() if id in _snapshots_of(ami)]
        if used_by:
            raise EC2ClientError("InvalidSnapshot.InUse", f"The snapshot {id} is currently in use by {used_by[0]}")
        self.here.forget(id)
        return EmptyResult()

    def terminate_instances(self) -> ActionResult:
        for id in self._get_param("InstanceIds", []):
            _check_form(id, "i")
        return super().terminate_instances()

    def _page(self, name: str, found: list[Any], key: Callable[[Any], str], ids: list[str]) -> ActionResult:
        pages = self.here.account.description.pages
        shown, token = paging.cut(pages, self.params, bool(ids), found, key)
        return ActionResult({name: shown} | ({"NextToken": token} if token else {}))

    def _life(self, id: str) -> Life:
        _check_form(id, "snap")
        life = self.here.lives.get(id)
        if life is None:
            raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{id}' does not exist.")
        return life

    def _volumes_of(self, instance: Any, spec: dict[str, Any]) -> list[Any]:
        attached = dict(instance.get_block_device_mapping)
        if not attached:
            raise EC2ClientError(
                "InvalidParameterValue", f"There are no attached EBS-backed volumes on the instance id ({instance.id})."
            )
        excluded = set(spec.get("ExcludeDataVolumeIds", []))
        root = attached.get(instance.root_device_name)
        unknown = excluded - {device.volume_id for device in attached.values() if device is not root}
        if unknown:
            raise EC2ClientError(
                "InvalidParameterValue", f"{sorted(unknown)[0]} is not a data volume of the instance {instance.id}"
            )
        if spec.get("ExcludeBootVolume") and root:
            excluded.add(root.volume_id)
        left = [self.ec2_backend.get_volume(d.volume_id) for d in attached.values() if d.volume_id not in excluded]
        if not left:
            raise EC2ClientError("InvalidParameterValue", "There are no volumes left to make snapshots of")
        return left

    def _check_room(self, volumes: list[Any]) -> None:
        """The quotas: of the account and region, of each volume, and of the time between two."""
        region = self.here
        region.advance()
        limits = region.account.description.limits
        if region.pending() + len(volumes) > limits.pending_snapshots:
            raise EC2ClientError(
                "PendingSnapshotLimitExceeded",
                f"Your quota allows for a maximum of {limits.pending_snapshots} pending snapshot(s).",
            )
        for volume in volumes:
            if region.unfinished_of(volume.id) >= limits.snapshots_per_volume:
                raise EC2ClientError(
                    "ConcurrentSnapshotLimitExceeded",
                    "Maximum allowed in-progress snapshots for a single volume exceeded.",
                )
            if region.since_last(volume.id) < limits.seconds_between_snapshots:
                raise EC2ClientError(
                    "SnapshotCreationPerVolumeRateExceeded",
                    "The maximum per volume CreateSnapshot request rate has been exceeded. "
                    "Use an increasing or variable sleep interval between requests.",
                )

    def _snapshot(self, volumes: list[Any], copied_tags: bool) -> list[Life]:
        description = self._get_param("Description", "")
        asked = self._parse_tag_specification("snapshot").get("snapshot", {})
        return [self._snapshot_of(volume, description, asked, copied_tags) for volume in volumes]

    def _snapshot_of(self, volume: Any, description: str, asked: dict[str, str], copied_tags: bool) -> Life:
        region = self.here
        record = self.ec2_backend.create_snapshot(volume.id, description)
        record.status, record.kms_key_id = "pending", volume.kms_key_id
        copied = region.moto.tags.get(volume.id, {}) if copied_tags else {}
        record.add_tags({key: value for key, value in copied.items() if not key.startswith("aws:")} | asked)
        family = region.family([volume.id])
        call = Call("ec2", self.region, self.access_key, self._get_action(), {})
        arn = (self.world.principal(self.access_key) or ("", ""))[1]
        end = region.account.faults.of_snapshot(call, arn, family, region.tags(family))
        region.adopt(record, end, True, region.account.description.snapshots)
        region.snapped_at[volume.id] = time.monotonic()
        return region.lives[record.id]


def _check_form(id: str, prefix: str) -> None:
    if re.fullmatch(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", id or ""):
        return
    if prefix == "i":
        raise EC2ClientError("InvalidInstanceID.Malformed", f'Invalid id: "{id}" (expecting "i-...")')
    noun = {"vol": "volumeId", "snap": "snapshotId"}[prefix]
    raise EC2ClientError(
        "InvalidParameterValue", f"Value ({id}) for parameter {noun} is invalid. Expected: '{prefix}-...'."
    )


def _snapshots_of(ami: Any) -> list[str]:
    return [mapping["Ebs"]["SnapshotId"] for mapping in ami.block_device_mappings if "Ebs" in mapping]


def install(world: World) -> None:
    """Lets moto answer EC2's calls through this class."""
    import moto.ec2.urls

    Ec2.world = world
    moto.ec2.urls.url_paths["{0}/"] = Ec2.dispatch
