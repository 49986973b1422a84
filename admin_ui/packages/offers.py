"""A package that was brought and not yet taken: its plan, what is to be chosen, into the draft or at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS
from tabwright.admin_ui.navigation import href_of, icon_of, kind_title, path
from tabwright.admin_ui.packages.listing import packaging_of
from tabwright.admin_ui.packages.listing import page as list_page
from tabwright.admin_ui.plan import FaultLine, accepted, fault_line, plan_context
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.admin_ui.wording import title_of, value_in_words
from tabwright.metadata import limits
from tabwright.metadata.archives import Files, read_archive
from tabwright.metadata.model import label_in
from tabwright.metadata.packages import files_in
from tabwright.metadata.upgrading import Step
from tabwright.platform.errors import Denied, Fault, Invalid, NotFound, TabwrightError
from tabwright.platform.web import policy
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.publishing.packaging import Proposal
from tabwright.runtime.publishing.service import Plan

SHOWN = 40  # properties of one document that are shown side by side


@dataclass(frozen=True, slots=True)
class Side:
    """One property of a document as the tenant and as the package have it; None where it is not there."""

    title: str
    mine: str | None
    theirs: str | None
    both: bool  # changed by both: here somebody has to choose


@dataclass(frozen=True, slots=True)
class Choice:
    """A document that the organisation changed, beside what the package brings."""

    uid: str
    kind: str
    icon: str
    label: str
    name: str
    href: str | None
    sides: tuple[Side, ...]
    more: int
    mine_gone: bool
    theirs_gone: bool
    taken: bool


def choice(studio: Studio, step: Step) -> Choice:
    """One step of an upgrade as it is shown."""
    component, language = step.component, studio.call.language
    clashing = set(step.pointers)
    sides = [
        Side(
            title_of(component, each.pointer, language),
            value_in_words(component, each.pointer, each.old, language),
            value_in_words(component, each.pointer, each.new, language),
            any(each.pointer == one or each.pointer.startswith(one + "/") for one in clashing)
            or any(one.startswith(each.pointer + "/") for one in clashing),
        )
        for each in step.both
    ]
    sides.sort(key=lambda each: not each.both)
    label = studio.label(component)
    if component.object is not None and component.kind != "object":
        label = f"{studio.title_of('object', component.object)} › {label}"
    return Choice(
        component.uid,
        kind_title(component.kind, language),
        icon_of(component.kind),
        label,
        component.name,
        href_of(component.kind, component.name) if step.mine is not None else None,
        tuple(sides[:SHOWN]),
        max(0, len(sides) - SHOWN),
        step.mine is None,
        step.theirs is None,
        step.taken,
    )


def _taken() -> frozenset[str]:
    """The documents of which the form wants the package's."""
    given = request.form if request.method == "POST" else request.args
    found = (name.partition(".")[2] for name, value in given.items() if value == "theirs")
    return frozenset(each for each in found if each)


def _page(studio: Studio, id: UUID, failed: Sequence[Fault] = ()) -> Response:
    taken = _taken()
    packaging = packaging_of(studio)
    proposal = packaging.propose(id, taken)
    _require_own(studio, proposal)
    found, language = proposal.upgrade, studio.call.language
    package = found.package
    plan: Plan | None = None
    faults: tuple[FaultLine, ...] = tuple(fault_line(studio, each) for each in found.faults)
    if found.tree is not None:
        plan = packaging.plan(proposal)
    counts = Counter(each.outcome for each in found.steps)
    installed = packaging.installed(proposal.before).get(package.name)
    return studio.page(
        "package_offer.html",
        "packages",
        409 if failed else 200,
        id=id,
        title=label_in(package.labels, language) or package.name,
        text=label_in(package.description, language) if package.description else "",
        name=package.name,
        version=package.version,
        installed=installed.package.version if installed is not None else "",
        is_there=any(each.body.get("package") == package.name for each in proposal.before),
        outcomes=tuple((key, counts[key]) for key in ("added", "changed", "removed") if counts[key]),
        choices=tuple(choice(studio, each) for each in found.steps if each.outcome == "clash"),
        kept=tuple(
            choice(studio, each)
            for each in found.steps
            if each.outcome == "kept" or (each.taken and each.outcome != "clash")
        ),
        blocked=faults,
        failed=tuple(fault_line(studio, each) for each in failed),
        nothing=found.tree == proposal.before,
        release=proposal.release,
        samples=tuple(studio.title_of("object", each) for each in package.samples),
        plan=plan_context(studio, plan) if plan is not None else None,
    )


def _require_own(studio: Studio, proposal: Proposal) -> None:
    if proposal.version.author != studio.call.principal.user_id:
        raise NotFound.of("package.no_offer")


def _offer(studio: Studio, files: Files) -> Response:
    try:
        id = packaging_of(studio).offer(studio.call.principal, files)
    except REFUSALS as error:
        return list_page(studio, error.faults)
    return redirect(path("packages", "offers", id.hex))


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of bringing and taking packages."""

    @blueprint.post("/packages/upload")
    @policy("session", upload=True)
    def upload_package() -> Response:
        studio = open_studio(site, change=True)
        file = request.files.get("file")
        try:
            if file is None or not file.filename:
                raise Invalid.of("studio.packages.no_file")
            files = read_archive(file.stream.read(limits.package_bytes + 1))
        except TabwrightError as error:
            if error.status >= 500:
                raise
            return list_page(studio, error.faults)
        return _offer(studio, files)

    @blueprint.post("/packages/template")
    @policy("session")
    def choose_template() -> Response:
        studio = open_studio(site, change=True)
        wanted = request.form.get("name", "")
        folder = next((each for each in site.templates.iterdir() if each.name == wanted), None)
        if folder is None:
            raise NotFound.of("package.not_found", folder=wanted[:60])
        return _offer(studio, files_in(folder))

    @blueprint.get("/packages/offers/<uuid:id>")
    @policy("session")
    def package_offer(id: UUID) -> Response:
        return _page(open_studio(site, change=True), id)

    @blueprint.post("/packages/offers/<uuid:id>")
    @policy("session")
    def take_package(id: UUID) -> Response:
        """``do``: look (with other choices), draft, or publish."""
        studio = open_studio(site, change=True)
        packaging, wanted = packaging_of(studio), request.form.get("do", "look")
        _require_own(studio, packaging.propose(id))
        if wanted not in ("draft", "publish"):
            return _page(studio, id)
        try:
            if wanted == "draft":
                return _into_draft(studio, id)
            expected = request.form.get("expected", "")
            plan = packaging.plan(packaging.propose(id, _taken())) if "accept" in request.form else None
            done = packaging.publish(
                studio.call.principal,
                id,
                _taken(),
                expected=int(expected) if expected.isascii() and expected.isdigit() else None,
                accepts=accepted(plan) if plan is not None else {},
                request_id=studio.call.request_id,
            )
        except (*REFUSALS, Denied) as error:
            return _page(studio, id, error.faults)
        if done is None:
            studio.flash("packages.same")
        elif done.waiting is not None:
            studio.flash("plan.waiting")
        else:
            studio.flash("packages.installed", release=done.release)
        return redirect(path("packages"))


def _into_draft(studio: Studio, id: UUID) -> Response:
    found = packaging_of(studio).into_draft(studio.call.principal.user_id, id, _taken())
    if found.upgrade.tree == found.before:
        studio.flash("packages.same")
        return redirect(path("packages"))
    studio.flash("packages.drafted")
    return redirect(path("plan"))
