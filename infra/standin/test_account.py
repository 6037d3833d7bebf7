"""The account as a client sees it: what is described, lives of snapshots, blocks, and the books."""

from __future__ import annotations

import unittest

from running import HEAD, AccountTest, Running, completed, made_by, pattern, read, states

ROOT, DATA = {0: pattern("root"), 5: pattern("more")}, {7: pattern("data")}
WEB = """
[[key]]
name = "vault"
access = "denied"
[[security_group]]
name = "web"
ingress = [{ port = 443 }]
[[instance]]
name = "web"
private_ip = "172.31.0.77"
public_ip = "198.51.100.7"
ipv6 = ["2001:db8::7"]
security_groups = ["web"]
tags = { team = "<script>" }
volume = [
  { device = "/dev/xvda", image = "root.img", tags = { backup = "daily" } },
  { device = "/dev/xvdf", image = "data.img", size_gib = 30 },
]
[[instance]]
name = "locked"
state = "stopped"
volume = [{ device = "/dev/xvda", image = "root.img", key = "vault" }]
[[instance]]
name = "store"
[[instance]]
name = "gone"
state = "terminated"
volume = [{ device = "/dev/xvda", image = "root.img" }]
"""


class Seen(AccountTest):
    """Tests that change nothing, over one account."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.account = Running(HEAD + WEB, root=ROOT, data=DATA)
        cls.addClassCleanup(cls.account.stop)
        cls.ec2 = cls.account.client("ec2")

    def test_who_it_is(self) -> None:
        self.assertEqual(self.account.client("sts").get_caller_identity()["Account"], "111122223333")
        self.assertEqual(self.account.client("iam").list_account_aliases()["AccountAliases"], ["shop"])
        regions = [region["RegionName"] for region in self.ec2.describe_regions()["Regions"]]
        self.assertEqual(sorted(regions), ["eu-west-1", "us-east-1"])
        stranger = self.account.client("ec2", aws_access_key_id="AKIAUNKNOWNUNKNOWN00")
        self.refused("AuthFailure", stranger.describe_instances)
        self.refused("AuthFailure", self.account.client("ec2", "ap-south-1").describe_instances)

    def test_an_instance_has_what_the_file_says(self) -> None:
        web = self.account.instance("web")
        self.assertEqual((web["PrivateIpAddress"], web["PublicIpAddress"]), ("172.31.0.77", "198.51.100.7"))
        [interface] = web["NetworkInterfaces"]
        self.assertEqual(interface["Ipv6Addresses"][0]["Ipv6Address"], "2001:db8::7")
        self.assertEqual([group["GroupName"] for group in web["SecurityGroups"]], ["web"])
        self.assertIn({"Key": "team", "Value": "<script>"}, web["Tags"])
        devices = [mapping["DeviceName"] for mapping in web["BlockDeviceMappings"]]
        self.assertEqual((web["RootDeviceName"], devices), ("/dev/xvda", ["/dev/xvda", "/dev/xvdf"]))
        stored = self.account.instance("store")
        self.assertEqual((stored["RootDeviceType"], stored["BlockDeviceMappings"]), ("instance-store", []))
        [locked] = self.ec2.describe_volumes(VolumeIds=[self.account.id("locked:/dev/xvda")])["Volumes"]
        key = self.account.id("vault")
        self.assertEqual((locked["Encrypted"], locked["KmsKeyId"].rpartition("/")[2]), (True, key))
        self.refused("AccessDeniedException", self.account.client("kms").describe_key, KeyId=key)

    def test_ids_are_the_same_for_the_same_file(self) -> None:
        again = self.start(WEB, root=ROOT, data=DATA)
        self.assertEqual(self.account.id("web:/dev/xvdf"), again.id("web:/dev/xvdf"))

    def test_refusals_are_those_of_ec2(self) -> None:
        create = self.ec2.create_snapshots
        for code, id in [
            ("InvalidInstanceID.Malformed", "i-1"),
            ("InvalidInstanceID.NotFound", "i-0123456789abcdef0"),
            ("InvalidParameterValue", self.account.id("store")),
            ("IncorrectInstanceState", self.account.id("gone")),
        ]:
            self.refused(code, create, InstanceSpecification={"InstanceId": id})
        self.refused("InvalidVolume.NotFound", self.ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")
        self.refused("InvalidSnapshot.NotFound", self.ec2.delete_snapshot, SnapshotId="snap-0123456789abcdef0")
        self.refused("InvalidParameterValue", self.ec2.describe_snapshots, SnapshotIds=["snap-x"])
        self.refused(
            "InvalidAction",
            self.ec2.import_volume,
            AvailabilityZone="a",
            Image={"Format": "RAW", "Bytes": 1, "ImportManifestUrl": "a"},
            Volume={"Size": 1},
        )
        self.assertEqual(self.account.control("snapshots")["made"], 0)

    def test_a_dry_run_does_nothing(self) -> None:
        web = self.account.id("web")
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}]
        spec = {"InstanceId": web}
        for call, parameters in [
            (self.ec2.create_snapshots, {"InstanceSpecification": spec, "TagSpecifications": tags}),
            (self.ec2.describe_volumes, {}),
            (self.ec2.describe_snapshots, {}),
            (self.ec2.delete_snapshot, {"SnapshotId": "snap-0123456789abcdef0"}),
        ]:
            error = self.refused("DryRunOperation", call, DryRun=True, **parameters)
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 412)
        self.assertEqual(self.account.control("snapshots")["snapshots"], [])


class Snapped(AccountTest):
    def setUp(self) -> None:
        self.account = self.start(WEB, root=ROOT, data=DATA)
        self.ec2, self.ebs = self.account.client("ec2"), self.account.client("ebs")

    def test_a_snapshot_has_the_blocks_of_the_image(self) -> None:
        ids = made_by(self.ec2, self.account.id("web"))
        self.assertEqual(states(self.ec2, ids), [("pending", "0%")] * 2)
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=ids[0])
        self.assertEqual(states(self.ec2, ids), [("pending", "33%")] * 2)
        self.assertEqual(states(self.ec2, ids), [("completed", "100%")] * 2)
        self.assertEqual([read(self.ebs, id) for id in ids], [ROOT, DATA])
        sizes = [self.ebs.list_snapshot_blocks(SnapshotId=id)["VolumeSize"] for id in ids]
        self.assertEqual(sizes, [1, 30])
        through_one_endpoint = self.account.client("ebs", endpoint_url=self.account.ready["ec2"])
        self.assertEqual(read(through_one_endpoint, ids[0]), ROOT)
        self.ec2.delete_snapshot(SnapshotId=ids[0])
        self.refused("ResourceNotFoundException", self.ebs.list_snapshot_blocks, SnapshotId=ids[0])
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=ids)

    def test_a_key_without_access_closes_the_blocks(self) -> None:
        ids = made_by(self.ec2, self.account.id("locked"))
        completed(self.ec2, ids)
        error = self.refused("AccessDeniedException", self.ebs.list_snapshot_blocks, SnapshotId=ids[0])
        self.assertEqual(error.response["Reason"], "DEPENDENCY_ACCESS_DENIED")

    def test_parts_of_an_instance_and_tags(self) -> None:
        web, data = self.account.id("web"), self.account.id("web:/dev/xvdf")
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "sweep", "Value": "1"}]}]
        spec = {"InstanceId": web, "ExcludeDataVolumeIds": [data]}
        [only_root] = self.ec2.create_snapshots(
            InstanceSpecification=spec, TagSpecifications=tags, CopyTagsFromSource="volume", Description="a sweep"
        )["Snapshots"]
        expected = [{"Key": "backup", "Value": "daily"}, {"Key": "sweep", "Value": "1"}]
        self.assertEqual(sorted(only_root["Tags"], key=lambda tag: tag["Key"]), expected)
        self.assertEqual(only_root["Description"], "a sweep")
        spec = {"InstanceId": web, "ExcludeBootVolume": True}
        [only_data] = self.ec2.create_snapshots(InstanceSpecification=spec)["Snapshots"]
        self.assertEqual((only_data["VolumeId"], only_data["State"]), (data, "pending"))
        by_tag = self.ec2.describe_snapshots(Filters=[{"Name": "tag:sweep", "Values": ["1"]}])["Snapshots"]
        self.assertEqual([one["SnapshotId"] for one in by_tag], [only_root["SnapshotId"]])

    def test_the_books_tell_who_called_what(self) -> None:
        ids = made_by(
            self.ec2,
            self.account.id("web"),
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}],
        )
        completed(self.ec2, ids)
        read(self.ebs, ids[0])
        self.refused("InvalidVolume.NotFound", self.ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")
        books = self.account.control("calls")
        me = "arn:aws:iam::111122223333:user/standin"
        calls = books["calls"]
        self.assertEqual(calls["ec2:CreateSnapshot"]["results"], {"InvalidVolume.NotFound": 1})
        self.assertEqual(calls["ec2:DescribeSnapshots"]["principals"], {me: 3})
        self.assertEqual(calls["ebs:GetSnapshotBlock"]["principals"], {me: 2})
        needed = books["iam_actions"][me]
        self.assertIn("ec2:CreateTags", needed)
        self.assertEqual(
            [name for name in needed if name.startswith("ebs:")], ["ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks"]
        )
        # One list and two blocks at $0.0006 and $0.003 per thousand.
        self.assertEqual(books["dollars"]["total"], 0.0000066)
        left = self.account.control("snapshots")
        self.assertEqual((left["made"], left["deleted"], left["left"]), (2, 0, 2))
        for id in ids:
            self.ec2.delete_snapshot(SnapshotId=id)
        left = self.account.control("snapshots")
        self.assertEqual((left["deleted"], left["left"], left["snapshots"]), (2, 0, []))

    def test_a_later_snapshot_shows_what_was_written_since(self) -> None:
        web, volume = self.account.id("web"), self.account.id("web:/dev/xvdf")
        first = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        changed = self.account.root / "root.img"
        self.account.control("volumes", {"volume": "web:/dev/xvdf", "image": str(changed)})
        second = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        completed(self.ec2, [first, second])
        listed = self.ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
        self.assertEqual([block["BlockIndex"] for block in listed], [0, 5, 7])
        self.account.control("instances", {"instance": "web", "state": "terminated"})
        self.assertEqual(self.account.instance("web")["State"]["Name"], "terminated")
        self.refused("IncorrectInstanceState", self.ec2.create_snapshots, InstanceSpecification={"InstanceId": web})


if __name__ == "__main__":
    unittest.main()
