"""The life of a snapshot: pending with progress, and then completed, an error, or gone.

moto's snapshots are complete at once and have no blocks. Here a snapshot is known to the EBS stand-in
from the moment it is made, and stays pending until it was seen so often and so much time went by.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from .description import SnapshotLife

ERROR_MESSAGE = "The snapshot could not be completed (a fault that the stand-in was asked for)"


@dataclass
class Life:
    """One snapshot of a region, beside moto's own record of it."""

    record: Any
    # `completed`, `error`, `vanish`; `stuck` stays pending.
    end: str
    # False for those that the account had before.
    made: bool
    timing: SnapshotLife = field(default_factory=SnapshotLife)
    seen: int = 0
    born: float = field(default_factory=time.monotonic)

    @property
    def pending(self) -> bool:
        return self.record.status == "pending"

    @property
    def due(self) -> bool:
        """Whether it is pending no longer than it has to be."""
        waited = time.monotonic() - self.born >= self.timing.seconds
        return self.pending and self.end != "stuck" and waited and self.seen >= self.timing.polls

    @property
    def progress(self) -> str:
        if self.record.status == "completed":
            return "100%"
        by_polls = self.seen / (self.timing.polls + 1)
        by_time = (time.monotonic() - self.born) / self.timing.seconds if self.timing.seconds else 1.0
        return f"{int(min(by_polls, by_time, 0.99) * 100)}%"

    def describe(self) -> dict[str, Any]:
        """As DescribeSnapshots shows it."""
        record = self.record
        shown = {
            "SnapshotId": record.id,
            "VolumeId": record.volume.id,
            "VolumeSize": record.volume.size,
            "State": record.status,
            "Progress": self.progress,
            "StartTime": record.start_time,
            "OwnerId": record.owner_id,
            "Description": record.description or "",
            "Encrypted": record.encrypted,
            "KmsKeyId": record.kms_key_id if record.encrypted else None,
            "StorageTier": "standard",
            "StateMessage": ERROR_MESSAGE if record.status == "error" else None,
            "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in record.get_tags()],
        }
        return {name: value for name, value in shown.items() if value is not None}
