"""Access to one record: with whom it is shared, who sees it through what, and why somebody may or may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.errors import Conflict, Denied, Invalid, LimitReached, Malformed, NotFound
from tabwright.platform.language import say, say_fault
from tabwright.platform.web import policy, visit
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.access.share_rows import KINDS, WITH_BELOW, Share, Terms, Whom
from tabwright.runtime.access.sharing import Shares
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.inputs import Option
from tabwright.runtime.forms.shown import colour_of, initials
from tabwright.runtime.pages import lookups
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.shell import plural, singular
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.query.naming import named
from tabwright.runtime.query.options import lookup_options
from tabwright.runtime.reasons.changes import Proposal, least_changes
from tabwright.runtime.reasons.explaining import RIGHT, Explanation, explain_in, question
from tabwright.runtime.reasons.people import Seers, may_ask, who_sees

_ASKED = ("read", "edit", "delete", "transfer", "share")
_OPTIONS = 4  # of each kind


@dataclass(frozen=True, slots=True)
class ShownShare:
    grantee: str
    whom: str
    kind: str
    initials: str
    colour: str
    level: str
    role: str
    reason: str
    by: str
    until: str


@dataclass(frozen=True, slots=True)
class ShownPart:
    text: str
    note: str
    css: str


@dataclass(frozen=True, slots=True)
class ShownLayer:
    label: str
    css: str  # is-yes, is-no, is-mute
    parts: tuple[ShownPart, ...]


@dataclass(frozen=True, slots=True)
class ShownChange:
    text: str
    reach: str


@dataclass(frozen=True, slots=True)
class ShownThrough:
    text: str
    note: str
    count: int
    people: tuple[tuple[str, str, str, str], ...]  # id, name, initials, colour


@dataclass(frozen=True, slots=True)
class Why:
    who: str
    allowed: bool
    verdict: str
    layers: tuple[ShownLayer, ...]
    changes: tuple[ShownChange, ...]


@dataclass(frozen=True, slots=True)
class AccessPage:
    object: ObjectDef
    id: UUID
    at: str
    name: str
    plural: str
    may_share: bool
    is_part: bool
    shares: tuple[ShownShare, ...]
    through: tuple[ShownThrough, ...] | None  # None for who may not know
    count: int
    more: bool
    q: str
    why: Why | None
    asked: Mapping[str, str]
    may_explain: bool
    operations: tuple[tuple[str, str], ...]
    levels: tuple[tuple[str, str], ...]
    typed: Mapping[str, str]
    errors: tuple[str, ...]


def access_page(
    desk: Desk,
    object: ObjectDef,
    id: UUID,
    typed: Mapping[str, str] | None = None,
    errors: Sequence[str] = (),
) -> AccessPage:
    """The page of one record. Raises NotFound where it may not be known."""
    call, t = desk.call, text(desk.call.language)
    call.gate.require(object, "read")
    shown = desk.call.gate.can_read(object.fields[object.name_field])
    row = desk.reads.get(object.name, id, (object.name_field, "owner") if shown else ("owner",))
    zone = ZoneInfo(call.zone)
    shares = Shares(call)
    args = request.args
    user = _uuid(args.get("user")) or call.principal.user_id
    operation = args.get("op") if args.get("op") in _ASKED else "read"
    with call.tenant.store.read() as reader:
        is_part = object.master is not None
        sharable = not is_part and object.package != BASE
        may_share = sharable and shares.may_share(object, {"id": id, "owner": row.get("owner")}, reader)
        given = shares.of_readable(reader, id) if sharable else []
        knows = may_ask(call, reader, object, id)
        seers = who_sees(call, reader, object, id, args.get("q", "")[:100]) if knows else Seers((), 0, False)
    may_explain = call.gate.has(RIGHT)
    why: Why | None = None
    failed = list(errors)
    if "op" in args:
        try:
            asked = question(call, user, object.name, str(operation), id, None)
            with call.tenant.store.read() as reader:
                told = explain_in(call, reader, asked)
                why = _why(desk, told, least_changes(call, reader, told) if may_explain else ())
        except (NotFound, Invalid, Denied) as error:
            failed += [say_fault(each, call.language) for each in error.faults]
    ends = (call.clock.now() + timedelta(days=call.tenant.limits.share_days)).astimezone(zone).date()
    who = named(call, [(call.model.objects["user"].uid, user)])
    return AccessPage(
        object=object,
        id=id,
        at=f"/o/{object.name}/{id}/access",
        name=str(row.get(object.name_field) or t("record.nameless")),
        plural=plural(object, call.language),
        may_share=may_share,
        is_part=is_part,
        shares=shown_shares(call, given),
        through=_through(desk, seers) if knows else None,
        count=seers.count,
        more=seers.more,
        q=args.get("q", "")[:100],
        why=why,
        asked={"user": user.hex, "name": who[user].name if user in who else "", "op": str(operation)},
        may_explain=may_explain,
        operations=tuple(
            (each, say(f"access.verb.{each}", {}, call.language))
            for each in _ASKED
            if not is_part or each not in ("transfer", "share")
        ),
        levels=tuple((each, t(f"share.level_{each}")) for each in ("read", "edit", "full")),
        typed=typed or {**dict.fromkeys(_FORM, ""), "level": "read", "until": ends.isoformat()},
        errors=tuple(failed),
    )


def shown_shares(call: Call, shares: Sequence[Share]) -> tuple[ShownShare, ...]:
    """Shares in words, with the names that this person may know."""
    t = text(call.language)
    objects, zone = call.model.objects, ZoneInfo(call.zone)
    wanted = [(objects[each.whom.kind].uid, each.whom.id) for each in shares if each.whom]
    wanted += [(objects["user"].uid, each.created_by) for each in shares]
    names = named(call, wanted)
    made = []
    for each in shares:
        if each.whom is None:
            continue
        known = names.get(each.whom.id)
        whom = known.name if known is not None else t(f"share.some_{each.whom.kind}")
        by = names.get(each.created_by)
        ends = each.terms.expires_at
        made.append(
            ShownShare(
                grantee=each.grantee.hex,
                whom=t("share.with_below", who=whom) if each.whom.below else whom,
                kind="" if each.whom.kind == "user" else singular(objects[each.whom.kind], call.language),
                initials=initials(whom),
                colour=colour_of(str(each.whom.id)),
                level=t(f"share.level_{each.terms.level}"),
                role=each.terms.role,
                reason=each.terms.reason,
                by=by.name if by is not None else t("record.somebody"),
                until="" if ends is None else f"{ends.astimezone(zone):%Y-%m-%d %H:%M}",
            )
        )
    return tuple(made)


def _through(desk: Desk, seers: Seers) -> tuple[ShownThrough, ...]:
    language, zone = desk.call.language, ZoneInfo(desk.call.zone)
    return tuple(
        ShownThrough(
            say(f"access.through.{each.code}", each.params, language),
            _note(language, zone, each.gives, each.until),
            each.count,
            tuple((id.hex, name, initials(name), colour_of(str(id))) for id, name in each.people),
        )
        for each in seers.ways
    )


def _note(language: str, zone: ZoneInfo, gives: str, until: datetime | None) -> str:
    t = text("zh" if language == "zh" else "en")
    parts = [t(f"share.level_{gives}")] if gives in ("read", "edit", "full") else []
    if until is not None:
        parts.append(t("share.until", until=f"{until.astimezone(zone):%Y-%m-%d}"))
    return " · ".join(parts)


def _why(desk: Desk, told: Explanation, changes: Sequence[Proposal]) -> Why:
    call, t = desk.call, text(desk.call.language)
    zone, language = ZoneInfo(call.zone), call.language
    css = {True: "is-yes", False: "is-no", None: "is-mute"}
    layers = tuple(
        ShownLayer(
            say(f"access.why.layer.{each.name}", {}, language),
            css[each.ok],
            tuple(
                ShownPart(
                    say(f"access.why.{part.code}", part.params, language),
                    _note(language, zone, part.gives, part.until),
                    css[part.ok],
                )
                for part in each.parts
            ),
        )
        for each in told.layers
        if each.parts
    )
    verb = say(f"access.verb.{told.question.operation}", {}, language)
    verdict = t("share.may" if told.allowed else "share.may_not", who=told.user_name, verb=verb)
    shown = []
    for each in changes:
        steps = t("share.and").join(say(f"access.change.{s.kind}", s.params, language) for s in each.steps)
        shown.append(
            ShownChange(steps, t("share.reach", people=each.people, records=each.records, rights=each.rights))
        )
    return Why(told.user_name, told.allowed, verdict, layers, tuple(shown))


def register(pages: Blueprint, site: Site) -> None:
    """The addresses of the page and of its forms."""

    @pages.get("/o/<object>/<uuid:id>/access")
    @policy("session")
    def access(object: str, id: UUID) -> Response:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        return desk.page("access.html", found.name, access_page(desk, found, id))

    @pages.get("/o/<object>/<uuid:id>/access/<any(whom, people):who>")
    @policy("session")
    def access_whom(object: str, id: UUID, who: str) -> Response:
        """People, or people and groups to share with, as options of the combobox."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.reads.get(found.name, id, ("id",))
        q = request.args.get("q", "")[:100]
        kinds = ("user",) if who == "people" else KINDS
        options = []
        for each in _options(desk, q, kinds):
            [shown] = lookups.shown([each[1]], q)
            options.append(_Choice(each[0], shown))
        context = {
            "options": options, "prefix": request.args.get("prefix", "x")[:20], "people": True, "new": None,
        }  # fmt: skip
        return Response(render("lookup.html", desk.look, context), content_type="text/html; charset=utf-8")

    @pages.post("/o/<object>/<uuid:id>/access")
    @policy("session")
    def share(object: str, id: UUID) -> Response:
        desk = open_desk(site, request, visit())
        found, form = desk.object(object), request.form
        typed = {name: form.get(name, "")[:600] for name in _FORM}
        try:
            whom = _whom(desk, typed)
            operation = Shares(desk.call).give(found.name, [id], whom, _terms(desk, typed))
        except (Invalid, Denied, Conflict, LimitReached) as error:
            said = [say_fault(each, desk.call.language) for each in error.faults]
            return desk.page("access.html", found.name, access_page(desk, found, id, typed, said), 422)
        desk.flash("share.done", undo=operation)
        return redirect(f"/o/{found.name}/{id}/access")

    @pages.post("/o/<object>/<uuid:id>/access/take-back")
    @policy("session")
    def take_back(object: str, id: UUID) -> Response:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        grantee = _uuid(request.form.get("grantee"))
        if grantee is None:
            raise Malformed.of("share.not_found")
        operation = Shares(desk.call).take_back(found.name, [id], grantee)
        desk.flash("share.taken", undo=operation)
        return redirect(f"/o/{found.name}/{id}/access")


