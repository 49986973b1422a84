"""One journey from an empty Studio to a desk that is worked in: by mouse, and by keyboard alone; zh and en.

An admin builds an object with eight fields of different types, and somebody else saves the first record: at
most 40 actions. Then the admin lays the page out, makes a list view and a board, and the user creates, finds,
edits in place, moves on the board, changes 500 records at once and takes that back.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from browsing import answering, window
from hands import Hands, Keys, Mouse, is_at
from pagesite import PageSite, make_pages
from reach import foreign_words
from served import size
from tabwright.metadata.model import ObjectDef
from tabwright.platform.language import Language, say
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure
from tabwright.runtime.records.batch import Intent

pytestmark = pytest.mark.browser


MOST_ACTIONS = 40
MANY = 500
PRICE, MILEAGE, STATE, KEEPER, PHONE, NOTES = 0, 1, 3, 5, 6, 7  # which of the eight fields


def document(kind: str, name: str, zh: str, en: str, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "label": {"zh": zh, "en": en}, **body}


# What is there before: customers, an app, and a permission set of those who work with vehicles.
BEFORE = [
    document("object", "account", "客户", "Customer", name_field="name", sharing="read"),
    document("field", "account.name", "名称", "Name",
             type="text", required=True, searchable=True, sortable=True),
    document("tab", "account", "客户", "Customers", object="account"),
    document("app", "garage", "车行", "Garage", tabs=["account"]),
    document("permission_set", "fleet", "车队", "Fleet", objects={"account": ["read"]},
             fields={"account": {"*": "read"}}, tabs=["account"], apps=["garage"]),
]  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What people call things in one run; ``types`` and ``fields`` go together."""

    language: Language
    own: str  # this language, as the inputs of labels name it
    admin: str
    user: str
    vehicle: str
    app: str
    set: str
    types: tuple[str, ...]
    fields: tuple[str, ...]
    states: tuple[str, str]
    customers: str
    customer: str
    section: str
    view: str
    board: str
    records: tuple[str, str]
    many: str

    def said(self, code: str, **params: str | int) -> str:
        """The product's own words in this language."""
        return say(code, params, self.language)


ZH = Story(
    "zh", "中文", "赵管理", "钱员工", "车辆", "车行", "车队",
    ("金额", "整数", "日期", "单选", "勾选", "关联", "电话", "长文本"),
    ("指导价", "里程", "上牌日期", "状态", "是否质押", "车主", "车主电话", "备注"),
    ("在库", "已售"), "客户", "苏州恒锐", "成交", "待售车辆", "销售看板",
    ("苏·八八零一", "苏·八八零二"), "库存车",
)  # fmt: skip
EN = Story(
    "en", "English", "Ada", "Ulla", "Vehicle", "Garage", "Fleet",
    ("Currency", "Integer", "Date", "Picklist", "Checkbox", "Lookup", "Phone", "Long text"),
    ("Price", "Mileage", "Registered on", "State", "Pledged", "Keeper", "Keeper phone", "Notes"),
    ("In stock", "Sold"), "Customer", "Nordwind", "Sale", "For sale", "Sales board",
    ("AB-1234", "AB-5678"), "Stock car",
)  # fmt: skip
RUNS: dict[str, tuple[type[Hands], Story]] = {
    "mouse-zh": (Mouse, ZH),
    "mouse-en": (Mouse, EN),
    "keys-en": (Keys, EN),
    "keys-zh": (Keys, ZH),
}


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish({}, BEFORE)
        for story in (ZH, EN):
            made.records.create("account", {"name": story.customer})
        with answering(made.app) as base:
            yield made, base


