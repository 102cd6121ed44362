// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/html_page.h"

#include "runtime/train/html_text.h"

#include <fmt/format.h>

namespace apr::train {
namespace {

// Colours are tellable apart by most colour-blind people, and by lightness.
constexpr const char *style = R"(
:root { color-scheme: light dark; --page: #ffffff; --text: #1d2329; --soft: #5b6570; --rule: #d9dee3;
  --panel: #f5f7f9; --k0: #1f66c1; --k1: #c8541a; --k2: #14805a; --k3: #9a3fa0; --k4: #8f6a00;
  --k5: #b3261e; --k6: #0b7788; --k7: #5f6670; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --rule: #333b43; --panel: #1c2228;
    --k0: #6fb0ff; --k1: #ff9c66; --k2: #4fd19b; --k3: #dc93e2; --k4: #e3bd4f; --k5: #ff8a80;
    --k6: #55cbdc; --k7: #aab1b9; } }
body { background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 1100px; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; } p { margin: .3rem 0; } .soft { color: var(--soft); }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); }
figure { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; margin: 0;
  padding: .8rem; position: relative; } svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; } .grid { stroke: var(--rule); }
.line { fill: none; stroke-width: 2; } .dashed { stroke-dasharray: 5 4; }
.cursor { stroke: var(--soft); visibility: hidden; }
.c0 { --k: var(--k0); } .c1 { --k: var(--k1); } .c2 { --k: var(--k2); } .c3 { --k: var(--k3); }
.c4 { --k: var(--k4); } .c5 { --k: var(--k5); } .c6 { --k: var(--k6); } .c7 { --k: var(--k7); }
path, circle { stroke: var(--k); } circle { fill: var(--k); }
.key { margin-right: 1rem; white-space: nowrap; }
.key::before { border-top: 3px solid var(--k); content: ""; display: inline-block; margin-right: .4rem;
  vertical-align: middle; width: 1.4rem; } .key.dashed::before { border-top-style: dashed; }
.tip { background: var(--page); border: 1px solid var(--rule); border-radius: 4px; display: none;
  font-size: 12px; padding: .3rem .5rem; pointer-events: none; position: absolute; z-index: 1; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { border-bottom: 1px solid var(--rule); padding: .2rem .7rem .2rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 600; }
.matrix td, .matrix th { border: 1px solid var(--rule); padding: .25rem .5rem; text-align: right; }
.matrix td { background: color-mix(in srgb, var(--k0) calc(var(--share) * 70%), transparent); }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.card { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
  padding: .5rem .9rem; } .card b { display: block; font-size: 1.25rem; }
pre, code { background: var(--panel); font: 13px/1.45 ui-monospace, monospace; }
pre { border: 1px solid var(--rule); border-radius: 6px; max-height: 32rem; overflow: auto;
  padding: .7rem; } details { margin: .5rem 0; } summary { cursor: pointer; }
)";

// Without < and &, so that the page is XML as well.
constexpr const char *script = R"(
for (const svg of document.querySelectorAll("svg[data-points]")) {
  const lines = JSON.parse(svg.dataset.points), cursor = svg.querySelector(".cursor");
  const tip = document.createElement("div");
  tip.className = "tip";
  svg.parentNode.append(tip);
  const show = event => {
    const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
    const at = (event.clientX - box.left) / box.width * view.width;
    const nearest = points => points.reduce((best, point) =>
      Math.abs(best[0] - at) > Math.abs(point[0] - at) ? point : best);
    const found = lines.filter(line => line.points.length > 0).map(line => [line, nearest(line.points)]);
    if (found.length === 0) return;
    tip.replaceChildren(document.createTextNode(found[0][1][1]));
    for (const [line, point] of found) {
      const row = document.createElement("div"), key = document.createElement("span");
      key.className = "key c" + line.color;
      key.textContent = line.name + " " + point[2];
      row.append(key);
      tip.append(row);
    }
    cursor.setAttribute("x1", found[0][1][0]);
    cursor.setAttribute("x2", found[0][1][0]);
    cursor.style.visibility = "visible";
    const place = svg.offsetLeft + found[0][1][0] / view.width * box.width;
    const isRight = found[0][1][0] > view.width / 2;
    tip.style.display = "block";
    tip.style.top = svg.offsetTop + 8 + "px";
    tip.style.left = (isRight ? place - tip.offsetWidth - 10 : place + 10) + "px";
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerleave", () => {
    tip.style.display = "none";
    cursor.style.visibility = "hidden";
  });
}
)";

std::string cells(const std::vector<std::string> &row, const char *tag) {
  std::string html = "<tr>";
  for (const std::string &cell : row)
    html += fmt::format("<{0}>{1}</{0}>", tag, htmlText(cell));
  return html + "</tr>\n";
}

} // namespace

std::string htmlPage(const std::string &title, const std::string &content) {
  return fmt::format("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                     "<title>{}</title>\n<style>{}</style></head>\n<body>\n{}<script>{}</"
                     "script>\n</body></html>\n",
                     htmlText(title), style, content, script);
}

std::string htmlTable(const std::vector<std::string> &head, const HtmlRows &rows) {
  if (rows.empty())
    return {};
  std::string html = "<div class=\"wide\"><table>\n";
  if (!head.empty())
    html += cells(head, "th");
  for (const auto &row : rows)
    html += cells(row, "td");
  return html + "</table></div>\n";
}

std::string htmlSection(const std::string &title, const std::string &content) {
  if (content.empty())
    return {};
  return fmt::format("<section><h2>{}</h2>\n{}</section>\n", htmlText(title), content);
}

std::string htmlDetails(const std::string &title, const std::string &content) {
  if (content.empty())
    return {};
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", htmlText(title), content);
}

} // namespace apr::train
