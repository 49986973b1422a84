"""The text of a comment as it is shown: safe links, names of people, and all else as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from markupsafe import Markup, escape

from tabwright.runtime.comments.mentions import TOKEN

# Up to what cannot stand in an address; Chinese punctuation ends it too.
_LINK = re.compile(r"https?://[^\s<>\"'`，。；：！？、（）《》“”‘’「」【】]+", re.IGNORECASE)
_PARTS = re.compile(f"{TOKEN.pattern}|({_LINK.pattern})", re.IGNORECASE)
_ENDING = ".,;:!?*_~"


def shown(body: str, names: Mapping[UUID, str], me: UUID, somebody: str) -> Markup:
    """A body as HTML. ``somebody`` stands for who may not be named. The style sheet breaks the lines."""
    made, at = [], 0
    for found in _PARTS.finditer(body):
        made.append(escape(body[at : found.start()]))
        at = found.end()
        if found[1] is not None:
            id = UUID(found[1])
            mine = " is-me" if id == me else ""
            name = names.get(id) or somebody
            made.append(Markup('<span class="tw-mention{}">@{}</span>').format(mine, name))
            continue
        link, rest = _cut(found[2])
        made.append(
            Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>{}').format(
                link, link, rest
            )
        )
    made.append(escape(body[at:]))
    return Markup("").join(made)


def _cut(link: str) -> tuple[str, str]:
    """An address without the punctuation of the sentence round it, and that punctuation."""
    end = len(link)
    while end:
        last = link[end - 1]
        closing = last in ")]}" and link.count(last, 0, end) > link.count("([{"[")]}".index(last)], 0, end)
        if last not in _ENDING and not closing:
            break
        end -= 1
    return link[:end], link[end:]
