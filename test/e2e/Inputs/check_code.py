# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Looks at the code that models compile to, not at what the compiler says about it.

    check_code.py APRC [--grid] [FLAG…] MODEL…
    check_code.py --object OBJECT

compiles each model with the flags (with --grid: at every -O level for every CPU) and follows the
disassembly of the object through branches and calls from every place where a caller can enter it. Wrong
are:

- an instruction that computes with floats where the caller's floating-point environment holds: before
  the control register is set, or after it is restored, on any path;
- a return that leaves the caller with another environment than it came with;
- either of them after the host's par_for, which may leave any environment, until ours is set again;
- x87, MMX and approximating instructions; a call of anything but memcpy, memset and memmove;
- in the LLVM IR, before and after LLVM's passes: fast-math flags, calls from outside, intrinsics that
  are not known to mean the same everywhere;
- a fused multiply-add where the IR has none, or none where the IR has one;
- an object of a machine that it does not know.

Needs llvm-objdump and llvm-nm."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Whose environment holds at an instruction. Saved and Restored are the caller's still.
CALLER, SAVED, OURS, RESTORED = "the caller's", "the caller's (saved)", "ours", "the restored"
HOSTS = "par_for's"
LIBRARY = {"memcpy", "memset", "memmove"}
MEANT_EVERYWHERE = re.compile(
    r"llvm\.(fma|sqrt|fabs|copysign|floor|ceil|trunc|rint|roundeven|canonicalize|"
    r"memcpy|memset|memmove|ctpop|ctlz|cttz|bswap|bitreverse|fshl|fshr|abs|[us](min|max)|"
    r"[us](add|sub|mul)\.(sat|with\.overflow)|usub\.sat|fpto[us]i\.sat|masked\.|"
    r"vector\.(reduce\.(and|or|xor|add|mul|[us](min|max))|(de)?interleave2|insert|extract)|"
    r"lifetime\.|assume|experimental\.noalias|stepvector|experimental\.stepvector|is\.fpclass|"
    r"load\.relative)")


class X86:
    save = re.compile(r"v?stmxcsr$")
    load = re.compile(r"v?ldmxcsr$")
    returns = re.compile(r"ret")
    jump = re.compile(r"jmp")
    branch = re.compile(r"j(?!mp)|loop")
    call = re.compile(r"call")
    stop = re.compile(r"ud2|int3|hlt")
    floats = re.compile(
        r"v?(add|sub|mul|div|sqrt|min|max|u?comi|round|rndscale|hadd|hsub|addsub|dp|range|reduce|"
        r"getexp|getmant|scalef|fixupimm|cmp[a-z_]*)[sp][sdh]$|v?cvt|vfn?m")
    forbidden = re.compile(
        r"f|emms|v?r(cp|sqrt)|vexp2|v?dpp|v?h(add|sub)p|vdpbf16|vcvtne2?ps2bf16")
    forbidden_operand = re.compile(r"%(mm|st)\b|%mm\d")
    fused = re.compile(r"vfn?m")

    @staticmethod
    def is_load(mnemonic, operands):
        return bool(X86.load.match(mnemonic))

    @staticmethod
    def is_save(mnemonic, operands):
        return bool(X86.save.match(mnemonic))


class AArch64:
    returns = re.compile(r"ret")
    jump = re.compile(r"br?$")
    branch = re.compile(r"b\.|cbn?z|tbn?z")
    call = re.compile(r"blr?$")
    stop = re.compile(r"udf|brk")
    # fmov, fcsel, fabs and fneg move and change bits; they round and raise nothing.
    floats = re.compile(r"f(?!mov|csel|abs$|neg$)|[su]cvtf|bf")
    forbidden = re.compile(r"frecp|frsqrt")
    forbidden_operand = re.compile(r"(?!)")
    fused = re.compile(r"fn?m(add|sub)|fml[as]")

    @staticmethod
    def is_load(mnemonic, operands):
        return mnemonic == "msr" and operands.lower().startswith("fpcr")

    @staticmethod
    def is_save(mnemonic, operands):
        return mnemonic == "mrs" and operands.lower().endswith("fpcr")


