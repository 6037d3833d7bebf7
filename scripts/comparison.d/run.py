#!/usr/bin/env python3
"""Runs Sidelight and its peers over one disk, in turn, and writes what each lists and what each cost.

Usage: run.py FOLDER IMAGE MOUNTED RUNS [NAME...]. A NAME is a row of COMMANDS; without one, all are run. FOLDER/peers has the peers, SIDELIGHT names the binary. Page caches are dropped
before each cold run, and the disk is read once before the warm ones. Writes FOLDER/out/NAME.json and FOLDER/out/costs.json.
"""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

folder, image, mounted, runs = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
sidelight, out = os.environ["SIDELIGHT"], folder / "out"
out.mkdir(exist_ok=True)
trivy = [
    "--cache-dir", folder / "peers/cache", "--quiet", "--format", "json", "--list-all-pkgs", "--scanners", "vuln",
    "--skip-db-update", "--skip-java-db-update", "--offline-scan", "--timeout", "30m", "--output",
]  # fmt: skip
COMMANDS = {
    "sidelight": [sidelight, "scan", "--no-match", "--quiet", "--format", "json", "--output", out / "sidelight.json", image],
    "sidelight --only os": [sidelight, "scan", "--no-match", "--quiet", "--only", "os", "--format", "json", "--output", out / "os.json", image],
    "trivy vm": [folder / "peers/trivy", "vm", *trivy, out / "trivy vm.json", image],
    "trivy rootfs": [folder / "peers/trivy", "rootfs", *trivy, out / "trivy rootfs.json", mounted],
    "syft dir": [folder / "peers/syft", "scan", "--quiet", "--output", f"syft-json={out / 'syft dir.json'}", f"dir:{mounted}"],
}  # fmt: skip


def drop_caches():
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("1\n")


def run(name):
    """CPU seconds, seconds and peak bytes of one run, by the kernel's account of the process and its children."""
    environment = os.environ | {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
    with open(out / f"{name}.log", "wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(COMMANDS[name], stdout=log, stderr=log, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    # Of Sidelight 3 says that there are gaps.
    if process.returncode not in (0, 3):
        sys.exit(f"{name}: ended with {process.returncode}: {(out / f'{name}.log').read_text()[-2000:]}")
    return {"cpu": used.ru_utime + used.ru_stime, "seconds": seconds, "memory": used.ru_maxrss * 1024}


def all_runs(name):
    drop_caches()
    cold = [run(name)]
    # Slow ones differ little from run to run.
    enough = runs if cold[0]["seconds"] < 30 else min(runs, 3) if cold[0]["seconds"] < 90 else 1
    warm = [run(name) for _ in range(enough)]
    for _ in range(enough - 1):
        drop_caches()
        cold.append(run(name))
    of = lambda some, key: statistics.median(one[key] for one in some)  # noqa: E731
    cost = {key: of(warm, key) for key in ("cpu", "seconds", "memory")}
    cost |= {f"cold {key}": of(cold, key) for key in ("cpu", "seconds", "memory")}
    return cost | {"runs": enough, "load": os.getloadavg()[0], "most memory": max(one["memory"] for one in warm + cold)}


before = out / "costs.json"
costs = json.loads(before.read_text()) if sys.argv[5:] and before.exists() else {}
for name in sys.argv[5:] or COMMANDS:
    costs[name] = all_runs(name)
    print(f"run: {name}: " + ", ".join(f"{key} {value:.2f}" for key, value in costs[name].items()), file=sys.stderr)
(out / "costs.json").write_text(json.dumps({name: costs[name] for name in COMMANDS if name in costs}, indent=1))
