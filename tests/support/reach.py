"""What a person with a small window, a large zoom, shaky hands or only a keyboard meets on a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playwright.sync_api import Page

# WCAG 2.2, 2.5.8: 24 x 24 px, or so much space around that a circle of 24 px meets no other target; links in
# a line of text are excepted.
_SMALL = """() => {
  const shown = (each) => {
    const box = each.getBoundingClientRect();
    const style = getComputedStyle(each);
    return box.width > 1 && box.height > 1 && style.visibility !== 'hidden' && style.opacity !== '0'
      && each.checkVisibility() && !each.closest('[inert]');
  };
  const all = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab]'
  )].filter(shown).map((each) => {
    // A control inside its label is as large as the label.
    const label = each.labels && [...each.labels].find((one) => one.contains(each));
    return [each, (label || each).getBoundingClientRect()];
  });
  const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
  const found = [];
  for (const [each, box] of all) {
    if (box.width >= 23.5 && box.height >= 23.5) continue;
    if (each.tagName === 'A' && getComputedStyle(each).display === 'inline') continue;
    const [x, y] = middle(box);
    const crowded = all.some(([other, its]) => {
      if (other === each || other.contains(each) || each.contains(other)) return false;
      const aside = Math.max(its.left - x, 0, x - its.right);
      return Math.hypot(aside, Math.max(its.top - y, 0, y - its.bottom)) < 12;
    });
    if (crowded) found.push(`${each.tagName.toLowerCase()} ${each.className} "${
      (each.textContent || each.getAttribute('aria-label') || each.name || '').trim().slice(0, 30)
    }" ${Math.round(box.width)} x ${Math.round(box.height)}`);
  }
  return [...new Set(found)];
}"""

# 2.4.11: what has the focus is seen: the middle of what stands of it within the window lies under nothing.
_COVERED = """() => {
  const each = document.activeElement;
  if (each === window.twLast) return null;  // a date has a stop for the day, the month and the year
  if (!each || window.twSeen.has(each)) return 'round';
  window.twSeen.add(window.twLast = each);
  const label = each.labels && [...each.labels].find((one) => one.contains(each));
  const box = (label || each).getBoundingClientRect();
  if (box.width < 2 || box.height < 2) return null;
  // The middle of what stands within the window.
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  if (right - left < 4 || bottom - top < 4) return `out of sight: ${each.textContent.trim()}`;
  const x = (left + right) / 2, y = (top + bottom) / 2;
  const hit = document.elementFromPoint(x, y);
  if (!hit || each.contains(hit) || hit.contains(each) || (label && label.contains(hit))) return null;
  const told = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute('class') || ''}`;
  const inside = hit.closest('[class]') || hit;
  return `${told(each)} "${(each.name || each.textContent).trim().slice(0, 30)}" under ${told(hit)} of ${
    told(inside.parentElement || inside)} at ${Math.round(x)},${Math.round(y)}`;
}"""

_MOVING = """() => document.getAnimations().filter(
  (each) => each.playState === 'running' && each.effect.getComputedTiming().activeDuration > 100
).map((each) => `${each.animationName || each.transitionProperty} of ${each.effect.target?.className}`)"""


def too_wide(page: Page) -> list[str]:
    """How far the page scrolls sideways, if it does."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} px too wide"] if wide > 0 else []


def small_targets(page: Page) -> list[str]:
    """What is smaller than 24 x 24 px and too close to something else to be hit."""
    found: list[str] = page.evaluate(_SMALL)
    return [f"small: {each}" for each in found]


def covered_focus(page: Page, stops: int) -> list[str]:
    """What lies under something else when it has the focus, over so many presses of Tab, or once round."""
    found: set[str] = set()
    page.evaluate("window.twSeen = new Set([document.body])")
    for _ in range(stops):
        page.keyboard.press("Tab")
        under: str | None = page.evaluate(_COVERED)
        if under == "round":
            break
        if under is not None:
            found.add(f"focus hidden: {under}")
    return sorted(found)


def moving(page: Page) -> list[str]:
    """What moves although the person asked for less motion."""
    found: list[str] = page.evaluate(_MOVING)
    return [f"moves: {each}" for each in found]


# What a page says and names its controls by, but for code, keys, and what is in a language of its own.
_SAID = """() => {
  const code = 'script, style, template, code, kbd, .tw-mono, .tw-ava, [data-name-shown], [hidden]';
  const own = (each) => each.closest(code)
    || each.closest('[lang]').lang !== document.documentElement.lang;
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const each = node.nodeType === 3 ? node.parentElement : node;
    if (own(each) || !each.checkVisibility()) continue;
    if (node.nodeType === 3) found.add(node.data.trim());
    else for (const name of ['aria-label', 'title', 'placeholder']) found.add(node.getAttribute(name) || '');
  }
  found.add(document.title);
  return [...found];
}"""
_HAN = re.compile("[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[A-Za-z][A-Za-z_']+")
# Names, and words that Chinese pages use as they are.
_BORROWED = {"Tabwright", "Studio", "Excel", "Enter", "Esc", "Ctrl", "Alt", "Tab", "English", "中"}


def _is_code(word: str) -> bool:
    """An abbreviation, or an API name."""
    return word.isupper() or "_" in word


def foreign_words(page: Page, but: Iterable[str] = ()) -> list[str]:
    """What a page says in the other language, zh or en; ``but`` are the names that people gave things."""
    spoken = _HAN if page.locator("html").get_attribute("lang") == "en" else _LATIN
    names = sorted(but, key=len, reverse=True)
    found = set()
    for text in page.evaluate(_SAID):
        left = text
        for name in names:
            left = left.replace(name, " ")
        if any(word not in _BORROWED and not _is_code(word) for word in spoken.findall(left)):
            found.add(text)
    return sorted(found)
