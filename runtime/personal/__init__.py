"""What belongs to one person and is no business data: settings, favourites, views of their own."""

from pathlib import Path

from tabwright.platform.language import register_messages

register_messages(Path(__file__).with_name("messages.json"))
