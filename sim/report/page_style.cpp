#include "sim/report/report_parts.hpp"

namespace wh::sim_report {

std::string_view page_style() {
  return R"css(
:root { --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --rule: #d5dae0; --panel: #f6f8fa; --band: #eaf0f7;
  --band2: #f3f4f5;
  --good: #116329; --good-bg: #dcf5e3; --bad: #a40e26; --bad-bg: #ffe5e7;
  --c1: #0860c4; --c2: #c2510c; --c3: #14804a; --c4: #8a3ea8; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1318; --ink: #e4e8ed; --soft: #9aa5b1; --rule: #343c46;
  --panel: #181e25; --band: #172636; --band2: #1b1f25; --good: #7ee2a0; --good-bg: #123322; --bad: #ff9aa5;
  --bad-bg: #43161d; --c1: #6cb2ff; --c2: #ff9d5c; --c3: #5fd394; --c4: #d69bf0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 22px; margin: 48px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--rule); }
h3 { font-size: 16px; margin: 0; }
p { margin: 4px 0; max-width: 75ch; }
a { color: var(--c1); }
.soft, caption, figcaption p { color: var(--soft); font-size: 14px; }
figcaption p { max-width: 125ch; }
.lead { font-size: 18px; margin: 16px 0; }
.verdict { font-weight: 600; }
ul.tiles { list-style: none; margin: 0; padding: 0; display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); }
.tile { background: var(--panel); border: 1px solid var(--rule); border-left: 4px solid var(--rule); border-radius: 6px;
  padding: 12px 16px; }
.tile.met { border-left-color: var(--good); }
.tile.missed { border-left-color: var(--bad); }
.tile h3 { font-weight: 600; }
.tile .value { font-size: 28px; line-height: 1.3; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile.empty .value { font-size: 18px; font-weight: 400; color: var(--soft); }
.tile .goal { font-size: 14px; }
.badge { border-radius: 4px; padding: 1px 7px; margin-right: 8px; font-weight: 600; white-space: nowrap; }
.badge.met { color: var(--good); background: var(--good-bg); }
.badge.missed { color: var(--bad); background: var(--bad-bg); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 6px; }
th, td { padding: 5px 9px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
thead th { vertical-align: bottom; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
tr.more td:not([rowspan]) { border-bottom: 0; padding-bottom: 0; }
td.clock { color: var(--soft); padding-left: 28px; white-space: nowrap; }
td.bad { color: var(--bad); font-weight: 600; }
table.phases { width: 100%; }
table.phases tbody th { min-width: 220px; }
details { margin: 8px 0; }
table.phases tbody th span { display: block; line-height: 1.35; }
.columns { display: grid; gap: 32px; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); align-items: start; }
.pairs th { color: var(--soft); white-space: nowrap; }
.pairs td { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; }
dt { font-weight: 600; }
dd { margin: 0; max-width: 75ch; }
figure { margin: 28px 0; break-inside: avoid; }
ul.legend { list-style: none; margin: 6px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 22px;
  font-size: 14px; }
.swatch { display: inline-block; width: 18px; height: 4px; border-radius: 2px; margin-right: 7px;
  vertical-align: middle; }
.swatch.c1 { background: var(--c1); } .swatch.c2 { background: var(--c2); }
.swatch.c3 { background: var(--c3); } .swatch.c4 { background: var(--c4); }
svg { display: block; width: 100%; min-width: 640px; height: auto; }
svg text { fill: var(--soft); font-size: 12.5px; font-variant-numeric: tabular-nums; }
svg .strong { fill: var(--ink); font-weight: 600; }
svg .band-name { fill: var(--ink); font-size: 11.5px; paint-order: stroke; stroke: var(--page); stroke-width: 4px;
  stroke-linejoin: round; }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; }
.flag { stroke: var(--soft); stroke-width: 1; }
.band { fill: var(--band); } .band.other { fill: var(--band2); }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); }
.line.c3 { stroke: var(--c3); } .line.c4 { stroke: var(--c4); }
.dot.c1, .mark.c1 { fill: var(--c1); } .mark.c2 { fill: var(--c2); }
.mark { stroke: var(--page); stroke-width: 1.5; }
.reach { stroke-width: 2; } .reach.c1 { stroke: var(--c1); } .reach.c2 { stroke: var(--c2); }
.touch { fill: transparent; } g:hover > .touch { fill: var(--panel); }
.cursor { stroke: var(--ink); stroke-width: 1; visibility: hidden; pointer-events: none; }
#tip { position: fixed; pointer-events: none; background: var(--panel); border: 1px solid var(--soft);
  border-radius: 5px; padding: 5px 10px; font-size: 13px; white-space: pre; font-variant-numeric: tabular-nums; }
@media (max-width: 600px) { main { padding: 20px 14px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
@media print {
  :root { --page: #fff; --ink: #000; --soft: #444; --rule: #bbb; --panel: #fff; --band: #eaf0f7; --band2: #f3f4f5;
    --good: #116329; --good-bg: #fff; --bad: #a40e26; --bad-bg: #fff;
    --c1: #0860c4; --c2: #c2510c; --c3: #14804a; --c4: #8a3ea8; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 12px; }
  main { max-width: none; padding: 0; }
  table, table .soft { font-size: 9.5px; }
  th, td { padding: 3px 4px; }
  table.phases tbody th { min-width: 0; }
  .soft, caption, figcaption p, ul.legend, .tile .goal { font-size: 10.5px; }
  .lead { font-size: 14px; }
  ul.tiles { grid-template-columns: repeat(3, 1fr); gap: 8px; }
  .tile { padding: 6px 10px; }
  .tile .value { font-size: 20px; }
  figure { margin: 16px 0; }
  svg { min-width: 0; }
  .wide { overflow: visible; }
  .tile, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  #tip { display: none; }
}
)css";
}

std::string_view page_script() {
  return R"js(
// Values under the pointer. The page says everything that matters without this.
const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
document.body.append(tip);

function nearest(places, x) {
  let best = 0;
  places.forEach((place, i) => { if (Math.abs(places[best] - x) > Math.abs(place - x)) best = i; });
  return best;
}

for (const svg of document.querySelectorAll("svg[data-x]")) {
  const places = svg.dataset.x.split(" ").map(Number);
  const times = svg.dataset.at.split("|");
  const cursor = svg.querySelector(".cursor");
  const lines = [...svg.querySelectorAll("g[data-tips]")].map(g => [g.dataset.name, g.dataset.tips.split("|")]);
  svg.addEventListener("pointermove", event => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const i = nearest(places, point.x);
    cursor.setAttribute("x1", places[i]);
    cursor.setAttribute("x2", places[i]);
    cursor.style.visibility = "visible";
    tip.textContent = [times[i], ...lines.map(([name, tips]) => name + ": " + tips[i])].join("\n");
    tip.hidden = false;
    const right = event.clientX + 16 + tip.offsetWidth > window.innerWidth;
    tip.style.left = (right ? event.clientX - 16 - tip.offsetWidth : event.clientX + 16) + "px";
    tip.style.top = Math.min(event.clientY + 16, window.innerHeight - tip.offsetHeight - 8) + "px";
  });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; cursor.style.visibility = "hidden"; });
}
)js";
}

}  // namespace wh::sim_report