class Person:
    """Somebody who works with hands of some kind in a window of their own. ``complaints``: what their
    console said, and words of the other language on what they looked at.
    """

    def __init__(self, kind: type[Hands], chrome: Browser, base: str, name: str, story: Story) -> None:
        _, self.page, self.complaints = window(chrome, base, name)
        self.story, self.said = story, story.said
        self.hands = kind(self.page)

    def look(self) -> None:
        named = ("杉木工业", "amount", ZH.customer, EN.customer)  # the tenant, an example of a formula
        self.complaints += [f"{self.page.url}: {each}" for each in foreign_words(self.page, named)]

    def condition(self, rows: Locator, value: str) -> None:
        """The first row of conditions: the state is this one."""
        self.hands.choose(rows.locator("[data-field]"), self.story.fields[STATE])
        values = rows.locator("summary")
        self.hands.press(values)
        self.hands.tick(rows.get_by_label(value))
        self.hands.press(values)
        expect(values).to_contain_text(value)
        self.look()


class Admin(Person):
    """Builds in Studio."""

    def build(self) -> None:
        """An object with eight fields of different types, in an app, for a permission set."""
        hands, page, story, said = self.hands, self.page, self.story, self.said
        main = page.get_by_role("main")
        self.look()
        hands.press(main.get_by_role("link", name=said("studio.object.new")).first)
        hands.type(page.get_by_label(f"{said('studio.object.label')}, {story.own}"), story.vehicle)
        hands.choose(page.get_by_label(said("studio.object.app")), story.app)
        hands.tick(page.get_by_label(story.set))
        self.look()
        hands.press(page.get_by_role("button", name=said("studio.object.make")))
        hands.press(main.get_by_role("link", name=said("studio.field.new")))
        for number in range(len(story.fields)):
            self._add_field(number)
        expect(page.locator("#parts tbody tr")).to_have_count(len(story.fields) + 1)
        self.look()
        hands.press(page.get_by_role("link", name=said("studio.bar.publish")))

    def _add_field(self, number: int) -> None:
        hands, page, story, said = self.hands, self.page, self.story, self.said
        kind, label = story.types[number], story.fields[number]
        hands.type(page.get_by_label(re.compile(f", {story.own}$")).first, label)
        hands.pick(page.locator("label.st-type", has=page.get_by_text(kind, exact=True)).locator("input"))
        options = page.locator("[data-part=options]")
        expect(options.get_by_role("heading")).to_contain_text(kind)
        if number == STATE:
            for row, value in enumerate(story.states):
                hands.type(options.locator("tbody tr").nth(row).get_by_placeholder(story.own), value)
        if number == KEEPER:
            hands.find(options.get_by_role("combobox").first, story.customers)
        self.look()
        last = number + 1 == len(story.fields)
        save = said("studio.field.save" if last else "studio.field.save_more")
        hands.press(page.get_by_role("button", name=save, exact=True))
        expect(page.get_by_role("status").filter(has_text=label)).to_be_visible()

    def publish(self) -> None:
        """What would change, and then it is in force."""
        button = self.page.get_by_role("button", name=re.compile(r"\br\d+$"))
        release = button.inner_text().rpartition("r")[2]
        self.look()
        self.hands.press(button)
        told = self.page.get_by_role("status").filter(
            has_text=self.said("studio.plan.published", release=release)
        )
        expect(told).to_be_visible()
        self.look()

    def lay_out(self, names: Names) -> None:
        """A section more; a phone number that is only there of what is sold."""
        hands, page, story, said = self.hands, self.page, self.story, self.said
        main, focus = page.get_by_role("main"), '[data-focus="{}"]'.format
        hands.press(page.get_by_role("navigation").get_by_role("link", name=said("studio.nav.object")))
        hands.press(main.get_by_role("link", name=story.vehicle))
        hands.press(main.get_by_role("link", name=re.compile("^" + said("studio.parts.layout"))))
        hands.press(main.locator("[data-key=c]"))
        section = page.locator("[data-slots]").last
        expect(section).to_be_visible()
        hands.press(page.locator(focus("new-section")))
        hands.type(page.locator(focus(f"label:{story.language}")), story.section)
        for field in (names[NOTES], names[PHONE]):
            moved = section.locator(f'[data-field="{field}"]')
            if isinstance(hands, Mouse):
                hands.drag(page.locator("[data-slots]").first.locator(f'[data-field="{field}"]'), section)
            elif isinstance(hands, Keys):
                hands.go(page.locator(focus(f"grip:field:{field}")), "ArrowDown", moved.is_visible)
            expect(moved).to_be_visible()
        hands.press(page.locator(focus(f"field:{names[PHONE]}")))
        hands.press(page.locator(focus("as-rows")))
        rows = page.locator(".lay-rows")
        self.condition(rows, story.states[1])
        hands.press(rows.locator("[data-apply]"))
        expect(page.locator(focus("visible"))).not_to_have_value("")
        self._saved()

    def make_views(self, names: Names) -> None:
        """A list of what is in stock, the dearest first, and a board by state."""
        hands, page, story, said = self.hands, self.page, self.story, self.said
        crumb = page.get_by_role("navigation", name=said("pages.nav.crumb"))
        hands.press(crumb.get_by_role("link", name=story.vehicle))
        main = page.get_by_role("main")
        hands.press(main.get_by_role("link", name=re.compile("^" + said("studio.parts.list_view"))))
        hands.press(main.locator("[data-key=c]"))
        label = page.get_by_label(f"{said('studio.bench.label')}, {story.own}")
        hands.type(label, story.view)
        self.look()
        hands.press(page.get_by_role("button", name=said("studio.start.make")))
        hands.press(page.locator("[data-filter-toggle]"))
        panel = page.locator("#filter-panel")
        self.condition(panel, story.states[0])
        hands.press(panel.locator("[data-apply]"))
        expect(page.locator("#where")).not_to_have_value("")
        hands.choose(page.locator('[name="order.0"]'), story.fields[PRICE])
        hands.choose(page.locator('[name="order.0.way"]'), said("studio.views.desc"))
        self._saved()
        hands.press(page.locator(f'a[href="/studio/new-view/{names.object.name}"]'))
        hands.type(label, story.board)
        hands.choose(page.get_by_label(said("studio.views.way")), said("studio.views.way_board"))
        hands.press(page.get_by_role("button", name=said("studio.start.make")))
        hands.choose(page.locator('[name="by"]'), story.fields[STATE])
        hands.choose(page.locator('[name="sum"]'), story.fields[PRICE])
        self._saved()
        hands.press(page.get_by_role("button", name=said("studio.bar.publish")))

    def _saved(self) -> None:
        expect(self.page.locator("[data-status]")).to_have_text(self.said("studio.layout.js.saved"))
        self.look()


