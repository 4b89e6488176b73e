// Drafts are checked while they are written; a back-test tells how far it is.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const job = document.getElementById("backtest");
  if (job) {
    const look = async () => {
      try {
        const answer = await window.qa.call("GET", "/api/v1/backtests/" + job.dataset.job);
        if (!answer.running) { location.reload(); return; }
        document.getElementById("backtest-bar").value = answer.total ? (100 * answer.done) / answer.total : 0;
        document.getElementById("backtest-count").textContent = answer.total ? `${answer.done} / ${answer.total} 通` : "正在读规则…";
      } catch (error) { document.getElementById("backtest-count").textContent = error.message; }
      setTimeout(look, 1000);
    };
    look();
    return;
  }
  const text = document.getElementById("text"), result = document.getElementById("result"), state = document.getElementById("check-state");
  const publish = document.getElementById("publish"), call = document.getElementById("call");
  let timer = null, asked = 0;
  const make = (tag, words, css) => { const node = document.createElement(tag); node.textContent = words; if (css) node.className = css; return node; };
  const list = (items, css) => { const box = document.createElement("ul"); if (css) box.className = css; items.forEach((item) => box.append(item)); return box; };
  async function check() {
    const ticket = ++asked;
    state.textContent = "正在检查…";
    try {
      const found = await window.qa.call("POST", "/api/v1/studio/check", { name: document.getElementById("name").value || "draft.yaml", text: text.value, call_id: call.value.trim() });
      if (ticket !== asked) return;
      show(found);
      state.textContent = found.good ? "可以发布" : "还不能发布";
      publish.disabled = !found.good;
    } catch (error) { if (ticket === asked) { state.textContent = error.message; publish.disabled = true; } }
  }
  function show(found) {
    result.replaceChildren();
    if (found.problems.length) { result.append(make("h2", "要改的地方"), list(found.problems.map((one) => make("li", one)), "problems")); return; }
    const failed = found.examples.filter((one) => one.problems.length);
    result.append(make("h2", `例子 ${found.examples.length - failed.length} / ${found.examples.length} 通过`));
    if (failed.length) result.append(list(failed.map((one) => make("li", `${one.name}：${one.problems.join("；")}`)), "problems"));
    else result.append(make("p", "✓ 自带的例子都通过。", "ok-line"));
    if (found.thin.length) result.append(make("p", found.thin.join("；"), "note"));
    result.append(make("h2", `最近 ${found.tried} 通：标出 ${found.marked} 通，与现在不同 ${found.differences.length} 通`));
    result.append(list(found.differences.slice(0, 15).map((one) => {
      const line = document.createElement("li"), link = make("a", one.call_id);
      link.href = "/calls/" + encodeURIComponent(one.call_id);
      line.append(link, ` ${one.before} → ${one.after} `, make("span", [one.quote && `“${one.quote}”`, one.reason].filter(Boolean).join(" "), "mute small"));
      return line;
    })));
    if (found.trace.length) result.append(make("h2", "判定过程"), make("pre", found.trace.join("\n"), "trace"));
  }
  text.addEventListener("input", () => { clearTimeout(timer); publish.disabled = true; timer = setTimeout(check, 700); });
  document.getElementById("check").addEventListener("click", check);
  call.addEventListener("change", check);
  check();
});
