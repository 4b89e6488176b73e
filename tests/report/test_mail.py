"""Delivery through a real SMTP server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from qa_pipeline.errors import ConfigError, UserError
from qa_pipeline.report import registry
from qa_pipeline.report.mail import MailServer, message_of, send, server_from
from tests.report.test_forms import REPORT

AT = datetime(2026, 12, 1, 9, 0)


class Inbox:
    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


def _login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = data.login == b"qa" and data.password == b"secret"
    return AuthResult(success=good, handled=good)


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Inbox()
    controller = Controller(found, hostname="127.0.0.1", port=port, authenticator=_login, auth_require_tls=False)
    controller.start()
    yield found, port
    controller.stop()


def mail(*to: str) -> EmailMessage:
    files = [("日报.xlsx", "xlsx", registry.render(REPORT, "xlsx")), ("日报.html", "html", registry.render(REPORT, "html"))]
    return message_of(REPORT, files, sender="质检 <qa@example.com>", to=to, at=AT)


def test_a_report_arrives_whole(inbox: tuple[Inbox, int]) -> None:
    found, port = inbox
    server = MailServer(host="127.0.0.1", port=port, sender="qa@example.com", security="none", user="qa", password="secret")
    send(server, mail("boss@example.com", "lead@example.com"))
    (got,) = found.mails
    assert (got["Subject"], got["To"]) == ("测试 2026-11", "boss@example.com, lead@example.com")
    body = got.get_body()
    assert body is not None
    assert body.get_content().splitlines()[2:4] == ["没有分母：无数据", "件数：1,234"]
    attached = {item.get_filename(): item.get_content() for item in got.iter_attachments()}
    assert attached["日报.xlsx"] == registry.render(REPORT, "xlsx")
    assert attached["日报.html"].encode() == registry.render(REPORT, "html")


def test_what_goes_wrong_is_told(inbox: tuple[Inbox, int]) -> None:
    found, port = inbox
    server = MailServer(host="127.0.0.1", port=port, sender="qa@example.com", security="none")
    with pytest.raises(UserError, match="不接受收件人 nobody"):
        send(server, mail("nobody@example.com"))
    with pytest.raises(UserError, match="有收件人没有收到：nobody"):
        send(server, mail("nobody@example.com", "boss@example.com"))
    with pytest.raises(UserError, match="不接受这个用户名或密码"):
        send(MailServer(host="127.0.0.1", port=port, sender="a@b.c", security="none", user="qa", password="x"), mail("boss@b.c"))
    with pytest.raises(UserError, match="不支持 starttls"):
        send(MailServer(host="127.0.0.1", port=port, sender="a@b.c"), mail("boss@example.com"))
    with pytest.raises(UserError, match="邮件没有发出"):
        send(MailServer(host="127.0.0.1", port=1, sender="a@b.c", security="none"), mail("boss@example.com"))
    assert len(found.mails) == 1


def test_settings_from_the_environment() -> None:
    server = server_from({"QA_MAIL_HOST": "smtp.example.com", "QA_MAIL_USER": "qa@example.com", "QA_MAIL_PASSWORD": "secret"})
    assert (server.port, server.security, server.sender) == (587, "starttls", "qa@example.com")
    assert "secret" not in repr(server)
    with pytest.raises(ConfigError, match="QA_MAIL_HOST"):
        server_from({})
    with pytest.raises(ConfigError, match="QA_MAIL_SECURITY"):
        server_from({"QA_MAIL_HOST": "x", "QA_MAIL_FROM": "a@b.c", "QA_MAIL_SECURITY": "ssl"})
    with pytest.raises(ConfigError, match="QA_MAIL_PORT"):
        server_from({"QA_MAIL_HOST": "x", "QA_MAIL_FROM": "a@b.c", "QA_MAIL_PORT": "99999"})
    with pytest.raises(ConfigError, match="不是邮件地址"):
        mail("boss@example.com\nBcc: thief@example.com")
