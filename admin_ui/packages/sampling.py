"""Sample records of a package: loaded and taken back by jobs, through the functions of the command line.

The platform itself writes them, so they go only into objects that the package brought, and only on the word
of somebody who may create records in each of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Blueprint, Response

from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata import installed
from tabwright.metadata.installed import Version
from tabwright.metadata.store import Trees
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.errors import Conflict, Fault, NotFound
from tabwright.platform.jobs import Job, JobRun, Jobs
from tabwright.platform.language import Language, say
from tabwright.platform.web import policy
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.exchange import samples
from tabwright.runtime.pages.signing import redirect

if TYPE_CHECKING:
    from tabwright.runtime.publishing.releases import CompiledReleases

LOAD = "samples.load"
REMOVE = "samples.remove"
LISTED = 50  # records that stayed, in a job's result


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of an installed package. ``objects``: titles of the objects that they are of."""

    package: str
    objects: tuple[str, ...]
    loaded: bool
    may: bool


def samples_of(studio: Studio, name: str, version: Version | None) -> Samples | None:
    """A package's samples; None where it has none in force."""
    loaded = bool(samples.loaded(studio.call, name))
    if version is None or not version.package.samples:
        return Samples(name, (), True, studio.may_change) if loaded else None
    objects = [studio.call.model.objects.get(each) for each in version.package.samples]
    known = [each for each in objects if each is not None]
    may = studio.may_change and all(studio.call.gate.may(each, "create") for each in known)
    titles = tuple(studio.title_of("object", each.name) for each in known)
    return Samples(name, titles, loaded, may and bool(known))


def _require(studio: Studio, names: tuple[str, ...]) -> None:
    """Raises Denied unless this person may create records in each object (NotFound for hidden ones)."""
    gate = studio.call.gate
    gate.require_right("customise")
    for name in names:
        gate.require(gate.object(name), "create")


def start_load(studio: Studio, name: str) -> UUID:
    """Begin loading the samples of an installed package; the job's id.

    Raises NotFound, Denied, Conflict (``import.samples_loaded``), Invalid (``import.samples_foreign``).
    """
    call = studio.call
    trees = studio.publishing.releases.trees
    with call.tenant.store.read() as reader:
        version = installed.in_force(reader, trees).get(name)
    if version is None or not version.package.samples:
        raise NotFound.of("package.not_installed", package=name)
    samples.check_samples(call.model, name, version.package.samples)
    if samples.loaded(call, name):
        raise Conflict.of("import.samples_loaded", package=name)
    _require(studio, version.package.samples)
    return _start(studio, LOAD, {"package": name, "version": version.id.hex})


def start_remove(studio: Studio, name: str) -> UUID:
    """Begin taking the samples of a package back; the job's id. Raises NotFound, Denied."""
    if not samples.loaded(studio.call, name):
        raise NotFound.of("import.samples_none", package=name)
    studio.call.gate.require_right("customise")
    return _start(studio, REMOVE, {"package": name})


def _start(studio: Studio, kind: str, payload: Mapping[str, Any]) -> UUID:
    call = studio.call
    given = {**payload, "language": call.language, "zone": call.zone}
    with call.tenant.store.write() as writer:
        return call.tenant.jobs.add(
            writer, kind, given, key=f"samples:{payload['package']}", created_by=call.principal.user_id
        )


# ---- the jobs --------------------------------------------------------------------------------------


def register_jobs(jobs: Jobs, tenancy: Tenancy, releases: CompiledReleases, clock: Clock, ids: Ids) -> None:
    """Make the jobs known to the workers."""

    def acting(run: JobRun) -> Call:
        tenant = tenancy.open(run.location)
        model = tenant.at_release()
        language: Language = "en" if run.payload["language"] == "en" else "zh"
        zone = run.payload["zone"]
        return Call(
            tenant, Principal.system(language, zone), model, Gate.system(model), clock, ids, language, zone,
            f"job-{run.id.hex}", "import",
        )  # fmt: skip

    def load(run: JobRun) -> Any:
        return _load(run, acting(run), releases.stored.trees)

    def remove(run: JobRun) -> Any:
        return _remove(run, acting(run))

    jobs.register(LOAD, load, runs_as="system")
    jobs.register(REMOVE, remove, runs_as="system")


def _load(run: JobRun, call: Call, trees: Trees) -> dict[str, Any]:
    name, id = run.payload["package"], UUID(run.payload["version"])
    if run.tries > 1 and samples.loaded(call, name):  # an earlier try was cut off: its part goes first
        samples.remove_samples(call, name)
    with call.tenant.store.read() as reader:
        files = installed.samples(reader, id)
        wanted = installed.get(reader, trees, id).package.samples
    done: dict[str, int] = {}

    def progress(object: str, count: int) -> None:
        done[object] = count
        run.progress(sum(done.values()))

    return {"counts": samples.load_all(call, name, {each: files[each] for each in wanted}, progress)}


def _remove(run: JobRun, call: Call) -> dict[str, Any]:
    records = 0

    def progress(file: str, count: int) -> None:
        nonlocal records
        records += count
        run.progress(records)

    done = samples.remove_samples(call, run.payload["package"], progress)
    left = [_kept(each) for each in done.left[:LISTED]]
    return {"records": done.records, "left": left, "more": max(0, len(done.left) - LISTED)}


def _kept(fault: Fault) -> dict[str, Any]:
    known = {**fault.place.known(), **fault.params}
    params = {name: str(value) for name, value in known.items() if value is not None}
    return {"code": fault.code, "params": params}


# ---- the pages -------------------------------------------------------------------------------------


def _job_of(studio: Studio, id: UUID) -> Job:
    with studio.call.tenant.store.read() as reader:
        job = studio.call.tenant.jobs.get(reader, id)
    if job.kind not in (LOAD, REMOVE):
        raise NotFound.of("job.not_found", job=str(id))
    return job


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of samples."""

    @blueprint.post("/packages/<name>/samples")
    @policy("session")
    def load_samples(name: str) -> Response:
        studio = open_studio(site, change=True)
        return redirect(path("samples-job", start_load(studio, name).hex))

    @blueprint.post("/packages/<name>/samples/remove")
    @policy("session")
    def remove_samples(name: str) -> Response:
        studio = open_studio(site, change=True)
        return redirect(path("samples-job", start_remove(studio, name).hex))

    @blueprint.get("/samples-job/<uuid:id>")
    @policy("session")
    def samples_job(id: UUID) -> Response:
        studio = open_studio(site)
        job = _job_of(studio, id)
        result, language = job.result or {}, studio.call.language
        counts = result.get("counts", {})
        return studio.page(
            "samples_job.html",
            "packages",
            job=job,
            is_load=job.kind == LOAD,
            going=job.state in ("waiting", "running"),
            total=sum(counts.values()),
            counts=tuple(
                (name, studio.title_of("object", name), count) for name, count in counts.items() if count
            ),
            records=result.get("records", 0),
            left=tuple(
                (given.get("object"), given.get("record"), say(code, given, language))
                for code, given in ((each["code"], each["params"]) for each in result.get("left", ()))
            ),
            more=result.get("more", 0),
            errors=tuple(
                say(each["code"], each.get("params", {}), language)
                for each in (job.error or {}).get("faults", ())
            ),
        )