class RiscV:
    returns = re.compile(r"ret")
    jump = re.compile(r"jr?$")
    branch = re.compile(r"b(eq|ne|[lg][te])")
    call = re.compile(r"jalr?$")
    stop = re.compile(r"(c\.)?unimp|ebreak")
    # Moves, signs and classes round and raise nothing; fcsr and fences are no arithmetic.
    floats = re.compile(
        r"v?m?f(?!mv|sgnj|neg|abs|class|li\.|[ls][hwdq]$|[rs](csr|rm|flags)|ence)")
    # What sets the rounding or the flags alone sets half of an environment.
    forbidden = re.compile(r"fs(rm|flags)|vfr(ec|sqrt)7")
    forbidden_operand = re.compile(r"\b(fcsr|frm|fflags)\b")
    fused = re.compile(r"fn?m(add|sub)")

    @staticmethod
    def is_load(mnemonic, operands):
        return mnemonic == "fscsr"

    @staticmethod
    def is_save(mnemonic, operands):
        return mnemonic == "frcsr"


# By class (64 bits), order of bytes (little) and machine in the header of an ELF file.
MACHINES = {(2, 1, 62): X86, (2, 1, 183): AArch64, (2, 1, 243): RiscV}


def machine_of(path):
    header = Path(path).read_bytes()[:20]
    if header[:4] != b"\x7fELF":
        sys.exit(f"{path}: not an ELF object")
    key = (header[4], header[5], int.from_bytes(header[18:20], "little"))
    if key not in MACHINES:
        sys.exit(f"{path}: the code of ELF machine {key[2]}, class {key[0]}, is not known here")
    return MACHINES[key]


class Instruction:
    def __init__(self, address, mnemonic, operands):
        self.address, self.mnemonic, self.operands = address, mnemonic, operands
        self.target = None  # address in .text of a branch or call, or a name from outside
        self.taken = None  # the address in .text that it computes
        self.isRelocated = False
        self.isParFor = False

    def __str__(self):
        return f"{self.address:x}: {self.mnemonic} {self.operands}"


class Function:
    def __init__(self, name, address):
        self.name, self.address = name, address
        self.instructions = []


def tool(name, *words):
    """The tests put the unversioned names on the path, Debian's packages the others."""
    command = shutil.which(name) or shutil.which(f"{name}-19") or name
    return subprocess.run([command, *words], check=True, capture_output=True, text=True).stdout