class Names:
    """What the new object and its fields are called in the API."""

    def __init__(self, made: PageSite, story: Story) -> None:
        def labelled(found: Any, label: str) -> Any:
            return next(each for each in found.values() if each.labels.get(story.language) == label)

        self.object: ObjectDef = labelled(made.call.model.objects, story.vehicle)
        self._fields = [labelled(self.object.fields, label).name for label in story.fields]

    def __getitem__(self, number: int) -> str:
        return str(self._fields[number])


class User(Person):
    """Works at the desk that comes of it."""

    def first_record(self) -> None:
        """The object's tab is there; a name is enough."""
        self._open()
        self.look()
        self.hands.press(self.page.locator(".tw-top [data-key=c]"))
        self.look()
        self.hands.type(self.page.locator("#f-name"), self.story.records[0])
        self._save(self.story.records[0])

    def create(self, names: Names) -> None:
        """One more, with the field that comes up when it is sold."""
        hands, page, story = self.hands, self.page, self.story
        phone = page.locator(f"#f-{names[PHONE]}")
        self._open()
        hands.press(page.locator(".tw-top [data-key=c]"))
        hands.type(page.locator("#f-name"), story.records[1])
        hands.type(page.locator(f"#f-{names[PRICE]}"), "250000")
        expect(phone).to_have_count(0)
        hands.choose(page.locator(f"#f-{names[STATE]}"), story.states[1])
        expect(phone).to_be_visible()
        hands.find(page.locator(f"#f-{names[KEEPER]}"), story.customer)
        hands.type(phone, "13800138000")
        self.look()
        self._save(story.records[1])
        expect(page.get_by_role("heading", name=story.section)).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("138 0013 8000")

    def find(self) -> None:
        """By the search over everything, and by a filter of the list."""
        hands, page, story, said = self.hands, self.page, self.story, self.said
        if isinstance(hands, Mouse):
            hands.press(page.get_by_role("button", name=said("pages.nav.search")))
        else:
            hands.keys("Control+k")
        expect(page.locator("#palette-q")).to_be_focused()
        hands.find(page.locator("#palette-q"), story.records[0])
        expect(page.get_by_role("heading", name=story.records[0])).to_be_visible()
        self._open(said("pages.list.view_all"))
        hands.press(page.locator("[data-filter-toggle]"))
        panel = page.locator("#filter-panel")
        self.condition(panel, story.states[1])
        expect(panel.locator("[data-count]")).to_have_text(said("pages.filter.count", count="1"))
        hands.press(panel.locator("[data-apply]"))
        expect(page.locator("tbody .is-name")).to_have_text([story.records[1]])
        self.look()

    def edit_in_place(self, names: Names) -> None:
        """A cell of the list, and the sum below follows; then a value of the record's page."""
        hands, page, story = self.hands, self.page, self.story
        self._open(self.said("pages.list.view_all"))
        row = page.locator("tbody tr", has_text=story.records[0])
        cell = row.locator(f'td[data-value="{names[PRICE]}"]')
        expect(page.locator("tfoot")).to_contain_text("¥250,000.00")
        if isinstance(hands, Mouse):
            hands.press(cell)
        elif isinstance(hands, Keys):
            hands.go(row.locator(".is-name a"), "ArrowRight", lambda: is_at(cell))
            hands.keys("Enter")
        expect(page.locator(f"#f-{names[PRICE]}")).to_be_focused()
        page.keyboard.type("120000")
        hands.keys("Enter")
        expect(cell).to_have_text("¥120,000.00")
        expect(page.locator(".tw-toast")).to_contain_text("120,000")
        expect(page.locator("tfoot")).to_contain_text("¥370,000.00")
        self.look()
        hands.press(row.locator(".is-name a"))
        value = page.locator(f'[data-value="{names[STATE]}"]')
        hands.press(value.locator("dd > span" if isinstance(hands, Mouse) else "[data-edit]"))
        hands.choose(value.locator("select"), story.states[0])
        self.look()
        hands.keys("Enter")
        expect(page.locator(".tw-toast")).to_contain_text(story.states[0])
        expect(value.locator("dd > span")).to_have_text(story.states[0])
        self._open()  # the list that the admin made
        expect(page.locator("tbody .is-name")).to_have_text([story.records[0]])

    def move(self) -> None:
        """From one column of the board to the next; the sums follow."""
        hands, page, story = self.hands, self.page, self.story
        self._open(story.board)
        lanes = page.locator("[data-lane]")
        stock, sold = (lanes.filter(has=page.get_by_role("heading", name=each)) for each in story.states)
        expect(sold.locator("[data-lane-head]")).to_contain_text("¥250,000.00")
        self.look()
        if isinstance(hands, Mouse):
            hands.drag(stock.locator("h3", has_text=story.records[0]), sold.locator("[data-cards]"))
        elif isinstance(hands, Keys):
            hands.reach(stock.locator(".tw-kcard"))
            hands.keys("m", "Enter")
        expect(sold.locator("h3", has_text=story.records[0])).to_be_visible()
        expect(sold.locator("[data-lane-head]")).to_contain_text("¥370,000.00")
        self.look()

    def change_many(self, names: Names) -> None:
        """One value for all that match: rehearsed, then done."""
        hands, page, story, said = self.hands, self.page, self.story, self.said
        self._open(said("pages.list.view_all"))
        hands.press(page.locator("[data-filter-toggle]"))
        panel = page.locator("#filter-panel")
        hands.type(panel.locator("[data-value]"), story.many)
        hands.press(panel.locator("[data-apply]"))
        bar = page.locator(".tw-bulk")
        every = bar.get_by_label(said("pages.bulk.all", count=MANY))
        expect(every).to_be_attached()  # the page of the filter is there, none is ticked on the one before
        hands.tick(page.locator("[data-bulk-page]"))
        hands.tick(every)
        self.look()
        hands.press(bar.get_by_role("button", name=said("pages.bulk.edit"), exact=True))
        hands.choose(page.locator("#bulk-add"), story.fields[MILEAGE])
        hands.press(page.get_by_role("button", name=said("pages.bulk.add")))
        hands.type(page.locator(f"#f-{names[MILEAGE]}"), "77")
        self.look()
        hands.press(page.get_by_role("button", name=said("pages.bulk.check")))
        expect(page.get_by_role("main")).to_contain_text(said("pages.bulk.count_check_edit", count=MANY))
        self.look()
        hands.press(page.get_by_role("button", name=said("pages.bulk.do_edit", count=MANY)))
        expect(page.locator(".tw-toast")).to_contain_text(said("pages.bulk.told_edit", count=MANY))
        self.look()

    def take_back(self) -> None:
        """All of it, by the notice that tells of it."""
        self.hands.press(self.page.locator(".tw-toast .tw-act"))
        expect(self.page.locator(".tw-toast")).to_contain_text(self.said("pages.bulk.told_undo", count=MANY))
        self.look()

    def _open(self, view: str = "") -> None:
        """The list as it opens, or one of its views."""
        tabs = self.page.get_by_role("navigation", name=self.said("pages.nav.main"), exact=True)
        self.hands.press(tabs.get_by_role("link", name=self.story.vehicle))
        if view:
            views = self.page.get_by_role("navigation", name=self.said("pages.list.views"))
            self.hands.press(views.get_by_role("link", name=view, exact=True).first)
            expect(views.locator("[aria-current=page]").first).to_contain_text(view)

    def _save(self, name: str) -> None:
        self.hands.press(self.page.get_by_role("button", name=self.said("pages.form.save"), exact=True))
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()
        self.look()


