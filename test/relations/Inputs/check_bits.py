# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs apr-opt --check-bits over files and models: check_bits.py APR_OPT APRC ROOT WHAT [OPTION...].

WHAT is `ops` (test/ops), `passes` (test/passes, each file under its own pass and under the pipeline),
`models` (the examples, made small) or `examples` (the examples as they are, which takes minutes).
Prints what fails, and how much was checked.
"""

import pathlib
import subprocess
import sys

# What makes the examples small; those without a row have sizes of their own and are checked as they
# are by `examples` alone.
SMALL = {
    "char_gru/gru": ["vocab=9", "embed=4", "hidden=6"],
    "cifar/resnet": ["width=1"],
    "digits/digits": ["hidden=6"],
    "gan/gan": ["latent=3", "width=8"],
    "gpt/gpt": ["vocab=9", "context=8", "width=8", "heads=2", "depth=1"],
    "gradients/gradients": [],
    "linear_regression/line": [],
    "linear_regression/plane": [],
    "logistic_regression/breast_cancer": [],
    "lora/lora": ["hidden=5"],
    "noisy_line/noisy_line": [],
    "pinn/pinn": ["width=6"],
    "recommender/recommender": ["users=17", "items=9"],
    "softmax_regression/iris": [],
}

# Modules of test/passes that the passes refuse, or whose sizes no machine holds.
REFUSED = {"compose_steps_errors", "compose_steps_shards_errors", "differentiate_errors",
           "plan_buffers_errors", "bind_dims_errors"}
TOO_LARGE = {"lower_convolutions": "@huge", "simplify_exact": "@positions"}
# A grad without its apply, which only the pass under test takes.
NO_PIPELINE = {"dce"}
OWN_PASSES = {"plan_buffers": "fuse-elementwise,plan-buffers"}


class Checks:
    def __init__(self, apr_opt, aprc, root, options):
        self.apr_opt, self.aprc, self.root, self.options = apr_opt, aprc, root, options
        self.count, self.failures = 0, []

    def check(self, name, text, passes, expected=None):
        """`expected` is the one function that has to be refused, and nothing else may."""
        self.count += 1
        command = [self.apr_opt, "-", "--split-input-file", "--check-bits", "-o", "/dev/null"]
        run = subprocess.run(command + passes + self.options, input=text, capture_output=True,
                             text=True, check=False)
        errors = [line for line in run.stderr.splitlines() if "error: " in line]
        refusals = [line for line in errors
                    if expected and f"--check-bits cannot run {expected}:" in line]
        is_expected = run.returncode == (1 if expected else 0) and \
            len(errors) == len(refusals) == (1 if expected else 0)
        if not is_expected:
            what = f"{name} {' '.join(passes)}: exit code {run.returncode}"
            self.failures.append("\n".join([what] + errors))

    def check_model(self, path, settings):
        command = [self.aprc, str(path), "--emit=ir", "-o", "-"]
        for setting in settings:
            command += ["--set", setting]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        self.check(path.stem, text, ["--pipeline=default"])

    def ops(self):
        for path in sorted(self.root.glob("test/ops/*.apir")):
            self.check(path.stem, path.read_text(), ["--pipeline=default"])

    def passes(self):
        for path in sorted(self.root.glob("test/passes/*.apir")):
            if path.stem in REFUSED:
                continue
            own = path.stem.removesuffix("_shards").replace("_", "-")
            lists = [["-p", OWN_PASSES.get(path.stem, own)]]
            if path.stem not in NO_PIPELINE:
                lists.append(["--pipeline=default"])
            for passes in lists:
                self.check(path.stem, path.read_text(), passes, TOO_LARGE.get(path.stem))

    def models(self):
        for name, settings in SMALL.items():
            self.check_model(self.root / "docs/examples" / (name + ".apr"), settings)

    def examples(self):
        for path in sorted(self.root.glob("docs/examples/*/*.apr")):
            print(path.stem, flush=True)
            self.check_model(path, [])


def main():
    apr_opt, aprc, root, what = sys.argv[1:5]
    checks = Checks(apr_opt, aprc, pathlib.Path(root), sys.argv[5:])
    getattr(checks, what)()
    for failure in checks.failures:
        print(failure, file=sys.stderr)
    print("{} modules, {} failures".format(checks.count, len(checks.failures)))
    return 1 if checks.failures or checks.count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
