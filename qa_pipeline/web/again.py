"""A form that was refused: its page once more, with what was typed still in its fields and what is wrong above them.

One shape for every form. The page is made by the route that made it before, as it is now; then the form that was sent is found in
it and filled. So no template knows of it, and a form that is new needs nothing to be refused well. When the page no longer has the
form (somebody else was quicker, a time ran out), what was typed is shown instead: nothing that somebody wrote is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route

from qa_pipeline.errors import QaError
from qa_pipeline.web import roles
from qa_pipeline.web.guard import OWN_FIELDS, Ask
from qa_pipeline.web.views import back, local

_FORM = re.compile(r"<form\b[^>]*>")
_DETAILS = re.compile(r"<(/?)details\b")
_UNTOUCHED = ("hidden", "password", "file", "submit", "button", "reset")
_NOT_TYPED = ("version", "case_id", "finding", "calls", "before")  # hidden fields of our forms
_LONGEST = 4000  # characters of one field that are shown when its form is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came in. ``path`` is where the form was sent to, ``wrong`` names the fields that were not accepted."""

    path: str
    fields: Mapping[str, Sequence[str]]
    message: str
    wrong: Sequence[str] = ()


def again(ask: Ask, url: str, message: str, *, status: int = 422, wrong: Sequence[str] = ()) -> Response:
    """The page of the form that ``ask`` sent, filled in; ``url`` is that page when the browser does not say."""
    page = page_before(ask.request) or local(url)
    try:
        answer = _page(ask, page)
    except QaError:  # the thing is gone, or the page is somebody else's by now
        answer = None
    if answer is None:
        return back(ask, url, message, kind="bad")
    sent = Sent(path=ask.request.scope["path"], fields=_fields(ask.form), message=message, wrong=wrong)
    text = refilled(bytes(answer.body).decode(), sent)
    mark = f'<main id="main" data-at="{escape(page)}"' + (f' data-arrived="{ask.kept}"' if ask.kept else "")
    answer.body = text.replace('<main id="main"', mark, 1).encode()
    answer.headers["content-length"] = str(len(answer.body))
    answer.status_code = status
    return answer


def page_before(request: Request) -> str:
    """The page of ours from which a form was sent, as the browser tells; empty when it does not, or when it is no page to read."""
    before = urlsplit(request.headers.get("referer", ""))
    if before.netloc != request.headers.get("host", "") or before.path.startswith(("/do/", "/api/", "/login")):
        return ""
    page = local(before.path + (f"?{before.query}" if before.query else ""))
    return page if any(_routes(before.path)) else ""


def _page(ask: Ask, url: str) -> HTMLResponse | None:
    """What a GET of one of our pages would answer; None when that is no page, or not for this person."""
    path, _, query = url.partition("?")
    for route, params in _routes(path):
        posts = roles.allowed(route.name)
        if posts is None or not ask.person.has(*posts):
            return None
        scope = {
            **ask.request.scope,
            "method": "GET",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "route": route,
            "path_params": params,
        }
        shown: Callable[..., Response] = route.endpoint
        answer = shown(ask=replace(ask, request=Request(scope), form=FormData()), **params)
        return answer if isinstance(answer, HTMLResponse) and answer.status_code == 200 else None
    return None


def _routes(path: str) -> Iterator[tuple[Route, dict[str, str]]]:
    from qa_pipeline.web.routes import TABLE

    scope = {"type": "http", "method": "GET", "path": unquote(path), "root_path": ""}
    for module in TABLE:
        for route in module.router.routes:
            if isinstance(route, Route):
                match, more = route.matches(scope)
                if match is Match.FULL:
                    yield route, more["path_params"]


def _fields(form: FormData) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name not in OWN_FIELDS:
            found.setdefault(name, []).append(value)
    return found


# Filling in


def refilled(page: str, sent: Sent) -> str:
    """The page with the form that was sent filled in and the message above it; else with both at its beginning."""
    for found in _FORM.finditer(page):
        end = page.find("</form>", found.end())
        start, inside = found.group(), page[found.end() : end]
        if _is_the_form(start, inside, sent):
            filler = _Filler(sent)
            filler.feed(inside)
            filler.close()
            before = _opened(page[: found.start()])
            return before + _told(sent.message) + start + "".join(filler.out) + page[end:]
    at = page.index(">", page.index('<main id="main"')) + 1
    return page[:at] + _told(sent.message, _written(page, sent)) + page[at:]


