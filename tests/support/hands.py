"""Two ways to use a page, by mouse and by keyboard alone, behind one face; both count what they do.

An action is one thing done to one control: a press, a text typed, a choice made. Going from one control to
the next counts for nothing. The keys go there by Tab as a person does: nothing is focused by a script, so
what they reach is reachable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

MOST_TABS = 150  # from one control to the next
MOST_READS = 5
MOST_CHOICES = 80  # of a list, or of a group of radio buttons

# How often Tab (above 0) or Shift+Tab (below) is pressed until the focus is at the control, by the order of
# the page; and whether the way is shorter by the link that skips what every page begins with.
_WAY = """(wanted) => {
  const at = document.activeElement, group = (one) => one.type === 'radio' && one.name;
  if (at === wanted || group(at) && group(at) === group(wanted)) return [0, false];
  const firsts = {};
  const isStop = (one) => {
    if (one === at || one === wanted) return true;
    if (one.tabIndex < 0 || one.disabled || !one.checkVisibility()) return false;
    if (!group(one)) return true;
    const chosen = document.querySelector(`input[type=radio][name="${CSS.escape(one.name)}"]:checked`);
    if (chosen) return one === chosen;
    const isFirst = !(one.name in firsts);
    firsts[one.name] = true;
    return isFirst;
  };
  const controls = 'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable=true]';
  const stops = [...document.querySelectorAll(controls)].filter(isStop), ring = stops.length + 1;
  const ahead = (stops.indexOf(wanted) - stops.indexOf(at) + ring) % ring;
  const skips = at === document.body && ahead > 8 && ring - ahead > 8 && !!wanted.closest('#main');
  return [ahead <= ring / 2 ? ahead : ahead - ring, skips];
}"""


class Hands(ABC):
    """A person at a page. ``page`` is the window they look at, ``actions`` what they have done so far."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def press(self, what: Locator) -> None:
        """A button, a link, the head of a menu."""
        self.actions += 1
        self._press(what)

    def tick(self, what: Locator) -> None:
        """A box, on or off."""
        self.actions += 1
        self._tick(what)

    def type(self, what: Locator, text: str) -> None:
        """A text in place of what stands there."""
        self.actions += 1
        self._type(what, text)

    def choose(self, what: Locator, label: str) -> None:
        """One of a list that opens."""
        self.actions += 1
        self._choose(what, label)
        expect(what.locator("option:checked")).to_have_text(label)

    def pick(self, what: Locator) -> None:
        """One of a group of radio buttons."""
        self.actions += 1
        self._pick(what)
        expect(what).to_be_checked()

    def keys(self, *keys: str) -> None:
        """Keys with a meaning of their own, pressed where the focus is: one action each."""
        for key in keys:
            self.actions += 1
            self.page.keyboard.press(key)

    def find(self, what: Locator, text: str) -> None:
        """Type into a searched list and take what it offers."""
        self.actions += 2
        self._type(what, text)
        offer = self.page.get_by_role("option", name=text).first
        expect(offer).to_be_visible()
        self._take(offer)

    @abstractmethod
    def _press(self, what: Locator) -> None: ...

    @abstractmethod
    def _tick(self, what: Locator) -> None: ...

    @abstractmethod
    def _type(self, what: Locator, text: str) -> None: ...

    @abstractmethod
    def _choose(self, what: Locator, label: str) -> None: ...

    @abstractmethod
    def _pick(self, what: Locator) -> None: ...

    @abstractmethod
    def _take(self, offer: Locator) -> None: ...


class Mouse(Hands):
    """Clicks and drags; types what there is to type."""

    def drag(self, what: Locator, onto: Locator) -> None:
        """A drag as a hand does it: over what lies between, then after what makes room, and let go below
        all that stands there.
        """
        self.actions += 1
        what.hover()
        self.page.mouse.down()
        for n in range(3):
            box = onto.bounding_box()
            assert box is not None
            self.page.mouse.move(box["x"] + box["width"] / 2 + n, box["y"] + box["height"] - 4, steps=5)
        self.page.mouse.up()

    def _press(self, what: Locator) -> None:
        what.click()

    def _tick(self, what: Locator) -> None:
        what.click()

    def _type(self, what: Locator, text: str) -> None:
        what.click()
        what.fill(text)

    def _choose(self, what: Locator, label: str) -> None:
        what.select_option(label=label)  # the list itself is the system's, outside of the page

    def _pick(self, what: Locator) -> None:
        what.locator("xpath=ancestor::label").click()

    def _take(self, offer: Locator) -> None:
        offer.click()


class Keys(Hands):
    """Tab, arrows, Enter, Space and letters."""

    def reach(self, what: Locator) -> None:
        """Go to a control by Tab. AssertionError where Tab does not lead there."""
        left = MOST_TABS
        while left > 0:
            steps, skips = _read(what, _WAY)
            if steps == 0:
                return
            for _ in range(1 if skips else abs(steps)):
                self.page.keyboard.press("Tab" if steps > 0 or skips else "Shift+Tab")
            if skips and is_at(self.page.locator(".tw-skip")):
                self.page.keyboard.press("Enter")
                self.page.keyboard.press("Tab")
            left -= abs(steps)
        raise AssertionError(f"Tab does not lead to {what}")

    def go(self, start: Locator, key: str, there: Callable[[], bool]) -> None:
        """One key again and again, from a control on, until something is so: one action."""
        self.actions += 1
        self.reach(start)
        for _ in range(MOST_CHOICES):
            if there():
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{key} from {start} does not lead there")

    def _press(self, what: Locator) -> None:
        self.reach(what)
        self.page.keyboard.press("Enter")

    def _tick(self, what: Locator) -> None:
        self.reach(what)
        self.page.keyboard.press("Space")

    def _type(self, what: Locator, text: str) -> None:
        self.reach(what)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def _choose(self, what: Locator, label: str) -> None:
        self.reach(what)
        chosen = what.locator("option:checked")
        way = "ArrowUp" if _before(what, label) else "ArrowDown"
        for _ in range(MOST_CHOICES):
            if chosen.inner_text().strip() == label:
                return
            self.page.keyboard.press(way)
        raise AssertionError(f"the arrows do not lead to {label} in {what}")

    def _pick(self, what: Locator) -> None:
        self.reach(what)
        if not what.is_checked():
            self.page.keyboard.press("Space")  # the first of a group of which none is chosen
        for _ in range(MOST_CHOICES):
            if what.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows do not lead to {what}")

    def _take(self, offer: Locator) -> None:
        for _ in range(MOST_CHOICES):
            if offer.get_attribute("aria-selected") == "true":
                break
            self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Enter")


def _before(what: Locator, label: str) -> bool:
    """Whether an option stands before the one that is chosen."""
    found: bool = what.evaluate(
        """(list, label) => {
          return [...list.options].findIndex((one) => one.text.trim() === label) < list.selectedIndex;
        }""",
        label,
    )
    return found


def is_at(what: Locator) -> bool:
    """Whether the focus is there."""
    return bool(_read(what, "each => each === document.activeElement"))


def _read(what: Locator, script: str) -> Any:
    """What a script says of a control; again where the page is just being left for the next one."""
    for _ in range(MOST_READS):
        try:
            return what.evaluate(script)
        except Error as error:
            if "navigation" not in error.message:
                raise
    raise AssertionError(f"the page of {what} does not come to rest")
