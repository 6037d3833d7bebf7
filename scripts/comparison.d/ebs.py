#!/usr/bin/env python3
"""Scans a disk as an EBS snapshot through the stand-in, and writes what was read when.

Usage: ebs.py FOLDER IMAGE RUNS [LATENCY_MS [BLOCKS_A_SECOND]]. SIDELIGHT and STANDIN name the binaries. Writes FOLDER/out/ebs.json.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

folder, image, runs = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
latency, rate = (sys.argv[4:] + ["30", "1000"][len(sys.argv[4:]) :])[:2]
SNAPSHOT = "snap-0123456789abcdef0"
SLICES = 20


def start():
    ready = pathlib.Path(tempfile.mkdtemp()) / "url"
    options = ["--snapshot", f"{SNAPSHOT}={image}", "--latency-ms", latency, "--account-rate", rate, "--snapshot-rate", rate]
    standin = subprocess.Popen([os.environ["STANDIN"], *options, "--ready-file", ready], stdout=subprocess.DEVNULL)
    while not ready.exists() or not ready.read_text().strip():
        time.sleep(0.05)
    return standin, ready.read_text().strip()


def ask(url, path, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_standin/{path}", method=method)) as answer:
        return json.loads(answer.read() or "null")


def scan(url, options):
    ask(url, "reset", "POST")
    environment = os.environ | {"AWS_ENDPOINT_URL_EBS": url, "AWS_ACCESS_KEY_ID": "AKIACOMPARISON", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}
    command = [os.environ["SIDELIGHT"], "scan", "--no-match", "--quiet", "--format", "json", *options, SNAPSHOT]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    report = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    log, stats = ask(url, "log"), ask(url, "stats")
    first, last = min(call["start_us"] for call in log), max(call["end_us"] for call in log)
    in_flight = []
    for number in range(SLICES):
        begin = first + (last - first) * number / SLICES
        end = first + (last - first) * (number + 1) / SLICES
        held = sum(max(0, min(call["end_us"], end) - max(call["start_us"], begin)) for call in log)
        in_flight.append(held / (end - begin))
    blocks = [call for call in log if call["action"] == "GetSnapshotBlock"]
    return {
        "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * 1024, "packages": sum(len(asset["packages"]) for asset in report["assets"]),
        "blocks": stats["distinct_blocks"], "sent": stats["blocks"], "allocated": report["receipt"]["blocks_allocated"], "calls": len(log),
        "throttled": sum("Throttl" in call["result"] or "THROTTL" in call["result"] for call in log), "max in flight": stats["max_in_flight"],
        "in flight": in_flight, "first to last call": (last - first) / 1e6, "log": [(call["start_us"] - first, call["end_us"] - first, call["index"]) for call in blocks],
    }  # fmt: skip


standin, url = start()
try:
    outcome = {"latency": latency, "rate": rate}
    for name, options in {"os": ["--only", "os"], "full": []}.items():
        some = sorted((scan(url, options) for _ in range(runs)), key=lambda one: one["seconds"])
        median = some[len(some) // 2]
        median["most seconds"], median["most memory"] = some[-1]["seconds"], max(one["memory"] for one in some)
        median["memory"] = statistics.median(one["memory"] for one in some)
        outcome[name] = median
        print(f"ebs: {name}: " + ", ".join(f"{key} {value}" for key, value in median.items() if key != "log"), file=sys.stderr)
finally:
    standin.terminate()
    standin.wait()
(folder / "out/ebs.json").write_text(json.dumps(outcome))
