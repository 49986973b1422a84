"""Custom labels: texts in each language that formulas name."""

from __future__ import annotations

from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import CustomLabelDef


def compile_custom_label(work: Work, component: Component) -> CustomLabelDef:
    """A custom label; all that it has to be its schema says."""
    return CustomLabelDef(component.uid, component.name, labels_of(component), dict(component.body["text"]))
