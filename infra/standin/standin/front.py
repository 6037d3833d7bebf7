"""What stands before moto: credentials, rates, faults, the EBS direct APIs, the ledger, and the controls."""

from __future__ import annotations

import re
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from . import control, trust, wire
from .build import set_state
from .faults import Fault
from .wire import Answer, Call
from .world import Account, Region, World

_GLOBAL = {"iam", "sts", "organizations", "s3"}
Start = Callable[..., Any]


class Front:
    """A WSGI application over moto's."""

    def __init__(self, world: World, moto: Callable[[dict[str, Any], Start], Iterable[bytes]]):
        self.world = world
        self.moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(control.PREFIX):
            return _send(control.serve(self.world, environ), start_response)
        call = wire.read_call(environ)
        if call is None:
            code, message = "MissingAuthenticationToken", "Request is missing Authentication Token"
            return _send(wire.error("ec2", 403, code, message), start_response)
        if call.service == "ebs":
            # Counted where it is served.
            return _send_or_break(self.world.ebs.forward(environ), environ, start_response)
        answer = self._perform(call, environ)
        return _send_or_break(answer, environ, start_response)

    def _perform(self, call: Call, environ: dict[str, Any]) -> Answer | None:
        known = self.world.principal(call.access_key)
        if known is None:
            self.world.ledger.write(call, "unknown", call.access_key, "unknown access key")
            return _unknown_key(call)
        account_id, arn = known
        answer = self._answer(call, self.world.accounts[account_id], arn, environ)
        self.world.ledger.write(call, account_id, arn, "dropped" if answer is None else answer.error or "ok")
        return answer

    def _answer(self, call: Call, account: Account, arn: str, environ: dict[str, Any]) -> Answer | None:
        region = account.regions.get(call.region)
        if region is None and call.service not in _GLOBAL:
            return _unknown_key(call)
        if not account.rates.allow(call.region, call.action):
            throttled = "RequestLimitExceeded" if call.service == "ec2" else "Throttling"
            return wire.error(call.service, 503 if call.service == "ec2" else 400, throttled, "Request limit exceeded.")
        fault = self._fault(call, account, arn, region)
        if fault and fault.error:
            return wire.error(call.service, fault.status, fault.error, fault.message)
        if fault and fault.drop == "before":
            return None
        if fault and fault.terminate == "before" and region:
            self._terminate(call, region)
        put_back = self._move(fault, call, region) if fault and region else None
        if fault and fault.delay_ms:
            time.sleep(fault.delay_ms / 1000)
        answer = _refusal(call, self.world, account.id, arn) or self._ask_moto(call, environ)
        if put_back:
            with self.world.lock:
                put_back()
        self._learn_role(call, answer)
        answer = _shortened(call, answer, account.description.account.session_seconds)
        if fault and fault.terminate == "after" and region:
            self._terminate(call, region)
        return None if fault and fault.drop == "after" else answer

    def _fault(self, call: Call, account: Account, arn: str, region: Region | None) -> Fault | None:
        with self.world.lock:
            family = region.family(call.resources) if region else set()
            tags = region.tags(family) if region else {}
        return account.faults.of_call(call, arn, family, tags)

    def _terminate(self, call: Call, region: Region) -> None:
        with self.world.lock:
            for id in region.family(call.resources):
                if id.startswith("i-"):
                    set_state(region.moto.get_instance(id), "terminated")

    def _move(self, fault: Fault, call: Call, region: Region) -> Callable[[], Any] | None:
        """Detaches or attaches the volume that a fault names; how to undo that, if it is to be undone."""
        with self.world.lock:
            if fault.attach:
                instance = next(id for id in call.resources if id.startswith("i-"))
                region.moto.attach_volume(region.id_of(fault.attach), instance, "/dev/xvdz")
            if not fault.detach:
                return None
            volume = region.id_of(fault.detach)
            attachment = region.moto.get_volume(volume).attachment
            if attachment is None:
                return None
            instance, device = attachment.instance.id, attachment.device
            region.moto.detach_volume(volume, instance, device)
            return (lambda: region.moto.attach_volume(volume, instance, device)) if fault.back else None

    def _ask_moto(self, call: Call, environ: dict[str, Any]) -> Answer:
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            started.update(status=int(status.split()[0]), headers=headers)

        try:
            with self.world.lock:
                body = b"".join(self.moto(environ, start_response))
        except NotImplementedError as error:
            return wire.error(call.service, 400, "InvalidAction", f"{call.name} is not in the stand-in: {error}")
        except Exception:
            traceback.print_exc()
            return wire.error(call.service, 500, "InternalError", f"{call.name} failed; see the stand-in's stderr")
        headers = [(name, value) for name, value in started["headers"] if name.lower() != "content-length"]
        return Answer(started["status"], headers, body)

    def _learn_role(self, call: Call, answer: Answer) -> None:
        """Keys of a role that was assumed are of its account from now on."""
        if call.name != "sts:AssumeRole" or answer.error:
            return
        text = answer.body.decode()
        key = re.search(r"<AccessKeyId>(\w+)</AccessKeyId>", text).group(1)
        arn = re.search(r"<Arn>([^<]+)</Arn>", text).group(1)
        self.world.add_principal(key, arn.split(":")[4], arn)


def _shortened(call: Call, answer: Answer, seconds: int) -> Answer:
    """Credentials of a role that say they last for so long."""
    if call.name != "sts:AssumeRole" or answer.error or not seconds:
        return answer
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds)).encode()
    body = re.sub(rb"<Expiration>[^<]+<", b"<Expiration>" + end + b"<", answer.body)
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return Answer(answer.status, headers, body)


def _refusal(call: Call, world: World, account: str, arn: str) -> Answer | None:
    """What AWS refuses and moto does not: roles that cannot be assumed, keys that cannot be seen."""
    if call.name == "sts:AssumeRole":
        role, external_id = (str(call.parameters.get(name, "")) for name in ("RoleArn", "ExternalId"))
        if not trust.may_assume(role, account, arn, external_id):
            return wire.error("sts", 403, "AccessDenied", _denied(arn, "sts:AssumeRole", role))
    if call.name in ("kms:DescribeKey", "kms:Decrypt") and _is_denied(call, world):
        return wire.error("kms", 400, "AccessDeniedException", _denied(arn, call.name, call.parameters["KeyId"]))
    return None


def _denied(arn: str, action: str, resource: str) -> str:
    return f"User: {arn} is not authorized to perform: {action} on resource: {resource}"


def _is_denied(call: Call, world: World) -> bool:
    asked = str(call.parameters.get("KeyId", ""))
    for region in world.regions():
        for arn, access in region.key_access.items():
            id = arn.rpartition("/")[2]
            if access == "denied" and asked and asked in (arn, id, f"alias/{region.names.get(id)}"):
                return True
    return False


def _unknown_key(call: Call) -> Answer:
    if call.service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return wire.error("ec2", 401, "AuthFailure", message)
    invalid = "The security token included in the request is invalid."
    if call.service in ("sts", "iam"):
        return wire.error(call.service, 403, "InvalidClientTokenId", invalid)
    return wire.error(call.service, 400, "UnrecognizedClientException", invalid)


def _send(answer: Answer, start_response: Start) -> Iterable[bytes]:
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    start_response(f"{answer.status} -", headers)
    return [answer.body]


def _send_or_break(answer: Answer | None, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Without an answer the connection is closed."""
    if answer is not None:
        return _send(answer, start_response)
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    start_response("500 -", [])
    return []
