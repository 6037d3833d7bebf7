"""For the tests: a running account over images that are made here, and boto3 clients as witnesses."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from standin.__main__ import main

BLOCK = 512 * 1024
HERE = Path(__file__).resolve().parent
# No retries: a test sees every answer.
ONCE = Config(retries={"total_max_attempts": 1})
# One for all: it keeps the service models, which take a second to read.
_SESSION = boto3.Session()
HEAD = """
[account]
id = "111122223333"
alias = "shop"
regions = ["eu-west-1", "us-east-1"]
"""


def pattern(seed: str) -> bytes:
    """A block that is not zero, and the same for the same seed."""
    return hashlib.sha256(seed.encode()).digest() * (BLOCK // 32)


def write_image(path: Path, blocks: dict[int, bytes], count: int) -> None:
    """A sparse image of `count` blocks."""
    with path.open("wb") as file:
        file.truncate(count * BLOCK)
        for index, data in blocks.items():
            file.seek(index * BLOCK)
            file.write(data)


class Running:
    """The accounts of some TOML texts; the first is the one that clients are of."""

    def __init__(self, text: str, *others: str, **images: dict[int, bytes]):
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        for name, blocks in images.items():
            write_image(root / f"{name}.img", blocks, 8)
        files = []
        for n, one in enumerate([text, *others]):
            files.append(root / f"account-{n}.toml")
            files[-1].write_text(one)
        self.errors = (root / "stderr").open("w+")
        arguments = ["--images", str(root), "--output-env", str(root / "env"), *map(str, files)]
        self.pid, output = _fork(arguments, self.errors.fileno())
        with os.fdopen(output) as lines:
            line = lines.readline()
        if not line:
            raise AssertionError(self._end())
        self.ready = json.loads(line)
        self.root = root

    def client(self, service: str, region: str = "eu-west-1", **keys: str) -> Any:
        """By default with the key that the account announced."""
        env = self.ready["env"]
        endpoint = env["AWS_ENDPOINT_URL_EBS" if service == "ebs" else "AWS_ENDPOINT_URL"]
        given = {
            "aws_access_key_id": env["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": endpoint,
        }
        return _SESSION.client(service, region_name=region, config=ONCE, **given | keys)

    def control(self, name: str, body: Any = None) -> Any:
        """A GET, or with a body a POST."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.ready['control']}/{name}", data=data) as answer:
            return json.load(answer)

    def id(self, name: str, region: str = "eu-west-1", account: str = "111122223333") -> str:
        return self.control("names")[account][region][name]

    def instance(self, name: str) -> dict[str, Any]:
        """As DescribeInstances shows it."""
        answer = self.client("ec2").describe_instances(InstanceIds=[self.id(name)])
        return answer["Reservations"][0]["Instances"][0]

    def stop(self, by: int = signal.SIGTERM) -> int:
        """Its exit code; negative for the signal that ended it."""
        os.kill(self.pid, by)
        sys.stderr.write(self._end())
        return self.exit_code

    def _end(self) -> str:
        """Waits for the end, and gives what was said on stderr."""
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.errors.seek(0)
        told = self.errors.read()
        self.errors.close()
        self.folder.cleanup()
        return told


def _fork(arguments: list[str], stderr: int) -> tuple[int, int]:
    """The account as a process of its own, without the seconds that importing moto takes; and its stdout."""
    output, stdout = os.pipe()
    pid = os.fork()
    if pid:
        os.close(stdout)
        return pid, output
    code = 70
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        sys.argv, sys.stdout, sys.stderr = ["account", *arguments], os.fdopen(1, "w"), os.fdopen(2, "w")
        code = main()
        sys.stderr.flush()
    finally:
        os._exit(code)


class AccountTest(unittest.TestCase):
    """A test of accounts: `self.start` gives one that ends with the test."""

    def start(self, text: str, *others: str, **images: dict[int, bytes]) -> Running:
        account = Running(HEAD + text, *others, **images)
        self.addCleanup(account.stop)
        return account

    def refused(self, code: str, call: Any, **parameters: Any) -> ClientError:
        """The call ends with this error code."""
        with self.assertRaises(ClientError) as raised:
            call(**parameters)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        return raised.exception


def made_by(ec2: Any, instance: str, **more: Any) -> list[str]:
    """Snapshots of all volumes of an instance, as ids."""
    answer = ec2.create_snapshots(InstanceSpecification={"InstanceId": instance}, **more)
    return [snapshot["SnapshotId"] for snapshot in answer["Snapshots"]]


def states(ec2: Any, ids: list[str]) -> list[tuple[str, str]]:
    """State and progress, in the order of ids."""
    shown = {one["SnapshotId"]: one for one in ec2.describe_snapshots(SnapshotIds=ids)["Snapshots"]}
    return [(shown[id]["State"], shown[id]["Progress"]) for id in ids]


def completed(ec2: Any, ids: list[str]) -> None:
    """Looks at snapshots until they are completed; more often than any of these accounts asks is a failure."""
    for _ in range(10):
        if {state for state, _ in states(ec2, ids)} == {"completed"}:
            return
    raise AssertionError(f"not completed: {states(ec2, ids)}")


def read(ebs: Any, snapshot: str) -> dict[int, bytes]:
    """All blocks of a snapshot, by the EBS direct APIs."""
    listed = ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
    blocks = {}
    for block in listed:
        answer = ebs.get_snapshot_block(SnapshotId=snapshot, **block)
        blocks[block["BlockIndex"]] = answer["BlockData"].read()
    return blocks
