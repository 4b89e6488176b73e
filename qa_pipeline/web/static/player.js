// One recording and its words: the waveform, the playing word, listening by a click, findings as marks.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const data = JSON.parse(document.getElementById("call-data").textContent);
  const audio = document.getElementById("audio");
  const canvas = document.getElementById("wave");
  const button = document.getElementById("play");
  const cards = [...document.querySelectorAll(".finding, .review-card")];  // the reviewer's and the agent's
  const turns = [...document.querySelectorAll(".turn[data-s]")].map((node) => ({ node, s: +node.dataset.s, e: +node.dataset.e }));
  const words = [...document.querySelectorAll(".said span[data-s]")].map((node) => ({ node, s: +node.dataset.s, e: +node.dataset.e }));
  const sound = Boolean(audio && audio.getAttribute("src"));
  if (!sound) document.body.classList.add("no-sound");
  const speeds = [0.75, 1, 1.25, 1.5, 1.75, 2];
  let speed = Number(localStorage.getItem("qa-speed")) || 1;
  let stopAt = null, active = null, lastWord = null, lastTurn = null;
  const COLOURS = { agent: "#0b6b5c", customer: "#c9924a", unknown: "#97a19c", "": "#5f7f78" };
  const clock = (seconds) => `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const say = (text) => { const place = document.getElementById("audio-state"); if (place) place.textContent = text; };

  // waveform
  function draw() {
    if (!canvas || !canvas.clientWidth) return;
    const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale)) { canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale); }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const total = data.duration || 1, x = (seconds) => (seconds / total) * width, body = height - 12;
    const lanes = Math.max(1, data.peaks.length), lane = body / lanes;
    for (const turn of turns) {
      const role = turn.node.classList.contains("agent") ? "agent" : turn.node.classList.contains("customer") ? "customer" : "unknown";
      pen.fillStyle = { agent: "#e3f0ec", customer: "#f8ecd8", unknown: "#eef0ef" }[role];
      const own = data.peak_roles.indexOf(role);
      const top = lanes === 2 && own >= 0 ? own * lane : 0;
      pen.fillRect(x(turn.s), top, Math.max(1.5, x(turn.e) - x(turn.s)), lanes === 2 && own >= 0 ? lane : body);
    }
    const played = audio ? audio.currentTime : 0;
    data.peaks.forEach((levels, channel) => {
      const middle = channel * lane + lane / 2, step = width / levels.length;
      levels.forEach((level, at) => {
        const seconds = (at / levels.length) * total;
        let role = data.peak_roles[channel] || "";
        if (!role) { const turn = turns.find((one) => one.s <= seconds && seconds <= one.e); role = turn ? (turn.node.classList.contains("agent") ? "agent" : turn.node.classList.contains("customer") ? "customer" : "unknown") : "unknown"; }
        const half = Math.max(0.5, (level / 100) * (lane / 2 - 2));
        pen.globalAlpha = seconds <= played ? 1 : 0.5;
        pen.fillStyle = COLOURS[role];
        pen.fillRect(at * step, middle - half, Math.max(1, step - 0.6), half * 2);
      });
    });
    pen.globalAlpha = 1;
    pen.font = "600 10px system-ui";
    const marked = cards.filter((card) => card.dataset.s), numbers = apart(marked, x, width, pen);
    marked.forEach((card, nth) => {
      const at = x(+card.dataset.s), end = x(+card.dataset.e), on = card === active;
      const gone = ["reject", "cannot_tell", "advice", "overturn"].some((state) => card.classList.contains(state));
      pen.fillStyle = gone ? "#737d79" : "#ab1f18";
      pen.globalAlpha = on ? 0.22 : 0.09;
      if (!("omitted" in card.dataset)) pen.fillRect(at, 0, Math.max(3, end - at), body);  // what was said there is no evidence
      pen.globalAlpha = 1;
      pen.fillRect(at, body, Math.max(3, end - at), 3);
      pen.fillText(card.dataset.f, numbers[nth], height - 0.5);
    });
    if (sound) { pen.fillStyle = "#1a211f"; pen.fillRect(x(played) - 0.75, 0, 1.5, body); }
  }

  // Where the numbers of the findings stand: each at its mark, moved just far enough that none covers another.
  function apart(marked, x, width, pen) {
    const sizes = marked.map((card) => pen.measureText(card.dataset.f).width + 4), places = marked.map((card) => x(+card.dataset.s));
    const order = marked.map((_, nth) => nth).sort((one, other) => places[one] - places[other] || one - other);
    let free = 3;  // the corner is round
    for (const nth of order) { places[nth] = Math.max(places[nth], free); free = places[nth] + sizes[nth]; }
    let limit = width;
    for (const nth of order.reverse()) { places[nth] = Math.min(places[nth], limit - sizes[nth]); limit = places[nth]; }
    return places;
  }

  // playing
  function play(from, until) {
    if (!sound) return;
    stopAt = until ?? null;
    if (from !== undefined && from !== null) audio.currentTime = Math.max(0, from);
    audio.playbackRate = speed;
    audio.preservesPitch = true;
    audio.play().catch(() => say("浏览器没有开始播放，请点一下“播放”。"));
  }
  function toggle() { if (!sound) return; if (audio.paused) play(); else { stopAt = null; audio.pause(); } }
  function faster(step) {
    const at = speeds.indexOf(speed) < 0 ? 1 : speeds.indexOf(speed);
    speed = speeds[Math.max(0, Math.min(speeds.length - 1, at + step))];
    localStorage.setItem("qa-speed", String(speed));
    if (audio) audio.playbackRate = speed;
    const place = document.getElementById("speed");
    if (place) place.textContent = speed + "×";
  }
  function follow() {
    if (!sound) return;
    const now = audio.currentTime;
    if (stopAt !== null && now >= stopAt) { audio.pause(); stopAt = null; }
    document.getElementById("now-at").textContent = clock(now);
    canvas.setAttribute("aria-valuenow", String(Math.round(now)));
    const word = words.findLast?.((one) => one.s <= now && now < one.e + 0.08) || null;
    if (word !== lastWord) { lastWord?.node.classList.remove("word-now"); word?.node.classList.add("word-now"); lastWord = word; }
    const turn = turns.findLast?.((one) => one.s <= now && now <= one.e) || null;
    if (turn !== lastTurn) {
      lastTurn?.node.classList.remove("now");
      turn?.node.classList.add("now");
      if (turn && !audio.paused) keepInView(turn.node);
      lastTurn = turn;
    }
    draw();
    if (!audio.paused) requestAnimationFrame(follow);
  }
  function keepInView(node) {
    const box = node.closest(".words");
    if (!box || box.scrollHeight <= box.clientHeight) return;
    const top = node.offsetTop - box.offsetTop;
    if (top < box.scrollTop + 40 || top > box.scrollTop + box.clientHeight - 90) box.scrollTo({ top: top - box.clientHeight / 3, behavior: "smooth" });
  }

  // findings
  function choose(card, listen) {
    if (!card) return;
    active?.classList.remove("active");
    document.querySelectorAll(".hit.active").forEach((one) => one.classList.remove("active"));
    active = card;
    card.classList.add("active");
    const panel = card.closest(".findings");
    if (panel && panel.scrollHeight > panel.clientHeight) panel.scrollTo({ top: card.offsetTop - panel.offsetTop - 46, behavior: "smooth" });
    else if (listen) belowPlayer(card);
    const marks = document.querySelectorAll(`.hit[data-f="${card.dataset.f}"]`);
    marks.forEach((one) => one.classList.add("active"));
    const place = marks[0]?.closest(".turn") || (card.dataset.turn && document.getElementById("t" + card.dataset.turn)) || turns.find((one) => one.e >= +card.dataset.s)?.node;
    if (place) keepInView(place);
    draw();
    if (listen && card.dataset.s) play(+card.dataset.s, +card.dataset.e);
    document.dispatchEvent(new CustomEvent("qa-finding", { detail: card }));
  }
  // Where the page itself scrolls, the player may lie over its top.
  function belowPlayer(card) {
    const player = document.querySelector(".player"), held = player.closest(".stay") || player;
    const covered = getComputedStyle(held).position === "sticky" ? player.offsetHeight : 0;
    window.scrollTo({ top: card.getBoundingClientRect().top + window.scrollY - covered - 12, behavior: "smooth" });
  }
  function step(by) { if (cards.length) choose(cards[Math.max(0, Math.min(cards.length - 1, (active ? cards.indexOf(active) : by > 0 ? -1 : 0) + by))], true); }

  cards.filter((card) => card.classList.contains("finding")).forEach((card) => card.addEventListener("click", (event) => { if (!event.target.closest("button,a,summary,pre,input")) choose(card, card !== active); }));
  document.querySelectorAll(".hear").forEach((one) => one.addEventListener("click", (event) => { event.stopPropagation(); play(+one.dataset.s, +one.dataset.e); }));
  document.getElementById("turns")?.addEventListener("click", (event) => {
    const whole = event.target.closest("[data-play]");
    if (whole) { const line = whole.closest(".turn"); play(+line.dataset.s, +line.dataset.e + 0.3); return; }
    const word = event.target.closest(".said span[data-s]");
    if (!word) return;
    if (word.dataset.f) choose(cards.find((card) => card.dataset.f === word.dataset.f), false);
    play(+word.dataset.s);
  });
  document.querySelectorAll("details[data-trace]").forEach((one) => one.addEventListener("toggle", async () => {
    const place = one.querySelector("pre");
    if (!one.open || place.dataset.done) return;
    place.dataset.done = "1";
    try {
      const card = one.closest(".finding");
      const answer = await window.qa.call("GET", `${data.more.trace}?rule=${encodeURIComponent(card.dataset.rule)}&run=${data.run_id}`);
      place.textContent = answer.lines.join("\n");
    } catch (error) { place.textContent = error.message; }
  }));
  if (sound) {
    button.addEventListener("click", toggle);
    audio.addEventListener("play", () => { button.textContent = "暂停"; say(""); requestAnimationFrame(follow); });
    audio.addEventListener("pause", () => { button.textContent = "播放"; follow(); });
    audio.addEventListener("waiting", () => say("正在读取录音…"));
    audio.addEventListener("playing", () => say(""));
    audio.addEventListener("seeked", follow);
    audio.addEventListener("error", () => say("录音播不出来：地址过期就刷新页面；文件不在了请告诉管理员。"));
    const seek = (event) => { const box = canvas.getBoundingClientRect(); stopAt = null; audio.currentTime = ((event.clientX - box.left) / box.width) * data.duration; follow(); };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); seek(event); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons) seek(event); });
  }
  document.getElementById("slower")?.addEventListener("click", () => faster(-1));
  document.getElementById("faster")?.addEventListener("click", () => faster(1));
  document.getElementById("prev")?.addEventListener("click", () => step(-1));
  document.getElementById("next")?.addEventListener("click", () => step(1));
  const keys = {
    " ": toggle, j: () => step(1), k: () => step(-1), r: () => choose(active || cards[0], true), "[": () => faster(-1), "]": () => faster(1),
    ArrowLeft: () => sound && (audio.currentTime -= 3), ArrowRight: () => sound && (audio.currentTime += 3),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    if (event.key === " " && event.target.tagName === "BUTTON" && event.target.id !== "play") return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (keys[key]) { event.preventDefault(); keys[key](); }
  });
  window.addEventListener("resize", draw);
  faster(0);
  draw();
  window.player = { choose, step, play, draw, cards, active: () => active, now: () => (audio ? audio.currentTime : 0), data };
});
