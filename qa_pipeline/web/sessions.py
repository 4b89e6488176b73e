"""Who is at the other end: signed sessions, tokens against forged requests, signed short-lived addresses, limited attempts.

The key is made when the server starts and never leaves it: a restart signs everybody out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeTimedSerializer

COOKIE = "qa_session"
SESSION_S = 10 * 3600  # a shift
MEDIA_S = 30 * 60  # an address of a recording or clip
_ATTEMPTS = 5  # wrong passwords
_WINDOW_S = 300.0


@dataclass(frozen=True, slots=True)
class Session:
    session_id: str
    person_id: str
    password: int  # number of the password's row: a new password ends older sessions


class Sessions:
    """``tick`` gives seconds of a steady clock."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._cookies = URLSafeTimedSerializer(self._key, salt="session")
        self._media = URLSafeTimedSerializer(self._key, salt="media")
        self._ended: dict[str, float] = {}

    def begin(self, person_id: str, password: int) -> str:
        """The value of the cookie of a new session."""
        return self._cookies.dumps([secrets.token_urlsafe(12), person_id, password])

    def read(self, cookie: str | None) -> Session | None:
        if not cookie:
            return None
        try:
            session_id, person_id, password = self._cookies.loads(cookie, max_age=SESSION_S)
        except (BadSignature, ValueError, TypeError):
            return None
        return None if session_id in self._ended else Session(session_id, person_id, password)

    def end(self, session: Session) -> None:
        now = time.time()
        self._ended = {name: at for name, at in self._ended.items() if now - at < SESSION_S}
        self._ended[session.session_id] = now

    def token(self, session_id: str) -> str:
        """A token for forms; different each time, so that compressed pages give nothing away."""
        salt = secrets.token_hex(8)
        return f"{salt}.{self._digest(salt, session_id)}"

    def token_right(self, session_id: str, token: str) -> bool:
        salt, _, digest = token.partition(".")
        return hmac.compare_digest(digest.encode(), self._digest(salt, session_id).encode())

    def _digest(self, salt: str, session_id: str) -> str:
        return hmac.new(self._key, f"csrf/{salt}/{session_id}".encode(), hashlib.sha256).hexdigest()[:40]

    def media_token(self, session: Session, call_id: str) -> str:
        """Opens the recording of one call to one session for a while."""
        return self._media.dumps([session.session_id, call_id])

    def media_right(self, session: Session, call_id: str, token: str) -> bool:
        try:
            return bool(self._media.loads(token, max_age=MEDIA_S) == [session.session_id, call_id])
        except BadSignature:
            return False


class Attempts:
    """Wrong passwords per name and per address; after too many, nothing is tried for a while."""

    def __init__(self) -> None:
        self._failed: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def wait_s(self, *names: str) -> int:
        """Seconds until another attempt is taken; 0: now."""
        now = time.monotonic()
        with self._lock:
            return max((self._left(name, now) for name in names), default=0)

    def failed(self, *names: str) -> None:
        with self._lock:
            for name in names:
                self._failed[name].append(time.monotonic())
            if len(self._failed) > 10_000:  # a flood of invented names must not fill memory
                self._failed.pop(next(iter(self._failed)))

    def succeeded(self, name: str) -> None:
        with self._lock:
            self._failed.pop(name, None)

    def _left(self, name: str, now: float) -> int:
        tries = self._failed.get(name)
        if tries is None:
            return 0
        while tries and now - tries[0] > _WINDOW_S:
            tries.popleft()
        most = _ATTEMPTS if name.startswith("person:") else 6 * _ATTEMPTS  # an office may share one address
        return 0 if len(tries) < most else int(_WINDOW_S - (now - tries[0])) + 1
