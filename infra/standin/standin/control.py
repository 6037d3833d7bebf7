"""The controls under `/_standin/`: no part of AWS, not signed, in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .build import set_state
from .description import DescriptionError
from .ebs import EbsError
from .wire import Answer
from .world import Region, World

PREFIX = "/_standin/"


class ControlError(Exception):
    """The control cannot do what it was asked for."""


def serve(world: World, environ: dict[str, Any]) -> Answer:
    """Answers a control."""
    name = environ["PATH_INFO"].removeprefix(PREFIX)
    control = _CONTROLS.get((environ["REQUEST_METHOD"], name))
    if control is None:
        return _answer(404, {"error": f"no control {environ['REQUEST_METHOD']} {name}"})
    try:
        text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return _answer(200, control(world, json.loads(text) if text else {}))
    except (ControlError, DescriptionError, EbsError, ValueError, KeyError) as error:
        return _answer(400, {"error": f"{type(error).__name__}: {error}"})


def _answer(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(value, default=str).encode())


def _calls(world: World, _: Any) -> Any:
    return world.ledger.counts(world.ebs.stats(), world.arns())


def _log(world: World, _: Any) -> Any:
    return {"control_plane": world.ledger.log(), "ebs": world.ebs.log()}


def _snapshots(world: World, _: Any) -> Any:
    """What exists now; `left` counts those that were made through the API and not deleted."""
    world.advance()
    served = world.ebs.snapshots()
    with world.lock:
        regions = world.regions()
        shown = [_about(region, id, served) for region in regions for id in sorted(region.lives)]
        made, deleted = sum(region.made for region in regions), sum(region.deleted for region in regions)
    return {"snapshots": shown, "made": made, "deleted": deleted, "left": sum(one["made"] for one in shown)}


def _about(region: Region, id: str, served: dict[str, Any]) -> dict[str, Any]:
    life = region.lives[id]
    volume = life.record.volume
    return {
        "id": id,
        "name": region.names.get(id),
        "account": region.account.id,
        "region": region.name,
        "owner": life.record.owner_id,
        "volume": volume.id,
        "volume_name": region.names.get(volume.id),
        "state": life.record.status,
        "progress": life.progress,
        "made": life.made,
        "tags": dict(sorted(region.moto.tags.get(id, {}).items())),
        "ebs": served.get(id),
    }


def _names(world: World, _: Any) -> Any:
    """The ids of what the description names, by account and region."""
    return {
        account.id: {
            region.name: {name: id for id, name in sorted(region.names.items(), key=lambda one: one[1])}
            for region in account.regions.values()
        }
        for account in world.accounts.values()
    }


def _faults(world: World, _: Any) -> Any:
    return {account.id: account.faults.about() for account in world.accounts.values()}


def _set_faults(world: World, asked: dict[str, Any]) -> Any:
    accounts = world.accounts
    named = accounts[asked["account"]] if "account" in asked else next(iter(accounts.values()))
    world.set_faults(named, asked["faults"])
    return {}


def _set_volume(world: World, asked: dict[str, Any]) -> Any:
    """Gives a volume another image: what was written since the last snapshot."""
    image = Path(asked["image"])
    if not image.is_file():
        raise ControlError(f"there is no image {image}")
    with world.lock:
        region, id = _find(world, asked["volume"], "vol-")
        region.images[id] = image.resolve()
    return {"volume": id}


def _set_instance(world: World, asked: dict[str, Any]) -> Any:
    with world.lock:
        region, id = _find(world, asked["instance"], "i-")
        set_state(region.moto.get_instance(id), asked["state"])
    return {"instance": id}


def _find(world: World, name: str, prefix: str) -> tuple[Region, str]:
    for region in world.regions():
        id = region.id_of(name)
        if id in region.names and id.startswith(prefix):
            return region, id
    raise ControlError(f"nothing is named {name!r}")


def _reset(world: World, _: Any) -> Any:
    """The books start again; what exists stays."""
    world.ledger.reset()
    world.ebs.reset()
    return {}


_CONTROLS = {
    ("GET", "calls"): _calls,
    ("GET", "log"): _log,
    ("GET", "snapshots"): _snapshots,
    ("GET", "names"): _names,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _set_faults,
    ("POST", "volumes"): _set_volume,
    ("POST", "instances"): _set_instance,
    ("POST", "reset"): _reset,
}
