"""Sending mail: a port with one verb. What is sent is made elsewhere, by jobs, never while a person waits."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from tabwright.platform.clock import Clock
from tabwright.platform.errors import Invalid, Unavailable
from tabwright.platform.settings import Settings, is_loopback

_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person. ``html`` is another form of ``text``, where there is one."""

    to: str
    subject: str
    text: str
    html: str = ""


class Post(Protocol):
    """Whoever sends letters."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over. Raises Invalid (``mail.address``) for one that can never be sent, Unavailable
        (``mail.failed``) for now.
        """
        ...


class SmtpPost:
    """Letters over SMTP: ``smtps://`` is encrypted from the start, ``smtp://`` turns encryption on before
    anything is said, but to this machine. Certificates are checked.
    """

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        self._url = url
        self._sender = sender
        self._clock = clock

    def send(self, letter: Letter) -> None:
        message = self._message(letter)
        parts = urlsplit(self._url)
        try:
            with _connected(parts) as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise Invalid.of("mail.address", address=letter.to[:254]) from error
        except (OSError, smtplib.SMTPException) as error:
            # Only the kind of failure is told: what a server answers may hold what was sent to it.
            raise Unavailable.of("mail.failed", reason=type(error).__name__) from None

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        try:
            message["To"] = Address(addr_spec=letter.to)
        except (MessageError, ValueError, IndexError) as error:
            raise Invalid.of("mail.address", address=letter.to[:254]) from error
        message["From"] = self._sender
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2].strip("> ") or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        return message


def _connected(parts: SplitResult) -> smtplib.SMTP:
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, parts.port or 465, timeout=_SECONDS, context=_tls())
    server = smtplib.SMTP(host, parts.port or 587, timeout=_SECONDS)
    if not is_loopback(host):
        try:
            server.starttls(context=_tls())
        except BaseException:
            server.close()
            raise
    return server


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def post_of(settings: Settings, clock: Clock) -> Post | None:
    """What sends letters in this installation; None where the operator has set nothing up."""
    if settings.mail_url is None or settings.mail_from is None:
        return None
    return SmtpPost(settings.mail_url, settings.mail_from, clock)
