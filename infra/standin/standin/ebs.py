"""The process of ebs-standin: its start and end, its controls, and calls that are passed on to it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from .wire import Answer

_TIMEOUT = 120
_STAYS_HERE = {"host", "connection", "transfer-encoding", "content-length"}


class EbsError(Exception):
    """The EBS stand-in did not do what it was told."""


class Ebs:
    """A running ebs-standin; it ends with this process, however that ends, for it holds our pipe."""

    def __init__(self, program: Path):
        command = [str(program), "--listen", "127.0.0.1:0", "--stop-with-stdin"]
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise EbsError(f"cannot start {program}: {error} (cargo build -p ebs-standin makes it)") from error
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            self.process.wait()
            raise EbsError(f"{program} did not start")
        self.url = line.removeprefix("listening on ").strip()
        self._address = self.url.removeprefix("http://")

    def stop(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def add_snapshot(self, **about: Any) -> None:
        self._control("POST", "snapshots", about)

    def change_snapshot(self, snapshot: str, **change: Any) -> None:
        self._control("POST", f"snapshots/{snapshot}", change)

    def remove_snapshot(self, snapshot: str) -> None:
        self._control("DELETE", f"snapshots/{snapshot}")

    def add_account(self, access_key: str, account: str) -> None:
        self._control("POST", "accounts", {"access_key": access_key, "account": account})

    def set_faults(self, faults: dict[str, Any]) -> None:
        self._control("POST", "faults", faults)

    def reset(self) -> None:
        self._control("POST", "reset")

    def stats(self) -> dict[str, Any]:
        return self._control("GET", "stats")

    def log(self) -> list[dict[str, Any]]:
        return self._control("GET", "log")

    def snapshots(self) -> dict[str, dict[str, Any]]:
        return {snapshot["id"]: snapshot for snapshot in self._control("GET", "snapshots")}

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._request(method, f"/_standin/{path}", b"" if body is None else json.dumps(body).encode(), {})
        if answer.status != 200:
            raise EbsError(f"{method} {path}: {answer.body.decode(errors='replace')}")
        return json.loads(answer.body)

    def forward(self, environ: dict[str, Any]) -> Answer | None:
        """Passes a request on; None where the connection broke, as faults break it."""
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers = {name: value for name, value in headers.items() if name not in _STAYS_HERE}
        path = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
        try:
            return self._request(environ["REQUEST_METHOD"], path, environ["wsgi.input"].read(), headers)
        except (OSError, http.client.HTTPException):
            return None

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _STAYS_HERE]
            return Answer(response.status, kept, response.read())
        finally:
            connection.close()


def default_program() -> Path:
    """Where `cargo build -p ebs-standin` puts it."""
    root = Path(__file__).resolve().parents[3]
    target = Path(os.environ.get("CARGO_TARGET_DIR") or root / "target")
    return (target if target.is_absolute() else root / target) / "debug" / "ebs-standin"
