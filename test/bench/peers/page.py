# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The results as one HTML page without anything to load."""

import html as escape
import math

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #6a737d; --bar: #2f6fdb;
  --short: #c2410c; --line: #d7dce1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --soft: #98a2ac;
  --bar: #6ea0ff; --short: #fb923c; --line: #2d333a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 16rem; height: 1.1rem; display: block; }
.bar { fill: var(--bar); } .short { fill: var(--short); } .mark { stroke: var(--ink); }
p { color: var(--soft); }
"""

_LARGEST = 3  # powers of ten from a tenth on


def _position(ratio):
    """Where a ratio lies on a logarithmic axis from 0.1 to 1000, in percent."""
    return 100 * min(max(math.log10(max(ratio, 1e-9)) + 1, 0), _LARGEST + 1) / (_LARGEST + 1)


def _bar(result):
    if not result["best"]:
        return ""
    kind = "bar" if result["ratio"] >= result["required"] else "short"
    marks = "".join(f'<line class="mark" x1="{at}%" x2="{at}%" y1="0" y2="100%" '
                    f'stroke-dasharray="{dash}"/>'
                    for at, dash in ((_position(1), "none"), (_position(result["required"]), "3 2")))
    return (f'<svg role="img" aria-label="ratio {result["ratio"]:.2f}">'
            f'<rect class="{kind}" y="20%" height="60%" width="{_position(result["ratio"]):.1f}%">'
            f'<title>{result["ratio"]:.2f}; required {result["required"]:g}</title></rect>'
            f'{marks}</svg>')


def _microseconds(seconds):
    return f"{seconds * 1e6:,.4g}"


def _row(result):
    peers = ", ".join(f"{escape.escape(name)} {_microseconds(seconds)}"
                      for name, seconds in sorted(result["medians"].items(), key=lambda p: p[1])
                      if name != "aprc")
    ratio = f"{result['ratio']:.2f}" if result["best"] else ""
    cells = [("", escape.escape(result["workload"])), ("number", str(result["threads"])),
             ("number", _microseconds(result["medians"]["aprc"])), ("", peers),
             ("number", ratio), ("number", f"{result['required']:g}"),
             ("number", f"{result['aim']:g}"), ("", _bar(result))]
    return "<tr>" + "".join(f'<td class="{kind}">{text}</td>' for kind, text in cells) + "</tr>"


def html(report):
    machine = report["machine"]
    head = "".join(f"<th>{text}</th>" for text in
                   ("workload", "threads", "ours, µs", "peers, µs", "best peer / ours", "required",
                    "aim", "ratio, logarithmic from 0.1 to 1000; lines: 1 and required"))
    tables = ""
    for kind, title in (("step", "Training steps"), ("inference", "Inference"),
                        ("product", "Matrix products")):
        rows = "".join(_row(result) for result in report["results"] if result["kind"] == kind)
        if rows:
            tables += (f"<h2>{title}</h2><table><thead><tr>{head}</tr></thead>"
                       f"<tbody>{rows}</tbody></table>")
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Step times</title>'
            f"<style>{_STYLE}</style><h1>Step times beside peers</h1>"
            f"<p>{escape.escape(machine['cpu'])}, {machine['threads']} threads; f32 multiply-adds "
            f"{machine['flops'][0] / 1e9:.0f} and {machine['flops'][1] / 1e9:.0f} GFLOP/s, memory "
            f"{machine['read'][0] / 1e9:.0f} and {machine['read'][1] / 1e9:.0f} GB/s, by one thread "
            f"and by all. Medians; the contenders took turns.</p>{tables}</html>\n")