def mileages(made: PageSite, names: Names, many: str) -> dict[int, int]:
    """How many of the many records have which mileage."""
    by = GroupBy(names[MILEAGE], None, "value")
    asked = Aggregation(
        names.object.name, (by,), (Measure("count", None, "n"),), f'BEGINS(name, "{many}")', limit=MANY
    )
    return {int(row["value"]): row["n"] for row in aggregate(made.call, asked).rows}


# In the suite each hand, language and database once; all four with TABWRIGHT_REL_VEHICLES=4.
WAYS = [
    pytest.param("sqlite", "mouse-zh"),
    pytest.param("postgresql", "keys-en", marks=pytest.mark.postgres),
    pytest.param("sqlite", "keys-zh"),
    pytest.param("postgresql", "mouse-en", marks=pytest.mark.postgres),
]


@pytest.mark.parametrize(("site", "run"), WAYS[: size("vehicles", 2)], indirect=["site"])
def test_from_an_empty_studio_to_500_records_changed_and_taken_back(
    site: tuple[PageSite, str], chrome: Browser, run: str
) -> None:
    made, base = site
    kind, story = RUNS[run]
    made.person(story.admin, "administrator", language=story.language)
    owner = str(made.person(story.user, "fleet", language=story.language).user_id)
    admin = Admin(kind, chrome, base, story.admin, story)
    user = User(kind, chrome, base, story.user, story)
    admin.page.goto(base + "/studio")
    admin.build()
    admin.publish()
    user.page.reload()
    user.first_record()
    actions = admin.hands.actions + user.hands.actions
    assert actions <= MOST_ACTIONS, actions

    names = Names(made, story)
    admin.lay_out(names)
    admin.make_views(names)
    admin.publish()
    user.create(names)
    user.find()
    user.edit_in_place(names)
    user.move()
    stock = [{"name": f"{story.many} {n:03}", names[MILEAGE]: 1000 + n, "owner": owner} for n in range(MANY)]
    made.records.apply(names.object.name, [Intent("create", values=each) for each in stock])
    user.change_many(names)
    assert mileages(made, names, story.many) == {77: MANY}
    user.take_back()
    assert mileages(made, names, story.many) == {1000 + n: 1 for n in range(MANY)}
    assert admin.complaints + user.complaints == []
