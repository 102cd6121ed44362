# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles each model several times, each time in other surroundings, and compares every byte written.

    compile_often.py APRC TIMES [--library HOSTILE] MODEL…

The surroundings: addresses (the kernel's randomisation, and none), folder, locale, environment, temporary
folder, contents of fresh memory, name and path of the model, standard input, which forms are written
together, and a library that is loaded before the compiler and changes the rounding."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FORMS = ["obj", "header", "manifest", "ast", "ir", "stages", "dot", "llvm", "llvm-opt", "asm"]
SUFFIXES = {"obj": ".o", "header": ".h", "manifest": ".json", "ast": ".ast", "ir": ".apir",
            "stages": ".stages.apir", "dot": ".dot", "llvm": ".ll", "llvm-opt": ".opt.ll", "asm": ".s"}


def surroundings(chosen, folder, library):
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(temporary),
                   "LC_ALL": chosen.choice(["C", "C.UTF-8", "POSIX", "de_DE.UTF-8", "tr_TR.UTF-8"]),
                   "MALLOC_PERTURB_": str(chosen.randrange(256)),
                   "MALLOC_TOP_PAD_": str(chosen.randrange(1 << 20)),
                   "SOME_VARIABLE": "x" * chosen.randrange(5000)}
    if chosen.random() < 0.5:
        environment.update(TZ="Asia/Kolkata", HOME="/nowhere", COLUMNS="20", SOURCE_DATE_EPOCH="1")
    if library and chosen.random() < 0.5:
        environment["LD_PRELOAD"] = str(Path(library).resolve())
    return environment


def compile_once(aprc, model, forms, chosen, library):
    """The bytes of each form."""
    with tempfile.TemporaryDirectory(prefix="a folder ") as path:
        folder = Path(path)
        environment = surroundings(chosen, folder, library)
        copy = folder / (chosen.choice(["model", "m-1", "ü"]) + model.suffix)
        shutil.copy(model, copy)
        # What standard input has is taken for the source of a model.
        standard_input = ["-"] if model.suffix == ".apr" else []
        given = chosen.choice([copy, copy.name, f"./{copy.name}", *standard_input])
        output = folder / chosen.choice(["out.o", "x/y/out.o"])
        output.parent.mkdir(parents=True, exist_ok=True)
        command = [aprc, str(given), "--emit=" + ",".join(forms), "-o", str(output)]
        if chosen.random() < 0.3 and shutil.which("setarch"):
            command = ["setarch", "-R", *command]
        subprocess.run(command, cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL,
                       stdin=copy.open())
        return {form: output.with_suffix(SUFFIXES[form]).read_bytes() for form in forms}


def main():
    aprc, times, *models = sys.argv[1:]
    library = None
    if models[0] == "--library":
        library, models = models[1], models[2:]
    chosen = random.Random(8)
    differences = 0
    for model in map(Path, models):
        # Text of models alone has a syntax tree.
        forms = [form for form in FORMS if form != "ast" or model.suffix == ".apr"]
        expected = compile_once(aprc, model, forms, chosen, None)
        for number in range(1, int(times)):
            some = forms if number == 1 else chosen.sample(forms, 3) + ["obj"]
            some = sorted(set(some), key=lambda _: chosen.random())
            for form, found in compile_once(aprc, model, some, chosen, library).items():
                if found != expected[form]:
                    print(f"{model.name}: {form} differs in compilation {number}")
                    differences += 1
    print(f"{len(models)} models, {times} times each: {differences} differences")
    return 1 if differences else 0


sys.exit(main())
