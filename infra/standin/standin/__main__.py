"""The command line: describe, start, say where, and end cleanly."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

# Before moto is imported: an account of ours has nothing but what is described.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from . import build, ec2
from .description import Description, DescriptionError, read
from .ebs import Ebs, EbsError, default_program
from .front import Front
from .world import World

EXAMPLES = """\
examples:
  infra/standin/images /tmp/images
  infra/standin/account --images /tmp/images --output-env /tmp/env infra/standin/three.toml &
  . /tmp/env && aws ec2 describe-instances
  curl -s "$SIDELIGHT_STANDIN/calls" | jq .calls

controls (JSON, not signed), under $SIDELIGHT_STANDIN:
  GET  calls      counts by action, principal and result; IAM actions that were needed; dollars of EBS reads
  GET  log        every call in order     GET names      ids of what the file names
  GET  snapshots  what exists now; `left` are those made through the API and not deleted
  GET  faults     how often each fired    POST faults    {"faults": [...], "account": ID}
  POST volumes    {"volume": NAME, "image": PATH}: later snapshots of the volume have that image
  POST instances  {"instance": NAME, "state": "running" | "stopped" | "terminated"}
  POST reset      the books start again; what exists stays
"""
_TICK = 0.2


class _Quiet(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            super().log(type, message, *args)


def main() -> int:
    arguments = _arguments()
    try:
        return _run(arguments)
    except (DescriptionError, EbsError, OSError) as error:
        print(f"account: {error}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="account",
        description="Serves AWS accounts that TOML files describe, on loopback: EC2, STS, IAM, KMS and what else "
        "moto has, and the EBS direct APIs over disk images.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an account; several are served at once")
    parser.add_argument("--images", type=Path, default=Path("."), help="the folder of the disk images (default: .)")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--ebs-standin", type=Path, default=default_program(), help="its path (default: %(default)s)")
    parser.add_argument("--output-env", type=Path, help="a file to write shell `export` lines to when ready")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> int:
    descriptions = [read(path) for path in arguments.files]
    _check(descriptions)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.output_env:
        # Its coming tells that the account is ready.
        arguments.output_env.unlink(missing_ok=True)
    ebs = Ebs(arguments.ebs_standin)
    try:
        world = World(descriptions, ebs)
        build.fill(world, arguments.images)
        world.send_ebs_faults()
        ec2.install(world)
        front = Front(world, DomainDispatcherApplication(create_backend_app))
        server = make_server("127.0.0.1", arguments.port, front, threaded=True, request_handler=_Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _announce(world, descriptions, server.port, arguments.output_env)
        return _wait(world, stop)
    finally:
        ebs.stop()


def _check(descriptions: list[Description]) -> None:
    ids = [one.account.id for one in descriptions]
    if len(set(ids)) < len(ids):
        raise DescriptionError("two files describe one account")
    if sum(bool(one.ebs) for one in descriptions) > 1:
        raise DescriptionError("only one file may have a table [ebs]: one server serves all accounts")


def _announce(world: World, descriptions: list[Description], port: int, env_file: Path | None) -> None:
    endpoint, first = f"http://127.0.0.1:{port}", descriptions[0].account
    env = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_EBS": world.ebs.url,
        "AWS_ACCESS_KEY_ID": first.access_key,
        "AWS_SECRET_ACCESS_KEY": "standin",
        "AWS_REGION": first.regions[0],
        "AWS_DEFAULT_REGION": first.regions[0],
        "AWS_EC2_METADATA_DISABLED": "true",
        "SIDELIGHT_STANDIN": f"{endpoint}/_standin",
    }
    if env_file:
        # Renamed into place, so that no one reads half of it.
        part = env_file.with_name(env_file.name + ".part")
        part.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in env.items()))
        part.rename(env_file)
    ready = {
        "ec2": endpoint,
        "ebs": world.ebs.url,
        "control": env["SIDELIGHT_STANDIN"],
        "accounts": {one.account.id: one.account.access_key for one in descriptions},
        "env": env,
    }
    print(json.dumps(ready), flush=True)


def _wait(world: World, stop: threading.Event) -> int:
    """Until a signal; meanwhile snapshots get older, and a lost EBS stand-in is not overlooked."""
    while not stop.wait(_TICK):
        if world.ebs.process.poll() is not None:
            raise EbsError(f"ebs-standin ended with {world.ebs.process.returncode}")
        world.advance()
    return 0


if __name__ == "__main__":
    sys.exit(main())