_FORM = ("whom", "whom.text", "level", "role", "until", "reason")


class _Choice:
    """An option whose id says of which kind it is."""

    def __init__(self, id: str, shown: lookups.ShownOption) -> None:
        self.id, self._shown = id, shown

    def __getattr__(self, name: str) -> object:
        return getattr(self._shown, name)


def _options(desk: Desk, q: str, kinds: Sequence[str]) -> list[tuple[str, Option]]:
    call, t = desk.call, text(desk.call.language)
    found: list[tuple[str, Option]] = []
    for kind in kinds:
        object = call.model.objects[kind]
        if not call.gate.may(object, "read"):
            continue
        most = 8 if len(kinds) == 1 else _OPTIONS
        hint = "" if kind == "user" else label_in(object.labels, call.language)
        field = call.model.objects["permission_assignment"].fields["user"] if kind == "user" else None
        for each in lookup_options(call, kind, q, most, field):
            key = f"{kind}:{each.id.hex}" if len(kinds) > 1 else each.id.hex
            found.append((key, Option(each.id, each.name, hint)))
            if kind in WITH_BELOW:
                name = t("share.with_below", who=each.name)
                found.append((f"{kind}+:{each.id.hex}", Option(each.id, name, hint)))
    return found


def _whom(desk: Desk, typed: Mapping[str, str]) -> Whom:
    """Whom the form names: what was chosen, or, without a script, the only one of that name."""
    chosen = typed["whom"]
    if not chosen:
        name = typed["whom.text"].strip()
        found = [each for each, option in _options(desk, name, KINDS) if option.name == name]
        if len(found) != 1:
            raise Invalid.of("share.choose")
        chosen = found[0]
    kind, _, id = chosen.partition(":")
    record = _uuid(id)
    if record is None:
        raise Invalid.of("share.choose")
    return Whom(kind.rstrip("+"), record, kind.endswith("+"))


def _terms(desk: Desk, typed: Mapping[str, str]) -> Terms:
    """A share ends with the day that was chosen."""
    ends = None
    if typed["until"].strip():
        try:
            day = datetime.fromisoformat(typed["until"].strip()).date()
        except ValueError:
            raise Invalid.of("share.until_wrong") from None
        ends = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(desk.call.zone))
    return Terms(typed["level"], typed["role"].strip(), typed["reason"].strip(), ends)


def _uuid(given: str | None) -> UUID | None:
    try:
        return UUID(given or "")
    except ValueError:
        return None
