// Charts are drawn by Plotly from a short description that the page carries.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: "#1a211f" };
  document.querySelectorAll("script[data-for]").forEach((block) => {
    const place = document.getElementById(block.dataset.for);
    const spec = JSON.parse(block.textContent);
    place.replaceChildren();
    if (!window.Plotly) { place.textContent = "图没有画出来，请刷新页面。"; return; }
    const layout = { font, margin: { l: 52, r: 18, t: 12, b: 42 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", colorway: ["#0b6b5c", "#c9924a", "#ab1f18", "#5b6fa8", "#7a8580"], hoverlabel: { font }, legend: { orientation: "h", y: 1.12 }, ...spec.layout };
    for (const axis of ["xaxis", "yaxis"]) {
      layout[axis] = { gridcolor: "#e8ecea", zerolinecolor: "#d5dbd8", automargin: true, ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", ...(spec.layout || {})[axis] };
      if (layout[axis].title) layout[axis].title.font = { size: 12, color: "#5a6561" };
    }
    window.Plotly.newPlot(place, spec.data, layout, { displayModeBar: false, responsive: true, locale: "zh-CN" });
    if (spec.links) place.on("plotly_click", (event) => { const url = spec.links[event.points[0].y] || spec.links[event.points[0].x]; if (url) location.assign(url); });
  });
});
