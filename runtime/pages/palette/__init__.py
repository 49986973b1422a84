"""The palette: one box over any page that finds records, pages and actions (UX1 to UX3)."""

from pathlib import Path

from tabwright.platform.language import register_messages

register_messages(Path(__file__).with_name("messages.json"))