class Code:
    """The disassembled functions of an object and who can call them."""

    def __init__(self, path):
        self.machine = machine_of(path)
        text = tool("llvm-objdump", "-dr", "--no-show-raw-insn", "--no-print-imm-hex", path)
        self.functions = {}
        self.problems = []
        for line in text.splitlines():
            self._read(line)
        self.starts = {f.address: f for f in self.functions.values()}
        for function in self.functions.values():
            if self.machine is RiscV:
                self._pair(function)
            self._find_par_for(function)
        self.addressTaken = {i.taken for f in self.functions.values() for i in f.instructions}
        self.globals, self.inTables = self._entrances(path)

    def _read(self, line):
        if start := re.match(r"([0-9a-f]+) <(.+)>:$", line):
            if start[2].startswith(".L"):
                return  # a place that a relocation names
            self.current = Function(start[2], int(start[1], 16))
            self.functions[start[2]] = self.current
        elif relocation := re.match(r"\s+[0-9a-f]{16}:\s+R_(\S+)\s+(\S+)", line):
            self._relocate(relocation[1], relocation[2])
        elif found := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line):
            operands, _, note = found[3].partition(" # ")
            instruction = Instruction(int(found[1], 16), found[2], operands.strip())
            self.current.instructions.append(instruction)
            if place := re.search(r"0x([0-9a-f]+) <", operands):
                instruction.target = int(place[1], 16)
            if taken := re.match(r"\s*0x([0-9a-f]+) <", note):
                if instruction.mnemonic.startswith("lea"):
                    instruction.taken = int(taken[1], 16)

    def _relocate(self, kind, symbol):
        instruction = self.current.instructions[-1]
        name, sign, offset = re.match(r"(.*?)(?:([+-])0x([0-9a-f]+))?$", symbol).groups()
        inText = name == ".text"
        instruction.isRelocated = True
        if kind in ("X86_64_PLT32", "AARCH64_CALL26", "AARCH64_JUMP26", "RISCV_CALL",
                    "RISCV_CALL_PLT"):
            instruction.target = int(offset or "0", 16) if inText else name
        elif inText and kind == "AARCH64_ADD_ABS_LO12_NC":
            instruction.taken = int(offset or "0", 16)
        elif name in LIBRARY:
            self.problems.append(f"the address of {name} is taken")

    @staticmethod
    def _pair(function):
        """RISC-V calls and takes addresses with two instructions, the first of which is auipc."""
        upper = {}
        for instruction in function.instructions:
            first, *rest = re.split(r",\s*", instruction.operands)
            if instruction.mnemonic in ("jalr", "jr"):
                offset, register = re.match(r"(?:(-?\d+)\()?(\w+)", first).groups()
                if register in upper:
                    address, target = upper[register]
                    instruction.target = target or address + int(offset or "0")
                upper = {}
            elif instruction.mnemonic == "auipc":
                high = int(rest[0]) - (int(rest[0]) >> 19 << 20)
                upper[first] = (instruction.address + high * 4096, instruction.target)
                instruction.target = None
            elif not re.match(r"f?s[bhwd]$|b|j", instruction.mnemonic):
                if instruction.mnemonic in ("addi", "mv") and rest[0] in upper:
                    if not instruction.isRelocated:
                        offset = int(rest[1]) if len(rest) > 1 else 0
                        instruction.taken = upper[rest[0]][0] + offset
                upper.pop(first, None)

    def _find_par_for(self, function):
        """The next indirect call after the address of a task was taken."""
        hasTask = False
        for instruction in function.instructions:
            if instruction.taken in self.starts:
                hasTask = hasTask or not is_kernel(self.starts[instruction.taken])
            elif hasTask and instruction.target is None:
                calls = (self.machine.call, self.machine.jump)
                if any(kind.match(instruction.mnemonic) for kind in calls):
                    instruction.isParFor, hasTask = True, False

    def _entrances(self, path):
        symbols = tool("llvm-nm", "--defined-only", path)
        places = {name: (int(address, 16), kind) for address, kind, name in
                  (line.split() for line in symbols.splitlines())}
        entrances = {name for name, (_, kind) in places.items() if kind == "T"}
        tables, section = set(), ""
        for line in tool("llvm-objdump", "-r", path).splitlines():
            if header := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
                section = header[1]
            elif section.startswith(".data") and (
                    found := re.search(r"\s(\S+?)(?:\+0x([0-9a-f]+))?$", line)):
                start, kind = (0, "t") if found[1] == ".text" else places.get(found[1], (0, ""))
                if kind == "t":
                    tables.add(start + int(found[2] or "0", 16))
        return entrances, tables


def is_kernel(function):
    return re.search(r"\.kernel\d+$", function.name)


