// The reviewer's hands: decide with one key, say why, add, correct, finish. Every change goes through the API with the version seen.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const { data, cards, choose, step, now, active } = window.player;
  const more = data.more, base = `/api/v1/cases/${more.case_id}`;
  let version = more.version, busy = false;
  const REASONS = {
    reject: ["没有这样说，听错了字", "话是客户说的", "语境不算违规", "前面或后面已经说过", "同一件事已另计"],
    cannot_tell: ["录音听不清", "两人同时说话", "分不清是谁说的", "缺少通话资料"],
  };
  const help = document.getElementById("help-box");
  document.getElementById("help").addEventListener("click", () => help.showModal());

  function left() {
    const open = cards.filter((card) => card.classList.contains("open"));
    const place = document.getElementById("left");
    if (place) place.textContent = open.length ? `还有 ${open.length} 条待决定` : cards.length ? "都已决定" : "";
    document.querySelector(".finish")?.classList.toggle("ready", !open.length);
    return open;
  }
  async function send(path, body) {
    if (busy) return null;
    busy = true;
    try {
      const answer = await window.qa.call("POST", base + path, { ...body, version });
      version = answer.version;
      document.querySelectorAll("[data-version]").forEach((one) => (one.value = version));
      return answer;
    } catch (error) {
      window.qa.tell(error.message, "bad", { link: error.link, again: error.status === 409 });
      return null;
    } finally { busy = false; }
  }
  // The note is typed over minutes: it outlives whatever loads the page anew. What the server gave back goes first.
  const form = document.querySelector(".finish"), note = form?.elements.note, place = "qa-note-" + more.case_id;
  if (note) {
    note.value = note.value || sessionStorage.getItem(place) || "";
    note.addEventListener("input", () => sessionStorage.setItem(place, note.value));
    form.addEventListener("submit", (event) => { if (unfinished()) event.preventDefault(); else sessionStorage.removeItem(place); });
  }
  function unfinished() {
    const open = left();
    if (!open.length) return false;
    choose(open[0], true);
    const names = open.map((card) => card.dataset.name);
    window.qa.tell(`还有 ${open.length} 条没有决定：${names.slice(0, 6).join("、")}${names.length > 6 ? " 等" : ""}。`, "bad");
    return true;
  }
  const LABELS = { confirm: "确认", reject: "驳回", cannot_tell: "无法判断" };
  async function decide(card, decision, reason) {
    if (!card || !more.editable) return;
    if (decision !== "confirm" && reason === undefined) { ask(card, decision); return; }
    const answer = await send("/decisions", { finding: card.dataset.key, decision, reason: reason || "" });
    if (!answer) return;
    card.classList.remove("open", "advice", "confirm", "reject", "cannot_tell");
    card.classList.add(decision);
    card.querySelector("[data-decision]").textContent = LABELS[decision];
    for (const one of cards) { // a decision may change what another finding costs: one fact is fined once
      const place = one.querySelector("[data-penalty]");
      if (place && answer.charges && one.dataset.key in answer.charges) place.textContent = answer.charges[one.dataset.key];
    }
    document.querySelectorAll(`.hit[data-f="${card.dataset.f}"]`).forEach((one) => { one.classList.remove("confirm", "reject", "cannot_tell"); one.classList.add(decision); });
    const open = left();
    const at = cards.indexOf(card);
    const next = open.find((one) => cards.indexOf(one) > at) || open[0];
    if (next) choose(next, true);
    else { window.player.draw(); document.getElementById("finish")?.scrollIntoView({ block: "nearest" }); }
  }
  const reasons = document.getElementById("reason-box"), title = document.getElementById("reason-title");
  const missing = document.getElementById("reason-missing");
  function ask(card, decision) {
    title.textContent = decision === "reject" ? "为什么驳回？" : "为什么无法判断？";
    const box = document.getElementById("reasons"), text = document.getElementById("reason-text");
    box.replaceChildren();
    text.value = "";
    REASONS[decision].forEach((reason, at) => {
      const one = document.createElement("button");
      one.type = "button";
      const key = document.createElement("kbd");
      key.textContent = String(at + 1);
      one.append(key, " " + reason);
      one.addEventListener("click", () => { reasons.close("ok"); decide(card, decision, reason); });
      box.append(one);
    });
    reasons.onkeydown = (event) => {
      if (!reasons.open) return;  // closed a moment ago and the focus still here: the key is meant for the page
      const at = Number(event.key) - 1;
      if (event.key === "Enter" && event.target.tagName !== "BUTTON" && event.target !== text) { event.preventDefault(); nothingChosen(); }
      if (event.target !== text && box.children[at]) { event.preventDefault(); event.stopPropagation(); box.children[at].click(); }
    };
    reasons.onsubmit = (event) => {
      if (event.submitter?.value === "ok" && !text.value.trim()) { event.preventDefault(); nothingChosen(); }
    };
    reasons.onclose = () => { if (reasons.returnValue === "ok" && text.value.trim()) decide(card, decision, text.value.trim()); reasons.returnValue = ""; };
    missing.hidden = true;
    reasons.showModal();
    title.focus();  // on no button: the key that comes next by habit must not choose
  }
  function nothingChosen() {
    missing.hidden = false;
    title.focus();  // a number chooses now, it is not typed
  }
  document.querySelectorAll(".decide button").forEach((one) => one.addEventListener("click", (event) => {
    event.stopPropagation();
    const card = one.closest(".finding");
    choose(card, false);
    decide(card, one.dataset.do);
  }));

  const lines = [...document.querySelectorAll(".turn")];
  function here() {
    const at = now();
    return lines.findLast?.((line) => line.dataset.s !== undefined && +line.dataset.s <= at + 0.05) || lines[0];
  }
  const adding = document.getElementById("add-box");
  document.getElementById("add")?.addEventListener("click", openAdd);
  function openAdd() {
    if (!adding) return;
    const line = here();
    document.getElementById("add-at").textContent = line ? `第 ${+line.dataset.turn + 1} 句“${line.querySelector(".said").textContent.slice(0, 18)}”` : "整通";
    adding.onclose = async () => {
      if (adding.returnValue !== "ok") return;
      adding.returnValue = "";
      const body = { clause: document.getElementById("add-clause").value.trim(), reason: document.getElementById("add-reason").value.trim() };
      if (document.getElementById("add-here").checked && line) body.turn = +line.dataset.turn;
      if (await send("/findings", body)) location.reload();
    };
    adding.showModal();
  }
  const wording = document.getElementById("text-box");
  document.getElementById("turns").addEventListener("click", async (event) => {
    const line = event.target.closest(".turn");
    const edit = event.target.closest(".edit"), role = event.target.closest("button.role");
    if (edit) {
      const field = document.getElementById("text-right");
      field.value = edit.dataset.edit;
      wording.onclose = async () => {
        if (wording.returnValue !== "ok" || !field.value.trim() || field.value === edit.dataset.edit) return;
        wording.returnValue = "";
        if (await send("/corrections", { turns: [{ turn: +line.dataset.turn, text: field.value.trim() }] })) location.reload();
      };
      wording.showModal();
    } else if (role) {
      const other = role.dataset.role === "agent" ? "customer" : "agent";
      const title = other === "agent" ? "坐席" : "客户";
      if (window.confirm(`这句话改为${title}说的，并重新判定？`) && (await send("/corrections", { turns: [{ turn: +line.dataset.turn, role: other }] }))) location.reload();
    }
  });
  document.getElementById("swap")?.addEventListener("click", async () => {
    if (window.confirm("坐席和客户整个对调，并重新判定？") && (await send("/corrections", { swap: true }))) location.reload();
  });
  const keys = {
    1: () => decide(active(), "confirm"), 2: () => decide(active(), "reject"), 3: () => decide(active(), "cannot_tell"),
    n: () => document.getElementById("next-case").click(), "?": () => help.showModal(), "？": () => help.showModal(), a: openAdd,
    f: () => form?.requestSubmit(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action && (more.editable || "n?？".includes(event.key.toLowerCase()))) { event.preventDefault(); action(); }
  });
  const first = left()[0] || cards[0];
  if (first) choose(first, false);
});
