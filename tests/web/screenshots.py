"""Every page as a picture: ``python -m tests.web.screenshots [folder]`` writes docs/images. Look at each after changing a page."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from web_make import NOW, PASSWORD, Served, month, sample_calls

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
DESKTOP = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}
LONGEST = 1300


@dataclass(frozen=True)
class Shot:
    name: str
    person: str
    url: str
    store: str = "month"
    full: bool = False
    phone: bool = False
    keys: tuple[str, ...] = ()


SHOTS = (
    Shot("desk", "qa1", "/desk", store="calls"),
    Shot("case", "qa1", "/desk?q=S002>", store="calls", keys=("j",)),
    Shot("case-help", "qa1", "/desk?q=S004>", store="calls", keys=("?",)),
    Shot("case-reason", "qa1", "/desk?q=S002>", store="calls", keys=("2",)),
    Shot("cases", "lead1", "/cases?state=全部"),
    Shot("manage", "mgr1", "/manage"),
    Shot("calls", "mgr1", "/manage/calls"),
    Shot("call", "lead", "/calls/S004", store="calls"),
    Shot("teams", "mgr1", "/manage/teams"),
    Shot("team", "chief1", "/", full=True),
    Shot("agent", "mgr1", "/manage/agents/1001", full=True),
    Shot("clauses", "mgr1", "/manage/clauses"),
    Shot("money", "mgr1", "/manage/money", full=True),
    Shot("calibration", "lead1", "/manage/calibration", full=True),
    Shot("followup", "lead1", "/manage/followup"),
    Shot("complaints", "lead1", "/manage/complaints"),
    Shot("appeals", "chief1", "/appeals"),
    Shot("appeal", "chief1", "/appeals>", full=True),
    Shot("reports", "lead1", "/reports", full=True),
    Shot("studio", "lead1", "/studio"),
    Shot("rule", "lead1", "/studio/rules/A04", full=True),
    Shot("draft", "lead1", "/studio/draft?file=a/A04.yaml"),
    Shot("backtest", "lead1", "/studio/backtest"),
    Shot("me", "a1001", "/me", full=True),
    Shot("me-phone", "a1001", "/me", phone=True, full=True),
    Shot("my-call-phone", "a1001", "/me>", phone=True, full=True),
    Shot("my-call", "a1001", "/me>", full=True),
    Shot("sheet", "a1001", "/me>sheet", full=True),
    Shot("people", "admin", "/admin/people"),
    Shot("person", "admin", "/admin/people/qa1"),
    Shot("policy", "mgr1", "/admin/policy"),
    Shot("settings", "admin", "/admin/settings"),
    Shot("log", "admin", "/admin/log"),
    Shot("account", "qa1", "/account"),
    Shot("not-found", "qa1", "/calls/none"),
)


def sign_in(page: Any, base: str, person: str) -> None:
    page.goto(f"{base}/login")
    page.fill("[name=person_id]", person)
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")


def take(browser: Any, base: str, shot: Shot, folder: Path) -> list[str]:
    """One picture; what the browser complained about."""
    complaints: list[str] = []
    context = browser.new_context(viewport=PHONE if shot.phone else DESKTOP, locale="zh-CN", device_scale_factor=1)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, base, shot.person)
    url, _, then = shot.url.partition(">")
    page.goto(base + url)
    if ">" in shot.url:
        page.locator("table a.row").first.click()
        if then == "sheet":
            page.locator("a", has_text="质检评分表").first.click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    for key in shot.keys:
        page.keyboard.press(key)
        page.wait_for_timeout(900)
    if shot.full:  # long pages show what they begin with
        height = min(LONGEST, page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
        page.wait_for_timeout(300)
    page.screenshot(path=folder / f"{shot.name}.png")
    context.close()
    return [f"{shot.name}: {text}" for text in complaints if not re.search(r"status of 404", text)]


def main(folder: Path, only: set[str]) -> int:
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        settings, now = month(Path(name) / "month.duckdb")
        calls = sample_calls(Path(name) / "calls.duckdb")
        with Served(settings, now) as one, Served(calls, NOW) as other, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            for shot in SHOTS:
                if not only or shot.name in only:
                    complaints += take(browser, {"month": one.url, "calls": other.url}[shot.store], shot, folder)
            page = browser.new_page(viewport=DESKTOP)
            page.goto(one.url)
            page.screenshot(path=folder / "login.png")
            browser.close()
    for line in complaints:
        print(line)
    return 1 if complaints else 0


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs" / "images"
    sys.exit(main(target, set(sys.argv[2:])))