class Walk:
    """Follows all paths from all entrances and knows whose environment holds."""

    def __init__(self, code):
        self.code, self.machine = code, code.machine
        self.problems = list(code.problems)
        self.seen = set()
        self.pending = []
        self.guarded = set()
        self.computing = 0
        self.parFors = 0

    def run(self):
        for function in self.code.functions.values():
            for environment in self._entered(function):
                self.pending.append((function, environment))
        while self.pending:
            function, environment = self.pending.pop()
            if (function.name, environment) not in self.seen:
                self.seen.add((function.name, environment))
                self._walk(function, environment)
        reached = {name for name, _ in self.seen}
        for name in self.code.functions.keys() - reached:
            self.problems.append(f"{name}: no way into it was found")
        if not self.guarded or not self.computing:
            self.problems.append("no guards or no arithmetic: the disassembly was not understood")
        tasks = [f for f in self.code.functions.values() if f.name.endswith(".task")]
        if tasks and not self.parFors:
            self.problems.append("tasks, but no call of par_for was found")
        return self

    def _entered(self, function):
        """Tasks and what stands in tables are called by the host, kernels by guarded code only."""
        if function.name in self.code.globals or function.address in self.code.inTables:
            yield CALLER
        if function.address in self.code.addressTaken:
            yield OURS if is_kernel(function) else CALLER

    def _report(self, function, instruction, text):
        self.problems.append(f"{function.name}: {text}: {instruction}")

    def _walk(self, function, environment):
        places = {i.address: n for n, i in enumerate(function.instructions)}
        states = {}
        paths = [(0, environment)]
        while paths:
            n, state = paths.pop()
            if n >= len(function.instructions):
                self.problems.append(f"{function.name}: runs over its end")
                continue
            if states.setdefault(n, state) != state:
                if {states[n], state} & {OURS}:
                    self._report(function, function.instructions[n], "two environments meet")
                continue
            for step in self._step(function, n, state, environment, places):
                if states.get(step[0]) != step[1]:
                    paths.append(step)

    def _step(self, function, n, state, entered, places):
        machine, instruction = self.machine, function.instructions[n]
        mnemonic, operands = instruction.mnemonic, instruction.operands
        if mnemonic == "<unknown>":
            self._report(function, instruction, "the disassembly was not understood")
        if machine.forbidden.match(mnemonic) and not self._isMove(mnemonic):
            self._report(function, instruction, "a forbidden instruction")
        if machine.forbidden_operand.search(operands):
            self._report(function, instruction, "a forbidden register")
        if machine.floats.match(mnemonic):
            self.computing += 1
            if state != OURS:
                self._report(function, instruction, f"arithmetic in {state} environment")
        if machine.is_save(mnemonic, operands):
            if state != CALLER:
                self._report(function, instruction, f"saves {state} environment")
            return [(n + 1, SAVED)]
        if machine.is_load(mnemonic, operands):
            self.guarded.add(function.name)
            if state == CALLER:
                self._report(function, instruction, "sets what was not saved")
            isEnd = state == OURS and entered == CALLER
            return [(n + 1, RESTORED if isEnd else OURS)]
        if machine.call.match(mnemonic):
            self._call(function, instruction, state)
            self.parFors += instruction.isParFor
            return [(n + 1, HOSTS if instruction.isParFor else state)]
        if machine.returns.match(mnemonic):
            return self._leave(function, instruction, state, entered)
        if machine.stop.match(mnemonic):
            return []
        isJump = machine.jump.match(mnemonic)
        if isJump or machine.branch.match(mnemonic):
            steps = [] if isJump else [(n + 1, state)]
            if instruction.target in places:
                return steps + [(places[instruction.target], state)]
            if instruction.isParFor:
                self.parFors += 1
                self._leave(function, instruction, HOSTS, entered)
            elif instruction.target is None and not (state == entered == OURS):
                self._report(function, instruction, "a jump to where nobody knows")
            if instruction.target is not None:
                self._call(function, instruction, state)
                self._leave(function, instruction, state, entered)
            return steps
        return [(n + 1, state)]

    def _isMove(self, mnemonic):
        return self.machine is AArch64 and mnemonic == "fmov"

    def _call(self, function, instruction, state):
        target = instruction.target
        if target is None:
            # A kernel, or the host's par_for, which guarded code alone calls.
            if state != OURS:
                self._report(function, instruction, f"an indirect call in {state} environment")
            return
        if isinstance(target, str):
            callee = self.code.functions.get(target)
            if callee is None:
                if target not in LIBRARY:
                    self._report(function, instruction, f"{target} is called")
                return
        else:
            callee = self.code.starts.get(target)
            if callee is None:
                self._report(function, instruction, "a call into the middle of a function")
                return
        self.pending.append((callee, OURS if state == OURS else CALLER))

    def _leave(self, function, instruction, state, entered):
        if (state == OURS) != (entered == OURS):
            self._report(function, instruction, f"returns with {state} environment")
        return []


