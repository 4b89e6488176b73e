"""A report by e-mail, through the user's own SMTP server. Settings come from the environment, so that no password lies in a file
or a process list."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from qa_pipeline.errors import ConfigError, UserError, reason_of
from qa_pipeline.report.document import Report, shown

PATIENCE_S = 30.0
_TYPES = {
    "html": ("text", "html"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "md": ("text", "markdown"),
    "json": ("application", "json"),
}
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """``security``: none | starttls | tls. The password is never shown."""

    host: str
    sender: str
    port: int = 0
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)


def server_from(environ: Mapping[str, str]) -> MailServer:
    """QA_MAIL_HOST, _PORT, _SECURITY, _USER, _PASSWORD, _FROM. Raises ConfigError naming what is missing or wrong."""
    host, user = environ.get("QA_MAIL_HOST", ""), environ.get("QA_MAIL_USER", "")
    sender = environ.get("QA_MAIL_FROM", "") or user
    if not host or not sender:
        missing = "QA_MAIL_HOST" if not host else "QA_MAIL_FROM"
        raise ConfigError(f"发邮件要先设置环境变量 {missing}。全部设置见 docs/reports.md 的“发邮件”。")
    security = environ.get("QA_MAIL_SECURITY", "starttls").lower()
    if security not in _PORTS:
        raise ConfigError(f"QA_MAIL_SECURITY 只能是 {'、'.join(_PORTS)}，写的是“{security}”。")
    port = environ.get("QA_MAIL_PORT", "")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"QA_MAIL_PORT 应是 1 到 65535 的整数，写的是“{port}”。")
    return MailServer(
        host=host,
        sender=address(sender),
        port=int(port) if port else _PORTS[security],
        security=security,
        user=user,
        password=environ.get("QA_MAIL_PASSWORD", ""),
    )


def address(text: str) -> str:
    """A plausible address. Raises ConfigError; a line break never gets into a header."""
    name = parseaddr(text)[1]
    if "@" not in name or any(char in text for char in "\r\n") or any(char.isspace() for char in name):
        raise ConfigError(f"“{text}”不是邮件地址。")
    return text


def message_of(
    report: Report, files: Sequence[tuple[str, str, bytes]], *, sender: str, to: Sequence[str], at: datetime
) -> EmailMessage:
    """The figures at the top as text, each ``(name, form, data)`` attached."""
    message = EmailMessage()
    message["Subject"] = f"{report.title} {report.period}"
    message["From"] = sender
    message["To"] = ", ".join(address(item) for item in to)
    message["Date"] = format_datetime(at.astimezone())
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    lines = [f"{report.title}　{report.period}", ""]
    for fact in report.facts:
        note = f"（{fact.note}）" if fact.note else ""
        lines.append(f"{fact.label}：{shown(fact.value, fact.kind, rate=True)}{fact.unit}{note}")
    message.set_content("\n".join([*lines, "", "完整报表见附件。"]) + "\n")
    for name, form, data in files:
        kind, subkind = _TYPES[form]
        told = {"charset": "utf-8"} if kind == "text" else {}  # without it a reader guesses, and Chinese is lost
        message.add_attachment(data, maintype=kind, subtype=subkind, filename=name, params=told)
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    """Raises UserError with what to do when the server cannot be reached, refuses the login or a recipient."""
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            refused = connection.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise UserError(
            f"邮件服务器 {server.host} 不接受这个用户名或密码。请检查 QA_MAIL_USER 和 QA_MAIL_PASSWORD（有的邮箱要用授权码）。"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise UserError(f"邮件服务器不接受收件人 {'、'.join(error.recipients)}。请检查 --mail-to。") from None
    except smtplib.SMTPNotSupportedError:
        raise UserError(f"邮件服务器 {server.host} 不支持 {server.security} 或登录。请检查 QA_MAIL_SECURITY 和端口。") from None
    except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
        raise UserError(
            f"邮件没有发出：连不上或用不了 {server.host}:{server.port}（{reason_of(error)}）。报表文件仍在，可以稍后重发。"
        ) from None
    if refused:
        raise UserError(f"有收件人没有收到：{'、'.join(refused)}。其余的已经发出。")


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE_S, context=ssl.create_default_context())
    connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE_S)
    if server.security == "starttls":
        try:
            connection.starttls(context=ssl.create_default_context())
        except BaseException:
            connection.close()
            raise
    return connection
