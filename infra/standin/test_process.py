"""The process: its start, its end, and what it says of a file that is wrong."""

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

from running import HEAD, HERE, Running
from standin.description import DescriptionError
from standin.description import read as read_description


class Process(unittest.TestCase):
    def test_it_ends_with_its_child(self) -> None:
        for by, code in [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]:
            account = Running(HEAD)
            [child] = Path(f"/proc/{account.pid}/task/{account.pid}/children").read_text().split()
            self.assertEqual(account.stop(by), code)
            for _ in range(3000):
                if not _is_alive(child):
                    break
                time.sleep(0.01)
            self.assertFalse(_is_alive(child), "the EBS stand-in outlived its account")

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
            (HEAD + "access_key = 'test'\n", "access key 'test' is not 20 capital letters and digits"),
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
