#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a copy of the project with mutants in its compiler, and builds it: see README.md."""

import argparse
import collections
import concurrent.futures
import functools
import io
import json
import os
import pathlib
import pickle
import random
import re
import subprocess
import sys
import tarfile

try:
    import sites
except ImportError as error:
    sys.exit(f"mutants: {error}; install python3-clang-19 (Debian) and use /usr/bin/python3")

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("passes", "codegen", "ir/ops")
ENVIRONMENT = """
# Mutants are switched by the environment (test/mutants).
config.environment.update({k: v for k, v in os.environ.items() if k.startswith("APR_MUTANT")})
"""


def commit():
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True,
                          text=True).stdout.strip()


def copy_tree(target, revision):
    """What is committed. Only what changed is written, so that a second build is short."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as members:
        for member in members:
            if not member.isfile():
                continue
            content = members.extractfile(member).read()
            if member.name == "test/lit.cfg.py":
                content += ENVIRONMENT.encode()
            write(target / member.name, content, member.mode)


def write(path, content, mode=None):
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if mode is not None:
        path.chmod(mode)


# -- sites ----------------------------------------------------------------------------------------


def clang_arguments(build):
    """The compiler's arguments for each source, as clang's library takes them."""
    resources = subprocess.run(["clang-19", "-print-resource-dir"], check=True,
                               capture_output=True, text=True).stdout.strip()
    result = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = entry["command"].split()
        flags = [w for i, w in enumerate(words)
                 if w.startswith(("-I", "-D", "-std")) or w == "-isystem" or
                 (i and words[i - 1] == "-isystem")]
        flags = [f.replace('\\"', '"') for f in flags]
        result[entry["file"]] = [entry["file"], *flags, "-resource-dir", resources, "-w"]
    return result


def mutable_files(source):
    return sorted(str(p.relative_to(source)) for folder in FOLDERS
                  for p in (source / folder).rglob("*") if p.suffix in (".cpp", ".h"))


def includer(source, file, arguments):
    """A source whose translation unit shows the file: itself, its own .cpp, or who includes it."""
    path = source / file
    if path.suffix == ".cpp":
        return str(path)
    if str(path.with_suffix(".cpp")) in arguments:
        return str(path.with_suffix(".cpp"))
    for candidate in sorted(arguments):
        path = pathlib.Path(candidate)
        if path.is_file() and f'#include "{file}"' in path.read_text(encoding="utf-8"):
            return candidate
    return None


# None of these is mutated.
PRECOMPILED = ["ir/builder.h", "ir/rewrite.h", "ir/scan.h", "ir/infer.h", "fmt/format.h", "algorithm",
               "map", "set", "optional", "queue"]
PRECOMPILED_WITH_LLVM = ["llvm/IR/IRBuilder.h", "llvm/IR/Module.h", "llvm/IR/InlineAsm.h"]


def precompile(arguments, folder):
    """Adds a precompiled header to the arguments of the sources of the compiler."""
    made = {}
    for file, words in arguments.items():
        if not any(f"/{f}/" in file for f in FOLDERS):
            continue
        flags = tuple(words[1:])
        if flags not in made:
            names = PRECOMPILED + PRECOMPILED_WITH_LLVM * any("llvm" in f for f in flags[:-3])
            header = folder / f"prefix{len(made)}.h"
            header.write_text("".join(f"#include <{n}>\n" for n in names))
            made[flags] = header.with_suffix(".pch")
            sites.precompile(header, flags, made[flags])
        words += ["-include-pch", str(made[flags])]


def sites_of(source, arguments, seed, job):
    unit, files = job
    parsed = sites.parse(arguments[unit])
    return {f: sites.find_sites(parsed, f, str(source / f), random.Random(f"{seed}:{f}"))
            for f in files}


def all_sites(source, build, seed, jobs):
    arguments = clang_arguments(build)
    precompile(arguments, build)
    found, files_of = {}, collections.defaultdict(list)
    for file in mutable_files(source):
        unit = includer(source, file, arguments)
        if unit is None:
            found[file] = []
        else:
            files_of[unit].append(file)
    find = functools.partial(sites_of, source, arguments, seed)
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        for some in pool.map(find, sorted(files_of.items())):
            found.update(some)
    return found


# -- selection ------------------------------------------------------------------------------------


def weigh(kind):
    """Kinds about the order of sums and memory are rarer than they are interesting."""
    return {"fma": 9, "nan": 9, "order": 2, "dependency": 3, "statement": 2}.get(kind, 1)


def choose(found, count, seed):
    """Every file with sites gives two or more, in proportion to its sites; kinds are balanced."""
    rng = random.Random(seed)
    total = sum(len(s) for s in found.values())
    chosen, per_kind = [], collections.Counter()
    for file in sorted(found):
        candidates = list(found[file])
        rng.shuffle(candidates)
        quota = min(len(candidates), max(2, round(count * len(candidates) / total)))
        taken = []
        while candidates and len(taken) < quota:
            kinds = sorted({c.kind for c in candidates})
            kind = min(kinds, key=lambda k: per_kind[k] / weigh(k))
            site = next(c for c in candidates if c.kind == kind)
            candidates.remove(site)
            if all(is_compatible(site, other) for other in taken):
                taken.append(site)
                per_kind[kind] += 1
        chosen += sorted(taken, key=lambda s: (s.line, s.extent))
    return chosen


def is_compatible(a, b):
    """Edits may nest, but neither coincide nor overlap."""
    for x in a.edits:
        for y in b.edits:
            apart = x.end <= y.start or y.end <= x.start
            nested = (x.start <= y.start and y.end <= x.end and x.form != "condition" or
                      y.start <= x.start and x.end <= y.end and y.form != "condition")
            if not apart and (not nested or (x.start, x.end) == (y.start, y.end)):
                return False
    return a.line != b.line


# -- rewriting ------------------------------------------------------------------------------------


def render(data, edits, start, end):
    """The range with all edits inside it; `edits` are (id, edit), outermost first."""
    result, at = b"", start
    for i, (number, edit) in enumerate(edits):
        if edit.start < at:
            continue  # inside the one before, which rendered it
        result += data[at:edit.start]
        inside = [e for e in edits[i + 1:] if e[1].start >= edit.start and e[1].end <= edit.end]
        original = render(data, inside, edit.start, edit.end)
        result += join(number, edit, original)
        at = edit.end
    return result + data[at:end]


def join(number, edit, original):
    test = b"APR_MUTANT(%d)" % number
    if edit.form == "expression":
        return b"(" + test + b" ? (" + edit.changed.encode() + b") : (" + original + b"))"
    if edit.form == "condition":
        return b"(" + test + b" != static_cast<bool>(" + original + b"))"
    return b"{ if (!" + test + b") { " + original + b" } }"


def mutate_file(source, file, data, mutants):
    edits = [(number, edit) for number, site in mutants for edit in site.edits]
    edits.sort(key=lambda e: (e[1].start, -e[1].end))
    body = render(data, edits, 0, len(data))
    include = b'#include "test/mutants/mutant.h"\n#line 1\n' if mutants else b""
    if mutants and b"#pragma once" in body:
        body = body.replace(b"#pragma once", b'#pragma once\n#include "test/mutants/mutant.h"\n'
                                             b"#line %d" % (body[:body.index(b"#pragma once")]
                                                            .count(b"\n") + 2), 1)
        include = b""
    write(source / file, include + body)


# -- building -------------------------------------------------------------------------------------


def configure(source, build, flags):
    command = ["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
               "-DCMAKE_CXX_FLAGS_RELEASE=-O1", *flags]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def build_all(build, jobs, targets):
    """Everything that compiles; the text of the errors of what does not."""
    done = subprocess.run(["ninja", "-C", build, "-k", "0", f"-j{jobs}", *targets],
                          capture_output=True, text=True)
    return done.returncode, done.stdout


def broken_mutants(source, log, alive, originals):
    """The mutants on the lines that the compiler complains about or refers to."""
    places = set()
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: (?:fatal )?(?:error|note)", log, re.M):
        try:
            places.add((str(pathlib.Path(path).resolve().relative_to(source)), int(line)))
        except ValueError:
            continue
    broken = {number for number, site in alive.items()
              if any((site.file, line) in places for line in lines_of(site, originals[site.file]))}
    if broken or "non-‘constexpr’ function" not in log:
        return broken
    # The initializer of a member, used in a constant: the message names the start of the type.
    files = {file for file, _ in places}
    return {number for number, site in alive.items() if site.file in files and not site.function}


def lines_of(site, data):
    """With a line around, since a compiler may complain about the end of a block."""
    return range(site.line - 1, data.count(b"\n", 0, site.extent[1]) + 3)


def build_mutants(source, build, chosen, originals, options):
    known = build / f"dropped-{options.seed}-{options.count}.json"
    dropped = set(json.loads(known.read_text())) if known.is_file() else set()
    while True:
        alive = {n: s for n, s in enumerate(chosen) if n not in dropped}
        for file in sorted(originals):
            mutants = [(n, s) for n, s in alive.items() if s.file == file]
            mutate_file(source, file, originals[file], mutants)
        status, log = build_all(build, options.jobs, options.target)
        (build / "mutants.log").write_text(log)
        if status == 0:
            return alive
        broken = broken_mutants(source, log, alive, originals)
        print(f"mutants: {len(broken)} do not compile and are dropped", flush=True)
        if not broken:
            sys.exit(f"mutants: the build fails elsewhere; see {build}/mutants.log")
        dropped |= broken
        known.write_text(json.dumps(sorted(dropped)))


def describe(number, site, originals):
    text = originals[site.file].decode().splitlines()[site.line - 1].strip()
    return {"id": number, "file": site.file, "line": site.line, "text": text,
            "function": site.function, "kind": site.kind, "original": site.original, "replacement": site.replacement}


def draw(folder, source, build, options):
    """What takes long and does not depend on how many mutants are wanted."""
    revision = commit()
    copy_tree(source, revision)
    configure(source, build, options.cmake)
    found = all_sites(source, build, options.seed, options.jobs)
    originals = {f: (source / f).read_bytes() for f in found}
    drawn = {"commit": revision, "sites": found, "originals": originals}
    (folder / "sites.pickle").write_bytes(pickle.dumps(drawn))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where the copy and its build go")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=400, help="mutants to begin with")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--target", action="append", default=[],
                        help="build only this; may be repeated")
    parser.add_argument("--drawn", action="store_true",
                        help="the copy is there and its sites are known: choose and build again")
    parser.add_argument("--list", action="store_true", help="choose only; build nothing")
    parser.add_argument("--source", type=pathlib.Path,
                        help="where the copy goes if not FOLDER/source: a compiler cache may know "
                             "the other files under that name")
    parser.add_argument("--cmake", action="append", default=[], metavar="FLAG",
                        help="one more argument for cmake; may be repeated")
    options = parser.parse_args()

    folder = options.folder.resolve()
    source, build = options.source or folder / "source", folder / "build"
    if not options.drawn:
        draw(folder, source, build, options)
    drawn = pickle.loads((folder / "sites.pickle").read_bytes())
    found, revision = drawn["sites"], drawn["commit"]
    chosen = choose(found, options.count, options.seed)
    kinds = collections.Counter(s.kind for s in chosen)
    print(f"mutants: {len(chosen)} of {sum(map(len, found.values()))} sites in {len(found)} files: "
          + ", ".join(f"{k} {n}" for k, n in kinds.most_common()), flush=True)
    record = {"seed": options.seed, "commit": revision, "requested": options.count,
              "sites": {f: len(s) for f, s in found.items()},
              "mutants": [describe(n, s, drawn["originals"])
                          for n, s in enumerate(chosen)]}
    if not options.list:
        alive = build_mutants(source, build, chosen, drawn["originals"], options)
        record["mutants"] = [m for m in record["mutants"] if m["id"] in alive]
        record["dropped"] = len(chosen) - len(alive)
    (folder / "mutants.json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"mutants: {len(record['mutants'])} in {folder}/mutants.json")


if __name__ == "__main__":
    main()