def _told(message: str, more: str = "") -> str:
    return f'<div class="flash bad form-error" role="alert">{escape(message)}{more}</div>'


def _written(page: str, sent: Sent) -> str:
    """What was typed, to be copied: without what stood in the page anyway."""
    texts = [text.strip()[:_LONGEST] for name, values in sent.fields.items() if name not in _NOT_TYPED for text in values]
    typed = [text for text in texts if text not in ("", "true", "false") and f'"{escape(text)}"' not in page]
    return "<p>您填的内容没有保存：</p>" + "".join(f"<blockquote>{escape(text)}</blockquote>" for text in typed) if typed else ""


def _is_the_form(start: str, inside: str, sent: Sent) -> bool:
    """Whether this form sends to where it was sent, about the same thing: its hidden fields say which."""
    attributes = _attributes(start)
    if attributes.get("method") != "post":
        return False
    targets = [attributes.get("action", ""), *(unescape(item) for item in re.findall(r'formaction="([^"]*)"', inside))]
    if sent.path not in [unquote(item) for item in targets]:
        return False
    fixed = [_attributes(item) for item in re.findall(r"<input\b[^>]*>", inside)]
    return all(
        sent.fields.get(item.get("name", ""), [""])[0] == item.get("value", "")
        for item in fixed
        if item.get("type") == "hidden" and item.get("name") not in (*OWN_FIELDS, "version")
    )


def _opened(before: str) -> str:
    """Folded parts around the form are unfolded."""
    around: list[int] = []
    for found in _DETAILS.finditer(before):
        if found.group(1):
            around = around[:-1]
        else:
            around.append(found.end())
    for at in reversed(around):
        before = f"{before[:at]} open{before[at:]}"
    return before


class _Tag(HTMLParser):
    """The attributes of one start tag."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found = {name: value or "" for name, value in attrs}


def _attributes(tag: str) -> dict[str, str]:
    parser = _Tag()
    parser.feed(tag)
    return parser.found


class _Filler(HTMLParser):
    """Copies the inside of a form with what was sent in its fields. The first wrong field, else the first field, gets the focus."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._sent = sent
        self._select = ""  # the name of the list that is being copied
        self._option: int | None = None  # where an option stands whose value is its text
        self._skipping = False  # the old text of a field
        self._focused = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        raw = self.get_starttag_text() or ""
        if tag == "select":
            self._select = name if name in self._sent.fields else ""
        elif tag == "option" and self._select:
            raw = self._chosen(raw, values)
        elif tag == "textarea" and name in self._sent.fields:
            self.out += [self._marked(raw, name, "hidden" not in values), "\n", escape(self._sent.fields[name][0])]
            self._skipping = True
            return
        elif tag == "input" and values.get("type", "text") not in _UNTOUCHED and "disabled" not in values:
            raw = self._input(raw, values, name)
        self.out.append(raw)

    def _input(self, raw: str, values: dict[str, str], name: str) -> str:
        typed = self._sent.fields.get(name, [])
        if values.get("type") in ("checkbox", "radio"):
            plain = re.sub(r"\schecked(?=[\s>])", "", raw)
            return f"{plain[:-1]} checked>" if values.get("value", "on") in typed else plain
        if not typed:
            return raw
        plain = re.sub(r'\svalue="[^"]*"', "", raw)
        return self._marked(f'{plain[:-1]} value="{escape(typed[0])}">', name, True)

    def _marked(self, raw: str, name: str, visible: bool) -> str:
        wrong = name in self._sent.wrong
        if wrong:
            raw = f'{raw[:-1]} aria-invalid="true">'
        if visible and not self._focused and (wrong or not self._sent.wrong):
            self._focused = True
            plain = re.sub(r"\sautofocus(?=[\s>])", "", raw)
            return f"{plain[:-1]} autofocus>"
        return raw

    def _chosen(self, raw: str, values: dict[str, str]) -> str:
        plain = re.sub(r"\sselected(?=[\s>])", "", raw)
        if "value" not in values:
            self._option = len(self.out)
            return plain
        return f"{plain[:-1]} selected>" if values["value"] in self._sent.fields[self._select] else plain

    def handle_endtag(self, tag: str) -> None:
        self._skipping = self._skipping and tag != "textarea"
        if tag == "select":
            self._select = ""
        if not self._skipping:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._option is not None:
            if unescape(data) in self._sent.fields[self._select]:
                self.out[self._option] = f"{self.out[self._option][:-1]} selected>"
            self._option = None
        self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")
