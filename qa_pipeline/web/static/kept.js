// What was typed and did not arrive (the session had ended, the server was away): kept in this tab until the server says that it did.
// Nothing of it goes anywhere: not to the server, not into an address; another person who signs in here does not get it.
"use strict";
(() => {
  const STORE = "qa-kept";
  const OWN = ["csrf", "back", "kept", "version"];
  const main = document.getElementById("main");
  const here = () => location.pathname + location.search;
  const read = () => { try { return JSON.parse(sessionStorage.getItem(STORE)) || []; } catch { return []; } };
  const write = (all) => { try { sessionStorage.setItem(STORE, JSON.stringify(all)); } catch { /* full, or not allowed: nothing is kept */ } };
  const path = (address) => new URL(address, location.origin).pathname;
  const fields = (form) => [...form.elements].filter((one) => one.name && !OWN.includes(one.name));
  const visible = (one) => !["hidden", "password", "file", "submit", "button"].includes(one.type) && !one.hidden && one.tagName !== "BUTTON";
  const fixed = (form) => JSON.stringify(fields(form).filter((one) => one.type === "hidden").map((one) => [one.name, one.value]));

  // A page that answered a form stands at the address of the form's page, so that reloading it is harmless.
  if (main.dataset.at) history.replaceState(null, "", main.dataset.at);

  function keep(form, submitter) {
    const target = form.dataset.keep || path((submitter && submitter.getAttribute("formaction")) || form.getAttribute("action") || location.href);
    if (target === "/logout") { sessionStorage.removeItem(STORE); return; }
    const typed = fields(form).filter(visible);
    if (target === "/login" || "again" in form.dataset || !typed.some((one) => one.value)) return;
    const values = fields(form).filter((one) => (visible(one) || one.type === "hidden" || one.tagName === "TEXTAREA") && (!["checkbox", "radio"].includes(one.type) || one.checked)).map((one) => [one.name, one.value]);
    const kept = { id: crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.floor(Math.random() * 1e9)}`, me: main.dataset.me, page: here(), target, fixed: form.dataset.keep ? "[]" : fixed(form), values, lost: false };
    write([...read().filter((one) => !(one.page === kept.page && one.target === kept.target && one.fixed === kept.fixed)), kept]);
    const mark = form.querySelector("[name=kept]") || form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "kept" }));
    mark.value = kept.id;
  }
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && event.target.method === "post" && !event.target.dataset.sent) keep(event.target, event.submitter);
  });

  let all = read();
  if (main.dataset.arrived) all = all.filter((one) => one.id !== main.dataset.arrived);
  if (main.dataset.me) all = all.filter((one) => one.me === main.dataset.me);
  if (document.querySelector("[data-unsaved]")) all.forEach((one) => { one.lost = true; });
  write(all);

  function box(one, form) {
    const told = document.createElement("div");
    told.className = "flash bad form-error";
    told.setAttribute("role", "alert");
    const why = one.lost ? "登录过期，这一份没有保存。" : "这一份没有收到“已保存”的答复。";
    told.append(why + (form ? "内容已填回，请检查后再提交一次。" : "这一页上已经没有对应的表格。您填的是："));
    if (!form) for (const [name, value] of one.values) if (value.trim() && !["true", "false"].includes(value) && !one.fixed.includes(JSON.stringify([name, value]))) told.append(Object.assign(document.createElement("blockquote"), { textContent: value }));
    const drop = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "不要了" });
    drop.addEventListener("click", () => {
      write(read().filter((other) => other.id !== one.id));
      form?.reset();
      told.remove();
    });
    told.append(" ", drop);
    if (form) form.before(told); else main.prepend(told);
    return told;
  }
  function fill(form, one) {
    const names = new Set(one.values.map(([name]) => name));
    for (const name of names) {
      const values = one.values.filter(([other]) => other === name).map(([, value]) => value);
      for (const field of fields(form).filter((other) => other.name === name && (visible(other) || other.tagName === "TEXTAREA"))) {
        if (["checkbox", "radio"].includes(field.type)) field.checked = values.includes(field.value);
        else field.value = values[0];
      }
    }
    const boxes = fields(form).filter((other) => other.type === "checkbox" && !names.has(other.name));
    boxes.forEach((other) => { other.checked = false; });
  }
  for (const one of all.filter((kept) => kept.me === main.dataset.me && kept.page === here())) {
    const form = [...document.forms].find((other) => other.method === "post" && (one.fixed === "[]" || fixed(other) === one.fixed)
      && [other.getAttribute("action"), ...[...other.querySelectorAll("[formaction]")].map((button) => button.getAttribute("formaction"))].some((target) => target && path(target) === one.target));
    if (form) {
      fill(form, one);
      for (let around = form.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    }
    const told = box(one, form);
    told.scrollIntoView({ block: "center" });
    fields(form || document.createElement("form")).find(visible)?.focus({ preventScroll: true });
  }
})();
