"""Forms of pages as a browser without scripts would send them."""

from __future__ import annotations

from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict

VOID = {"input", "br", "img", "link", "meta", "hr", "use", "path"}


class _Reader(HTMLParser):
    """Gathers what the successful controls of one form hold; disabled fieldsets hold nothing."""

    def __init__(self, id: str) -> None:
        super().__init__(convert_charrefs=True)
        self.id = id
        self.found: MultiDict[str, str] = MultiDict()
        self.seen = False
        self._inside = False
        self._off = 0
        self._fieldsets: list[bool] = []
        self._area: str | None = None
        self._text: list[str] = []
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id") == self.id
            self.seen = self.seen or self._inside
        if tag == "fieldset":
            self._fieldsets.append("disabled" in given)
            self._off += "disabled" in given
        mine = self._inside and not self._off and "disabled" not in given
        name = given.get("name")
        if not mine or not name:
            if tag == "option" and self._select is not None:
                self._options.append((given.get("value", ""), "selected" in given))
            return
        if tag == "input":
            if given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    self.found.add(name, given.get("value", "on"))
            elif given.get("type") not in ("submit", "button", "file"):
                self.found.add(name, given.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = name, []
        elif tag == "select":
            self._select, self._options = name, []

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "fieldset":
            self._off -= self._fieldsets.pop()
        elif tag == "textarea" and self._area is not None:
            text = "".join(self._text)
            self.found.add(self._area, text[1:] if text.startswith("\n") else text)
            self._area = None
        elif tag == "select" and self._select is not None:
            chosen = [value for value, selected in self._options if selected]
            if self._options:
                self.found.add(self._select, chosen[-1] if chosen else self._options[0][0])
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text.append(data)


def posted(page: str, id: str) -> MultiDict[str, str]:
    """What the form ``id`` of a page sends as it stands."""
    reader = _Reader(id)
    reader.feed(page)
    assert reader.seen, f"no form {id}"
    return reader.found
