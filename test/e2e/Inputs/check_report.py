# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks a report of one or more runs: check_report.py REPORT.html RUN…

It is well-formed, refers to nothing outside, holds every figure of the records, and the data that its
script shows under the pointer are these figures. Where there is Node.js, the script itself runs
against a document made of what the page holds.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

NODE = """
const charts = JSON.parse(require("fs").readFileSync(0));
const made = tag => ({tag, children: [], style: {}, className: "", textContent: "", listeners: {},
  offsetWidth: 100, append(child) { this.children.push(child); },
  replaceChildren(child) { this.children = [child]; }});
const svgs = charts.map(points => {
  const cursor = {attributes: {}, style: {}, setAttribute(name, value) { this.attributes[name] = value; }};
  return {dataset: {points}, cursor, parentNode: made("figure"), listeners: {}, offsetLeft: 0, offsetTop: 0,
    viewBox: {baseVal: {width: 640, height: 280}}, querySelector: () => cursor,
    getBoundingClientRect: () => ({left: 0, top: 0, width: 640, height: 280}),
    addEventListener(name, listener) { this.listeners[name] = listener; }};
});
global.document = {querySelectorAll: () => svgs, createElement: made,
  createTextNode: text => ({textContent: text, children: []})};
eval(process.argv[1]);
for (const svg of svgs) {
  const lines = JSON.parse(svg.dataset.points), point = lines[0].points[lines[0].points.length - 1];
  svg.listeners.pointermove({clientX: point[0] + 0.2, clientY: 10});
  const tip = svg.parentNode.children[0];
  const shown = tip.children.map(child => child.children.length ? child.children[0].textContent : child.textContent);
  if (shown[0] !== point[1] || shown[1] !== lines[0].name + " " + point[2])
    throw new Error("shown " + JSON.stringify(shown) + ", expected " + JSON.stringify(point));
  if (tip.style.display !== "block" || svg.cursor.attributes.x1 !== point[0]) throw new Error("not shown");
  svg.listeners.pointerleave();
  if (tip.style.display !== "none") throw new Error("still shown");
}
"""


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("<!DOCTYPE html>\n")
    root = xml.fromstring(text.split("\n", 1)[1])
    for element in root.iter():
        for name in ("src", "href", "action", "data"):
            assert name not in element.attrib, f"{element.tag} refers to {element.attrib[name]}"
        assert element.tag not in ("link", "iframe", "img", "object", "base")
    style = root.find("head/style").text
    assert "url(" not in style and "@import" not in style and "prefers-color-scheme: dark" in style
    script = root.find("body/script").text
    assert not re.search(r"fetch|XMLHttp|import|WebSocket", script)

    cells = {cell.text for cell in root.iter("td")}
    shown = [svg.attrib["data-points"] for svg in root.iter("svg")]
    points = {(line["name"], point[1], point[2]) for chart in shown for line in json.loads(chart)
              for point in line["points"]}
    figures = 0
    several = len(sys.argv) > 3
    for folder in sys.argv[2:]:
        with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
            record = json.load(file)
        for entry in record["epochs"]:
            for part in ("training", "validation"):
                for name, figure in entry[part].items():
                    if "[" in name:
                        continue
                    value = figure["value"]
                    assert any(float(cell) == value for cell in cells if is_number(cell)), (name, value)
                    line = f"{os.path.basename(folder)}: {part}" if several else part
                    at = "%.6g" % (entry["epoch"] or entry["step"])
                    assert (line, at, "%.6g" % value) in points, (line, at, value)
                    figures += 1
        assert record["model"]["source_hash"] in cells
    print(f"{figures} figures in {len(shown)} charts")
    for matrix in root.iter("table"):
        if matrix.attrib.get("class") == "matrix":
            print("matrix", [[cell.text for cell in row.iter("td")] for row in matrix.iter("tr")][1:])
    if not shutil.which("node"):
        print("skipped: no Node.js to run the script")
        return
    subprocess.run(["node", "-e", NODE, script], input=json.dumps(shown), text=True, check=True)
    print("the script shows them")


def is_number(text):
    try:
        float(text)
        return True
    except (TypeError, ValueError):
        return False


main()
