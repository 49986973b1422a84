"""The addresses of the preview as somebody: the tools, the page in its frame, and what the pickers offer."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tabwright.admin_ui import choosing
from tabwright.admin_ui.previewing import asking
from tabwright.admin_ui.previewing.asking import Asked
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.model import Model, label_in
from tabwright.platform.errors import NotFound, TabwrightError
from tabwright.platform.language import register_messages
from tabwright.platform.web import framed, frames, policy
from tabwright.runtime.pages.record_page import read_record, row_parts
from tabwright.runtime.pages.seeing_as import VIEW_AS, Seen, desk_as, page_of
from tabwright.runtime.pages.world import Desk, local_path

register_messages(Path(__file__).with_name("messages.json"))


def register(blueprint: Blueprint, site: Site) -> None:
    """Put it below /studio/preview."""

    @blueprint.get("/preview")
    @policy("session")
    def preview() -> Response:
        """The pickers, and the page that they lead to."""
        return frames(_tools(open_studio(site)))

    @blueprint.get("/preview/page")
    @policy("session")
    def preview_page() -> Response:
        studio = open_studio(site)
        model = studio.drafting.checked.model
        if model is None:
            raise NotFound.of("studio.preview.faults")
        return framed(_page(studio, model))

    @blueprint.get("/preview/people")
    @policy("session")
    def preview_people() -> Response:
        studio = open_studio(site)
        studio.call.gate.require_right(VIEW_AS)
        q = request.args.get("q", "")
        return choosing.offered(studio, asking.people(studio, q), q, people=True)

    @blueprint.get("/preview/records/<object>")
    @policy("session")
    def preview_records(object: str) -> Response:
        studio = open_studio(site)
        model = studio.drafting.checked.model or studio.call.model
        found = model.find(object.lower())
        q = request.args.get("q", "")
        return choosing.offered(studio, asking.records(studio, found, q) if found is not None else (), q)


def _tools(studio: Studio) -> Response:
    model = studio.drafting.checked.model
    back = local_path(request.args.get("back", ""), "")
    if model is None:
        return studio.page("preview.html", "preview", 200, asked=None, back=back)
    asked, language = asking.read(studio, model), studio.call.language
    return studio.page(
        "preview.html",
        "preview",
        asked=asked,
        back=back,
        objects=[(each.name, label_in(each.labels, language)) for each in asking.objects(studio, model)],
        may_choose=asking.may_choose_person(studio),
        is_other=asked.person != studio.call.principal.user_id,
        src=f"/studio/preview/page?{urlencode(_query(asked))}",
        lead=lambda **more: f"/studio/preview?{urlencode({**_query(asked), **_kept(back), **more})}",
        title=_title(studio, asked),
    )


def _query(asked: Asked) -> dict[str, str]:
    found = {"object": asked.object.name, "as": asked.person.hex, "show": asked.show}
    if asked.record is not None:
        found["record"] = asked.record.hex
    if asked.is_phone:
        found["width"] = "phone"
    if asked.layout:
        found["layout"] = asked.layout
    return found


def _kept(back: str) -> dict[str, str]:
    return {"back": back} if back else {}


def _title(studio: Studio, asked: Asked) -> str:
    return studio.s("preview.what", who=asked.person_name, record=asked.record_name)


def _page(studio: Studio, model: Model) -> Response:
    asked = asking.read(studio, model)
    if asked.record is None:
        raise NotFound.of("record.not_found", object=asked.object.name)
    look = asking.look_of(studio, asked)
    theirs = desk_as(studio.desk, model, look.person)
    s, release = studio.s, studio.call.model.release
    asked_for = _query(asked)
    kept = {key: value for key, value in asked_for.items() if key in ("as", "show", "width")}
    seen = Seen(
        s("preview.tag") if studio.drafting.draft.differences else s("preview.tag_release", release=release),
        _title(studio, asked),
        _note(studio, asked, theirs),
        s("preview.nothing"),
        f"/studio/preview?{urlencode(kept)}",
    )
    return page_of(studio.desk, theirs, look, seen)


def _note(studio: Studio, asked: Asked, theirs: Desk) -> str:
    """By which layout the record shows, and that nothing is shown which only the other person may see."""
    s, object, language = studio.s, asked.object, studio.call.language
    said = []
    try:
        theirs.call.gate.require(object, "read")
        assert asked.record is not None
        row = read_record(theirs.call, theirs.reads, object, asked.record)
        used = row_parts(theirs.call, object, row).layout
    except TabwrightError:
        return ""
    wanted = object.layouts.get(asked.layout.partition(".")[2])
    name = label_in(used.labels, language)
    if wanted is None or wanted.name == used.name:
        said.append(s("preview.layout", name=name))
    else:
        said.append(s("preview.layout_other", name=name, wanted=label_in(wanted.labels, language)))
    if asked.person != studio.call.principal.user_id:
        said.append(s("preview.both"))
    return " ".join(said)
