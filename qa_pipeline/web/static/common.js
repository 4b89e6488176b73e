// What every page needs: forms that submit themselves, keys, printing, one way to call the API.
"use strict";
window.qa = {
  token: () => document.getElementById("main").dataset.csrf,
  async call(method, url, body, again = true) {
    const answer = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", "X-CSRF-Token": window.qa.token(), Accept: "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const data = await answer.json().catch(() => ({}));
    if (data.stale && again && (await window.qa.renew())) return window.qa.call(method, url, body, false);
    if (answer.status === 401) {  // the page stays as it is: whoever signs in beside it goes on where he was
      const error = new Error("登录已过期，这一步没有保存。请在新窗口登录，再回到这里做一次；这一页的内容都还在。");
      throw Object.assign(error, { status: 401, link: ["/login", "打开登录页"] });
    }
    if (!answer.ok) { const error = new Error(data.error || "没有连上服务器，操作没有保存。"); error.status = answer.status; throw error; }
    return data;
  },
  // The token of the session that has begun meanwhile, if it is the same person's.
  async renew() {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html").getElementById("main");
    const main = document.getElementById("main");
    if (!page || !page.dataset.me || page.dataset.me !== main.dataset.me) return false;
    main.dataset.csrf = page.dataset.csrf;
    document.querySelectorAll("input[name=csrf]").forEach((one) => { one.value = page.dataset.csrf; });
    return true;
  },
  // A message that is good news goes by itself; any other stays until it is closed. ``link``: address and words of a way out;
  // ``again``: with a button that loads the page anew.
  tell(message, kind = "ok", { link = null, again = false } = {}) {
    document.querySelectorAll("main > .flash").forEach((old) => old.remove());
    const box = document.createElement("div");
    box.className = "flash told " + kind;
    box.setAttribute("role", kind === "bad" ? "alert" : "status");
    const words = document.createElement("span");
    words.textContent = message;
    box.append(words);
    if (link) box.append(" ", Object.assign(document.createElement("a"), { href: link[0], textContent: link[1], target: "_blank", rel: "noopener" }));
    if (again) box.append(window.qa.button("刷新", () => location.reload()));
    if (kind === "ok") setTimeout(() => box.remove(), 4000);
    else box.append(window.qa.button("关闭", () => box.remove()));
    document.getElementById("main").prepend(box);
  },
  button(title, action) {
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = title;
    one.addEventListener("click", action);
    return one;
  },
};
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  document.querySelectorAll("form[data-auto] select").forEach((one) => one.addEventListener("change", () => one.form.submit()));
  document.querySelectorAll("[data-print]").forEach((one) => one.addEventListener("click", () => window.print()));
  document.querySelectorAll("[data-back]").forEach((one) => one.addEventListener("click", (event) => {
    if (history.length > 1 && document.referrer.startsWith(location.origin)) { event.preventDefault(); history.back(); }
  }));
  document.querySelectorAll("[data-close]").forEach((one) => one.addEventListener("click", () => one.closest("dialog").close("cancel")));
  document.querySelector("[data-new-person]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign("/admin/people/" + encodeURIComponent(event.target.elements.id.value.trim()));
  });
  document.querySelectorAll("form[data-sure]").forEach((one) => one.addEventListener("submit", (event) => {
    if (!window.confirm(one.dataset.sure)) event.preventDefault();
  }));
  // A form with work that is nowhere saved: leaving the page asks, submitting the form does not.
  document.querySelectorAll("form[data-unsaved]").forEach((form) => {
    let sending = false;
    const changed = () => form.dataset.unsaved === "1" || [...form.querySelectorAll("textarea")].some((one) => one.value !== one.defaultValue);
    form.addEventListener("submit", () => { sending = true; });
    window.addEventListener("beforeunload", (event) => { if (!sending && changed()) { event.preventDefault(); event.returnValue = ""; } });
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || "again" in form.dataset) return;
    if (form.dataset.sent) { event.preventDefault(); return; }  // a double click is one action
    form.dataset.sent = "1";
  });
  // Rows of a list: J and K move, Enter opens.
  const rows = [...document.querySelectorAll("table[data-rows] tbody tr")];
  let at = -1;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    const named = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (named) { event.preventDefault(); if (named.tagName === "INPUT") named.focus(); else named.click(); return; }
    if (!rows.length || !"jk".includes(event.key)) return;
    rows[at]?.classList.remove("on");
    at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)));
    rows[at].classList.add("on");
    rows[at].querySelector("a")?.focus();
  });
});
