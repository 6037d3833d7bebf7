"""Limits, rates and faults: each is met by a client, and leaves the account as AWS would."""

from __future__ import annotations

import unittest
from typing import Any

from botocore.exceptions import ConnectionError, HTTPClientError

from running import AccountTest, Running, made_by, pattern, read, states

ROOT, DATA = {0: pattern("root")}, {1: pattern("data")}
TWO = """
[[instance]]
name = "web"
tags = { env = "prod" }
volume = [{ device = "/dev/xvda", image = "root.img" }, { device = "/dev/xvdf", image = "data.img" }]
[[instance]]
name = "other"
volume = [{ device = "/dev/xvda", image = "root.img" }]
"""


class FaultTest(AccountTest):
    def account_with(self, text: str) -> tuple[Running, Any, Any]:
        account = self.start(text + TWO, root=ROOT, data=DATA)
        return account, account.client("ec2"), account.client("ebs")

    def end(self, ec2: Any, ids: list[str]) -> list[str]:
        """The states of snapshots that were seen so often that none has to be pending."""
        for _ in range(3):
            last = [state for state, _ in states(ec2, ids)]
        return last


class Limited(FaultTest):
    def test_pending_snapshots_are_limited_by_account(self) -> None:
        account, ec2, _ = self.account_with(
            "[limits]\npending_snapshots = 3\n"
            "[[snapshot]]\nname = 'backup'\nvolume = 'other:/dev/xvda'\nstate = 'pending'\n"
        )
        ids = made_by(ec2, account.id("web"))
        other = account.id("other:/dev/xvda")
        self.refused("PendingSnapshotLimitExceeded", ec2.create_snapshot, VolumeId=other)
        self.assertEqual(self.end(ec2, ids), ["completed", "completed"])
        ec2.create_snapshot(VolumeId=other)
        self.assertEqual(states(ec2, [account.id("backup")])[0][0], "pending", "a customer's own, never done here")

    def test_pending_snapshots_are_limited_by_volume(self) -> None:
        account, ec2, _ = self.account_with("[limits]\nsnapshots_per_volume = 2\n")
        volume = account.id("web:/dev/xvda")
        ids = [ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for _ in range(2)]
        self.refused("ConcurrentSnapshotLimitExceeded", ec2.create_snapshot, VolumeId=volume)
        self.refused("ConcurrentSnapshotLimitExceeded", made_by, ec2=ec2, instance=account.id("web"))
        self.assertEqual(account.control("snapshots")["made"], 2, "all volumes of an instance, or none")
        self.end(ec2, ids)
        ec2.create_snapshot(VolumeId=volume)

    def test_snapshots_of_a_volume_need_time_between(self) -> None:
        account, ec2, _ = self.account_with("[limits]\nseconds_between_snapshots = 3600\n")
        volume = account.id("other:/dev/xvda")
        ec2.create_snapshot(VolumeId=volume)
        self.refused("SnapshotCreationPerVolumeRateExceeded", ec2.create_snapshot, VolumeId=volume)

    def test_calls_are_throttled_by_action(self) -> None:
        _, ec2, _ = self.account_with('[limits.rates]\n"Describe*" = { per_second = 0, burst = 3 }\n')
        for call in (ec2.describe_volumes, ec2.describe_snapshots, ec2.describe_instances):
            call()
        error = self.refused("RequestLimitExceeded", ec2.describe_volumes)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 503)
        self.refused("InvalidVolume.NotFound", ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")


class Faulty(FaultTest):
    def test_errors_come_as_counted(self) -> None:
        account, ec2, _ = self.account_with(
            "[[fault]]\naction = 'DescribeVolumes'\nfirst = 2\nerror = 'InternalError'\n"
            "[[fault]]\naction = 'ec2:Describe*'\nafter = 1\nerror = 'RequestLimitExceeded'\n"
            "[[fault]]\naction = 'GetCallerIdentity'\nerror = 'ExpiredToken'\n"
        )
        self.refused("InternalError", ec2.describe_volumes)
        self.refused("InternalError", ec2.describe_volumes)
        ec2.describe_volumes()
        self.refused("RequestLimitExceeded", ec2.describe_volumes)
        self.refused("ExpiredToken", account.client("sts").get_caller_identity)
        fired = [(fault["seen"], fault["fired"]) for fault in account.control("faults")["111122223333"]]
        self.assertEqual(fired, [(4, 2), (2, 1), (1, 1)])
        account.control("faults", {"faults": [{"action": "DescribeVolumes", "every": 2, "error": "Unavailable"}]})
        ec2.describe_volumes()
        self.refused("Unavailable", ec2.describe_volumes)

    def test_a_fault_finds_the_host_behind_volume_and_snapshot(self) -> None:
        account, ec2, _ = self.account_with(
            "[[fault]]\naction = '*Snapshot*'\nresource = 'web'\nafter = 1\nerror = 'UnauthorizedOperation'\n"
            "[[fault]]\naction = 'CreateSnapshot'\ntag = { env = 'prod' }\nerror = 'InternalError'\n"
        )
        [first, _] = made_by(ec2, account.id("web"))
        self.refused("UnauthorizedOperation", ec2.create_snapshot, VolumeId=account.id("web:/dev/xvda"))
        self.refused("UnauthorizedOperation", ec2.delete_snapshot, SnapshotId=first)
        dry = {"InstanceSpecification": {"InstanceId": account.id("web")}, "DryRun": True}
        self.refused("UnauthorizedOperation", ec2.create_snapshots, **dry)
        ec2.create_snapshot(VolumeId=account.id("other:/dev/xvda"))

    def test_a_principal_is_denied(self) -> None:
        account, ec2, _ = self.account_with(
            "[[fault]]\naction = 'CreateSnapshot*'\nprincipal = '*user/standin'\nerror = 'UnauthorizedOperation'\n"
            "[[fault]]\naction = 'DescribeVolumes'\nprincipal = '*/Reader/*'\nerror = 'UnauthorizedOperation'\n"
        )
        error = self.refused("UnauthorizedOperation", made_by, ec2=ec2, instance=account.id("web"))
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)
        ec2.describe_volumes()

    def test_a_lost_answer_leaves_its_snapshots(self) -> None:
        account, ec2, _ = self.account_with(
            "[[fault]]\naction = 'CreateSnapshots'\nfirst = 1\ndrop = 'before'\n"
            "[[fault]]\naction = 'CreateSnapshots'\nfirst = 1\ndrop = 'after'\n"
        )
        for made in (0, 2):
            with self.assertRaises((ConnectionError, HTTPClientError)):
                made_by(ec2, account.id("web"))
            self.assertEqual(account.control("snapshots")["made"], made)
        self.assertEqual(account.control("calls")["calls"]["ec2:CreateSnapshots"]["results"], {"dropped": 2})

    def test_snapshots_end_otherwise(self) -> None:
        account, ec2, ebs = self.account_with(
            "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web:/dev/xvdf'\nfirst = 1\nsnapshot = 'error'\n"
            "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web:/dev/xvdf'\nfirst = 1\nsnapshot = 'vanish'\n"
            "[[fault]]\naction = 'CreateSnapshot'\nsnapshot = 'stuck'\n"
        )
        ids = made_by(ec2, account.id("web"))
        self.assertEqual(self.end(ec2, ids), ["completed", "error"])
        self.assertEqual(read(ebs, ids[0]), ROOT)
        self.refused("ValidationException", ebs.list_snapshot_blocks, SnapshotId=ids[1])
        [_, gone] = made_by(ec2, account.id("web"))
        for _ in range(2):
            states(ec2, [gone])
        self.refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[gone])
        self.refused("ResourceNotFoundException", ebs.list_snapshot_blocks, SnapshotId=gone)
        stuck = ec2.create_snapshot(VolumeId=account.id("other:/dev/xvda"))["SnapshotId"]
        for _ in range(10):
            self.assertEqual(states(ec2, [stuck])[0][0], "pending")
        ec2.delete_snapshot(SnapshotId=stuck)

    def test_an_instance_is_terminated_meanwhile(self) -> None:
        account, ec2, _ = self.account_with(
            "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nterminate = 'before'\n"
            "[[fault]]\naction = 'CreateSnapshots'\nresource = 'other'\nterminate = 'after'\n"
        )
        self.refused("IncorrectInstanceState", made_by, ec2=ec2, instance=account.id("web"))
        ids = made_by(ec2, account.id("other"))
        self.assertEqual(account.instance("other")["State"]["Name"], "terminated")
        self.assertEqual(self.end(ec2, ids), ["completed"], "a snapshot outlives its volume")
        self.refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=[account.id("other:/dev/xvda")])

    def test_block_reads_of_one_host_fail(self) -> None:
        account, ec2, ebs = self.account_with(
            "[ebs]\nget_latency = { fixed_ms = 1 }\n"
            "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'other'\nfirst = 1\nerror = 'expired_token'\n"
            "[[fault]]\naction = 'ListSnapshotBlocks'\nresource = 'web:/dev/xvdf'\nerror = 'account_throttled'\n"
        )
        web, other = made_by(ec2, account.id("web")), made_by(ec2, account.id("other"))
        self.end(ec2, web + other)
        [root] = [one for one in web if self.volume(ec2, one) == account.id("web:/dev/xvda")]
        [data] = [one for one in web if one != root]
        self.assertEqual(read(ebs, root), ROOT)
        error = self.refused("RequestThrottledException", ebs.list_snapshot_blocks, SnapshotId=data)
        self.assertEqual(error.response["Reason"], "ACCOUNT_THROTTLED")
        self.refused("ExpiredTokenException", read, ebs=ebs, snapshot=other[0])
        self.assertEqual(read(ebs, other[0]), ROOT)

    def volume(self, ec2: Any, id: str) -> str:
        return ec2.describe_snapshots(SnapshotIds=[id])["Snapshots"][0]["VolumeId"]

    def test_faults_that_nothing_knows_are_refused(self) -> None:
        account, ec2, _ = self.account_with("")
        before = account.control("faults")
        for fault in [
            {"action": "DescribeVolumes"},
            {"action": "DescribeVolumes", "error": "A", "delay_ms": 1},
            {"action": "DescribeVolumes", "ebs": "corrupt_body"},
            {"action": "GetSnapshotBlock", "terminate": "before"},
            {"action": "DescribeVolumes", "error": "A", "first": 1, "every": 2},
            {"action": "DescribeVolumes", "errors": "A"},
            {"action": "GetSnapshotBlock", "error": "no_such_error"},
        ]:
            with self.subTest(fault), self.assertRaises(OSError):
                account.control("faults", {"faults": [fault]})
        ec2.describe_volumes()
        self.assertEqual(account.control("faults"), before)


if __name__ == "__main__":
    unittest.main()
