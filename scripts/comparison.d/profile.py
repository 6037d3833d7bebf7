#!/usr/bin/env python3
"""Says what Sidelight's memory and time go to: peaks by size of its cache and by what is searched, and where perf finds it.

Usage: profile.py FOLDER IMAGE. SIDELIGHT names the binary, which has to have its symbols for names. Writes FOLDER/out/profile.json.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

folder, image = pathlib.Path(sys.argv[1]), sys.argv[2]
out = folder / "out"
SCAN = [os.environ["SIDELIGHT"], "scan", "--no-match", "--quiet", "--format", "json", "--output", "/dev/null"]
VARIANTS = {
    "as it is": [], "`--cache-size 16`": ["--cache-size", "16"], "`--cache-size 4`": ["--cache-size", "4"],
    "without the web archive, whose archives are unpacked": ["--exclude-path", "/srv/tomcat"],
    "`/etc`, `/boot`, `/var` only": ["--exclude-path", "/usr", "--exclude-path", "/opt", "--exclude-path", "/srv"],
    "`--only os`": ["--only", "os"],
}  # fmt: skip


def peak(options):
    process = subprocess.Popen([*SCAN, *options, image])
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_maxrss * 1024, used.ru_utime + used.ru_stime


def hot():
    """Where samples of the CPU were taken: percent and name."""
    if not shutil.which("perf"):
        return []
    data = folder / "perf.data"
    subprocess.run(["perf", "record", "-q", "-F", "1500", "-o", data, *SCAN, image], stderr=subprocess.DEVNULL)
    report = ["perf", "report", "-i", data, "--stdio", "--percent-limit", "1.5", "--fields", "overhead,symbol"]
    text = subprocess.run(report, capture_output=True, text=True).stdout
    data.unlink(missing_ok=True)
    return re.findall(r"^ +([\d.]+)% +\[.\] (.*?) *$", text, re.M)


profile = {"peaks": {name: peak(options) for name, options in VARIANTS.items()}, "hot": hot()}
(out / "profile.json").write_text(json.dumps(profile, indent=1))
