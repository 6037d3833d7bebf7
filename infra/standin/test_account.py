"""The account as a client sees it: what is described, pages, lives of snapshots, blocks, and the books."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from standin.description import DescriptionError
from standin.description import read as read_description

from running import HEAD, HERE, AccountTest, Running, made_by, pattern, read, states

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
        spec = lambda id: {"InstanceSpecification": {"InstanceId": id}}
        for code, id in [
            ("InvalidInstanceID.Malformed", "i-1"),
            ("InvalidInstanceID.NotFound", "i-0123456789abcdef0"),
            ("InvalidParameterValue", self.account.id("store")),
            ("IncorrectInstanceState", self.account.id("gone")),
        ]:
            self.refused(code, create, **spec(id))
        self.refused("InvalidVolume.NotFound", self.ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")
        self.refused("InvalidSnapshot.NotFound", self.ec2.delete_snapshot, SnapshotId="snap-0123456789abcdef0")
        self.refused("InvalidParameterValue", self.ec2.describe_snapshots, SnapshotIds=["snap-x"])
        self.refused("InvalidAction", self.ec2.import_volume, AvailabilityZone="a", Image={"Format": "RAW", "Bytes": 1, "ImportManifestUrl": "a"}, Volume={"Size": 1})
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
        while states(self.ec2, ids)[0][0] == "pending":
            pass
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
        ids = made_by(self.ec2, self.account.id("web"), TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}])
        while states(self.ec2, ids)[0][0] == "pending":
            pass
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
        self.assertEqual([name for name in needed if name.startswith("ebs:")], ["ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks"])
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
        while ("pending", "33%") in states(self.ec2, [first, second]) + states(self.ec2, [first, second]):
            pass
        listed = self.ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
        self.assertEqual([block["BlockIndex"] for block in listed], [0, 5, 7])
        self.account.control("instances", {"instance": "web", "state": "terminated"})
        self.assertEqual(self.account.instance("web")["State"]["Name"], "terminated")
        self.refused("IncorrectInstanceState", self.ec2.create_snapshots, InstanceSpecification={"InstanceId": web})


class Paged(AccountTest):
    def test_every_listing_is_cut_and_complete(self) -> None:
        hosts = "".join(
            f'[[instance]]\nname = "host-{n}"\nvolume = [{{ device = "/dev/xvda" }}]\n'
            f'[[ami]]\nname = "ami-{n}"\nvolume = [{{ device = "/dev/xvda" }}]\n'
            for n in range(13)
        )
        account = self.start(f"[pages]\nsize = 5\nempty_every = 3\n{hosts}")
        ec2 = account.client("ec2")
        for operation, of in [
            ("describe_instances", lambda page: [one["Instances"][0]["InstanceId"] for one in page["Reservations"]]),
            ("describe_volumes", lambda page: [one["VolumeId"] for one in page["Volumes"]]),
            ("describe_images", lambda page: [one["ImageId"] for one in page["Images"]]),
            ("describe_snapshots", lambda page: [one["SnapshotId"] for one in page["Snapshots"]]),
        ]:
            with self.subTest(operation):
                pages = [of(page) for page in ec2.get_paginator(operation).paginate()]
                every = [id for page in pages for id in page]
                self.assertEqual((len(every), len(set(every))), (13, 13))
                self.assertLessEqual(max(map(len, pages)), 5)
                self.assertIn([], pages)
                token = getattr(ec2, operation)(MaxResults=6)["NextToken"]
                self.refused("InvalidNextToken", getattr(ec2, operation), NextToken=token[:-4])
                self.refused("InvalidParameterValue", getattr(ec2, operation), MaxResults=3)
        token = ec2.describe_volumes()["NextToken"]
        other = [{"Name": "status", "Values": ["available"]}]
        self.refused("InvalidNextToken", ec2.describe_volumes, NextToken=token, Filters=other)

    def test_what_is_deleted_between_two_pages_hides_nothing(self) -> None:
        account = self.start("".join(f'[[snapshot]]\nname = "s{n}"\n' for n in range(9)))
        ec2 = account.client("ec2")
        first = ec2.describe_snapshots()
        for snapshot in first["Snapshots"]:
            ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        second = ec2.describe_snapshots(NextToken=first["NextToken"])
        self.assertEqual((len(first["Snapshots"]), len(second["Snapshots"])), (5, 4))
        self.assertNotIn("NextToken", second)


class Owned(AccountTest):
    def test_snapshots_of_others_are_seen_but_not_touched(self) -> None:
        account = self.start(
            '[[snapshot]]\nname = "ours"\nimage = "root.img"\n'
            '[[snapshot]]\nname = "theirs"\nimage = "root.img"\nowner = "999988887777"\n'
            '[[ami]]\nname = "golden"\nvolume = [{ device = "/dev/xvda", image = "root.img" }]\n',
            root=ROOT,
        )
        ec2, ebs = account.client("ec2"), account.client("ebs")
        everyones = [one["SnapshotId"] for one in ec2.describe_snapshots()["Snapshots"]]
        own = [one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]]
        theirs, golden = account.id("theirs"), account.id("golden:/dev/xvda")
        self.assertEqual(set(everyones) - set(own), {theirs})
        self.refused("InvalidSnapshot.NotFound", ec2.delete_snapshot, SnapshotId=theirs)
        self.refused("AccessDeniedException", ebs.list_snapshot_blocks, SnapshotId=theirs)
        self.assertEqual(read(ebs, account.id("ours")), ROOT)
        [image] = ec2.describe_images(Owners=["self"])["Images"]
        self.assertEqual(image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"], golden)
        self.refused("InvalidSnapshot.InUse", ec2.delete_snapshot, SnapshotId=golden)

    def test_a_role_is_assumed_with_its_external_id_only(self) -> None:
        account = self.start('[[role]]\nname = "Scanner"\nexternal_id = "secret"\n[[snapshot]]\nname = "s"\nimage = "root.img"\n', root=ROOT)
        sts = account.client("sts")
        role = {"RoleArn": "arn:aws:iam::111122223333:role/Scanner", "RoleSessionName": "test"}
        self.refused("AccessDenied", sts.assume_role, **role)
        self.refused("AccessDenied", sts.assume_role, **role, ExternalId="guess")
        elsewhere = role | {"RoleArn": "arn:aws:iam::444455556666:role/Scanner"}
        self.refused("AccessDenied", sts.assume_role, **elsewhere, ExternalId="secret")
        keys = sts.assume_role(**role, ExternalId="secret")["Credentials"]
        given = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        account.client("ec2", **given).describe_snapshots()
        self.assertEqual(read(account.client("ebs", **given), account.id("s")), ROOT)
        iam = account.client("iam")
        trust = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "%s"}}]}'
        for name, principal in [("Other", "arn:aws:iam::444455556666:root"), ("Own", "111122223333")]:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust % principal)
        made = {"RoleSessionName": "test", "RoleArn": "arn:aws:iam::111122223333:role/"}
        self.refused("AccessDenied", sts.assume_role, **made | {"RoleArn": made["RoleArn"] + "Other"})
        sts.assume_role(**made | {"RoleArn": made["RoleArn"] + "Own"})
        scanner = account.control("calls")["iam_actions"]["arn:aws:sts::111122223333:assumed-role/Scanner/test"]
        self.assertEqual(scanner, ["ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks", "ec2:DescribeSnapshots"])


class Process(unittest.TestCase):
    def test_it_ends_with_its_child(self) -> None:
        for by, code in [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]:
            account = Running(HEAD)
            [child] = Path(f"/proc/{account.pid}/task/{account.pid}/children").read_text().split()
            self.assertEqual(account.stop(by), code)
            while _is_alive(child):
                time.sleep(0.01)

    def test_the_command_says_where_it_serves(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (file := Path(folder, "account.toml")).write_text(HEAD)
            command = [HERE / "account", "--output-env", Path(folder, "env"), file]
            environment = os.environ | {"SIDELIGHT_VENV": sys.prefix}
            account = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
            ready = json.loads(account.stdout.readline())
            exported = subprocess.check_output(["sh", "-c", f". {folder}/env; env"], text=True)
            account.terminate()
            self.assertEqual((account.wait(), account.stdout.read()), (0, ""))
            account.stdout.close()
        for name, value in ready["env"].items():
            self.assertIn(f"\n{name}={value}\n", f"\n{exported}")
        self.assertEqual(ready["accounts"], {"111122223333": "AKIA111122223333TEST"})
        self.assertRegex(ready["ec2"], r"^http://127\.0\.0\.1:\d+$")

    def test_a_missing_image_is_told(self) -> None:
        with self.assertRaises(AssertionError) as failed:
            Running(HEAD + "[[instance]]\nname = 'a'\nvolume = [{ device = 'b', image = 'none.img' }]\n")
        self.assertRegex(str(failed.exception), "^account: there is no image .*/none.img$")

    def test_a_wrong_file_is_told(self) -> None:
        for text, told in [
            ("[account]\nid = '1'\n", "is not 12 digits"),
            (HEAD + "[[instance]]\nname = 'a'\nstat = 'running'\n", "instance[0].stat is not a known key"),
            (HEAD + "[[instance]]\nname = 'a'\nstate = 'runs'\n", "'runs' is not 'running' or 'stopped'"),
            (HEAD + "[[instance]]\nstate = 'running'\n", "instance[0].name is missing"),
            (HEAD + "[pages]\nsize = '5'\n", "pages.size: '5' is not int"),
        ]:
            with self.subTest(told), tempfile.TemporaryDirectory() as folder:
                (file := Path(folder, "account.toml")).write_text(text)
                with self.assertRaises(DescriptionError) as failed:
                    read_description(file)
                self.assertIn(told, str(failed.exception))

    def test_the_examples_are_valid(self) -> None:
        twenty = read_description(HERE / "twenty.toml")
        self.assertEqual(len(twenty.instance), 20)
        self.assertEqual(len(read_description(HERE / "three.toml").instance), 3)


def _is_alive(process: str) -> bool:
    """A zombie is not: it waits for a parent that may never look."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    unittest.main()
