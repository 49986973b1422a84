"""Tabs and apps, and the tabs of objects that have none of their own."""

from __future__ import annotations

from collections.abc import Mapping

from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import AppDef, TabDef
from tabwright.metadata.world import World


def compile_tab(work: Work, component: Component) -> TabDef:
    """A tab: an object's list, or a web page."""
    body = component.body
    object = list_view = None
    icon = body.get("icon")
    if "object" in body:
        object = work.object(component, body["object"], "object")
        source = work.lens.object(object) if object else None
        if source is not None and source.component is not None and icon is None:
            icon = source.component.body.get("icon", "box")
    if "list_view" in body:
        list_view = work.named(component, "list_view", body["list_view"], "list_view")
        if list_view is not None and object is not None and list_view.partition(".")[0] != object:
            work.fault(component, "tab.list_view_of_another", "list_view", name=list_view, object=object)
    return TabDef(
        uid=component.uid,
        name=component.name,
        labels=labels_of(component),
        icon=icon or "link",
        object=object,
        list_view=list_view.rpartition(".")[2] if list_view else None,
        url=body.get("url"),
    )


def compile_app(work: Work, component: Component) -> AppDef:
    """An app: tabs in order. An object without a tab of its own is named by the object's name."""
    tabs = []
    for number, name in enumerate(component.body["tabs"]):
        if work.lens.part("tab", name) is None and _has_generated_tab(work.lens.world, name):
            work.lens.object(name)
            tabs.append(name)
            continue
        found = work.named(component, "tab", name, "tabs", number)
        if found is not None:
            tabs.append(found)
    body = component.body
    return AppDef(
        component.uid,
        component.name,
        labels_of(component),
        body.get("icon", "layout-grid"),
        tuple(tabs),
        body.get("colour", "blue"),
        body.get("default", False),
    )


def _has_generated_tab(world: World, name: str) -> bool:
    source = world.objects.get(name)
    return source is not None and source.component is not None and not source.component.body.get("system")


def generated_tabs(world: World, tabs: Mapping[str, TabDef]) -> dict[str, TabDef]:
    """A tab for each object that no tab shows; built-in objects wait for a tab of their own."""
    shown = {each.object for each in tabs.values()}
    made = {}
    for name, source in world.objects.items():
        if name in shown or name in tabs or not _has_generated_tab(world, name):
            continue
        assert source.component is not None
        body = source.component.body
        made[name] = TabDef(
            None, name, body.get("plural") or body["label"], body.get("icon", "box"), name, None
        )
    return made