FLAGS = re.compile(r"\b(fast|reassoc|nnan|ninf|nsz|arcp|contract|afn)\b")
OPERATION = re.compile(r"^\s+(%\S+ = )?(f[a-z]+|call|select|phi|tail call|notail call)\b([^%@\"]*)")


def check_llvm(text, stage):
    """Gives the functions with fused multiply-adds, and what is wrong."""
    problems, fused, name = [], set(), ""
    if not re.search(r"^define ", text, re.M):
        problems.append(f"{stage}: the IR was not understood")
    for line in text.splitlines():
        if start := re.match(r"define .*?@\"?([\w.$]+)\"?\(", line):
            name = start[1]
        if "llvm.fma." in line and not line.startswith("declare"):
            fused.add(name)
        operation = OPERATION.match(line)
        if operation and FLAGS.search(operation[3]):
            problems.append(f"{stage}: fast-math flags in {name}: {line.strip()}")
        if "!fpmath" in line:
            problems.append(f"{stage}: relaxed precision in {name}: {line.strip()}")
        if declared := re.match(r"declare .*?@\"?([\w.$]+)\"?\(", line):
            if declared[1] not in LIBRARY and not MEANT_EVERYWHERE.match(declared[1]):
                problems.append(f"{stage}: {declared[1]} is used")
    return fused, problems


def check_fused(code, expected):
    found = {f.name for f in code.functions.values()
             if any(code.machine.fused.match(i.mnemonic) for i in f.instructions)}
    # A function that LLVM has inlined everywhere or cut in parts keeps its first name.
    for name in sorted(found - expected):
        yield f"{name}: fused multiply-adds that the IR does not have"
    for name in sorted(expected - found):
        if name in code.functions:
            yield f"{name}: the IR's fused multiply-adds are gone"


def check(aprc, model, flags):
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "model"
        command = [aprc, model, "--emit=obj,llvm,llvm-opt", "-o", f"{stem}.o", *flags]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode != 0:
            return [f"does not compile: {made.stderr.strip()}"], None
        files = {path.name: path for path in Path(folder).iterdir()}
        texts = sorted(path for name, path in files.items() if name.endswith(".ll"))
        problems, fused = [], set()
        if len(texts) != 2:
            problems.append(f"expected two files of LLVM IR among {sorted(files)}")
        for path in texts:
            stage = "after LLVM's passes" if "opt" in path.name else "before LLVM's passes"
            found, wrong = check_llvm(path.read_text(), stage)
            problems += wrong
            if "opt" in path.name:
                fused = found
        code = Code(f"{stem}.o")
        problems += check_fused(code, fused)
        walk = Walk(code).run()
        return problems + walk.problems, walk


GRID = [[f"-O{level}", *target] for level in range(4)
        for target in (["--cpu=x86-64-v2"], ["--cpu=x86-64-v3"], ["--cpu=x86-64-v4"],
                       ["--target=aarch64-linux-gnu"], ["--target=riscv64-linux-gnu"])]


def check_object(path):
    problems = Walk(Code(path)).run().problems
    print("\n".join([*sorted(problems), f"{len(problems)} problems"]))
    return 1 if problems else 0


def main():
    aprc, *rest = sys.argv[1:]
    if aprc == "--object":
        return check_object(rest[0])
    grid = GRID if "--grid" in rest else [[word for word in rest if word.startswith("-")]]
    models = [word for word in rest if not word.startswith("-")]
    failures = 0
    for model in models:
        for flags in grid:
            problems, walk = check(aprc, model, flags)
            name = " ".join([Path(model).name, *flags])
            for problem in problems[:20]:
                print(f"{name}: {problem}")
            failures += len(problems)
            if walk:
                print(f"{name}: {len(walk.code.functions)} functions, {len(walk.guarded)} guarded, "
                      f"{walk.computing} steps of arithmetic")
    print(f"{failures} problems")
    return 1 if failures else 0


sys.exit(main())
