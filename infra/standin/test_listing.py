"""What is listed and to whom: pages, other owners, and roles."""

from __future__ import annotations

import unittest

from running import AccountTest, pattern, read

ROOT = {0: pattern("root"), 5: pattern("more")}


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
        account = self.start(
            '[[role]]\nname = "Scanner"\nexternal_id = "secret"\n[[snapshot]]\nname = "s"\nimage = "root.img"\n',
            root=ROOT,
        )
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

    def test_one_account_reaches_another_through_a_role(self) -> None:
        target = (
            '[account]\nid = "444455556666"\nregions = ["eu-west-1"]\n[[role]]\nname = "Reader"\n'
            '[[snapshot]]\nname = "s"\nimage = "root.img"\n'
        )
        account = self.start("", target, root=ROOT)
        there = account.id("s", account="444455556666")
        ec2, ebs, sts = (account.client(name) for name in ("ec2", "ebs", "sts"))
        self.assertEqual(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"], [])
        error = self.refused("AccessDeniedException", ebs.list_snapshot_blocks, SnapshotId=there)
        self.assertEqual(error.response["Reason"], "UNAUTHORIZED_ACCOUNT")
        keys = sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/Reader", RoleSessionName="test")["Credentials"]
        given = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        [seen] = account.client("ec2", **given).describe_snapshots(OwnerIds=["self"])["Snapshots"]
        self.assertEqual((seen["SnapshotId"], seen["OwnerId"]), (there, "444455556666"))
        self.assertEqual(read(account.client("ebs", **given), there), ROOT)


if __name__ == "__main__":
    unittest.main()
