# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds the places of a source file where a mutant can stand, through clang's syntax tree.

A site is a list of edits of one kind. An edit replaces a range of the source by a choice between the
range itself and a changed text; how the two are joined depends on its form:
  expression  (APR_MUTANT(7) ? (changed) : (original))
  condition   (APR_MUTANT(7) != static_cast<bool>(original))
  statement   { if (!APR_MUTANT(7)) { original } }
"""

import dataclasses
import re

from clang.cindex import CursorKind as K
from clang.cindex import Index, TypeKind

INTEGERS = {
    TypeKind.INT, TypeKind.UINT, TypeKind.LONG, TypeKind.ULONG, TypeKind.LONGLONG,
    TypeKind.ULONGLONG, TypeKind.SHORT, TypeKind.USHORT, TypeKind.CHAR_S, TypeKind.SCHAR,
    TypeKind.UCHAR,
}
FLOATS = {TypeKind.FLOAT, TypeKind.DOUBLE}

OTHER_OPERATOR = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "&&": "||", "||": "&&", "==": "!=",
    "!=": "==", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<", "+=": "-=", "-=": "+=",
    "*=": "+=", "/=": "*=", "|=": "&=", "&=": "|=",
}
BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}

# Builder methods and algorithms that differ in one operation.
OTHER_NAME = {
    "CreateAdd": "CreateSub", "CreateSub": "CreateAdd", "CreateMul": "CreateAdd",
    "CreateFAdd": "CreateFSub", "CreateFSub": "CreateFAdd", "CreateFMul": "CreateFAdd",
    "CreateAnd": "CreateOr", "CreateOr": "CreateAnd", "CreateXor": "CreateOr",
    "CreateShl": "CreateLShr", "CreateLShr": "CreateAShr", "CreateAShr": "CreateLShr",
    "CreateUDiv": "CreateSDiv", "CreateSDiv": "CreateUDiv", "CreateURem": "CreateSRem",
    "CreateSRem": "CreateURem", "CreateZExt": "CreateSExt", "CreateSExt": "CreateZExt",
    "CreateSIToFP": "CreateUIToFP", "CreateUIToFP": "CreateSIToFP",
    "CreateICmpEQ": "CreateICmpNE", "CreateICmpNE": "CreateICmpEQ",
    "CreateICmpSLT": "CreateICmpSLE", "CreateICmpSLE": "CreateICmpSLT",
    "CreateICmpSGT": "CreateICmpSGE", "CreateICmpSGE": "CreateICmpSGT",
    "CreateICmpULT": "CreateICmpULE", "CreateICmpULE": "CreateICmpULT",
    "CreateICmpUGT": "CreateICmpUGE", "CreateICmpUGE": "CreateICmpUGT",
    "CreateFCmpOLT": "CreateFCmpOLE", "CreateFCmpOGT": "CreateFCmpOGE",
    "CreateFCmpOEQ": "CreateFCmpUEQ", "CreateFCmpUNO": "CreateFCmpORD",
    "CreateFCmpORD": "CreateFCmpUNO", "CreateIsNotNull": "CreateIsNull",
    "emitMaximum": "emitMinimum", "emitMinimum": "emitMaximum", "min": "max", "max": "min",
    "any_of": "all_of", "all_of": "any_of", "none_of": "any_of", "front": "back",
    "back": "front", "shiftLeft": "shiftRight", "shiftRight": "shiftLeft",
    "neg": "abs", "add": "sub", "sub": "add", "mul": "add", "div": "mul", "multiply": "add",
    "subtract": "add", "low": "high", "high": "low",
}
# The condition's other boundary, or its nearest relative.
OTHER_ENUMERATOR = {
    "ICMP_ULT": "ICMP_ULE", "ICMP_ULE": "ICMP_ULT", "ICMP_UGT": "ICMP_UGE",
    "ICMP_UGE": "ICMP_UGT", "ICMP_SLT": "ICMP_SLE", "ICMP_SLE": "ICMP_SLT",
    "ICMP_SGT": "ICMP_SGE", "ICMP_SGE": "ICMP_SGT", "ICMP_EQ": "ICMP_NE", "ICMP_NE": "ICMP_EQ",
    "FCMP_OLT": "FCMP_OLE", "FCMP_OLE": "FCMP_OLT", "FCMP_OGT": "FCMP_OGE",
    "FCMP_OGE": "FCMP_OGT", "FCMP_OEQ": "FCMP_UEQ", "FCMP_UNE": "FCMP_ONE",
}
# Swapping the operands of these changes nothing, by their definition.
COMMUTATIVE = {
    "CreateAdd", "CreateMul", "CreateAnd", "CreateOr", "CreateXor", "CreateFAdd", "CreateFMul",
    "CreateICmpEQ", "CreateICmpNE", "CreateFCmpOEQ", "CreateFCmpUNO", "CreateFCmpORD",
    "CreateFCmpUEQ", "max", "min", "gcd", "lcm", "emitAdd", "emitMultiply", "mul", "add",
    "multiply", "twoSum", "isEqual", "emitMaximum", "emitMinimum",
}
# What ends in a message only: its wording is not behaviour that a mutant should change.
MESSAGES = {
    "format", "report", "InternalError", "Error", "runtime_error", "fail", "remark", "errs",
    "reserve", "note",
}
FUNCTIONS = {
    K.FUNCTION_DECL, K.CXX_METHOD, K.CONSTRUCTOR, K.FUNCTION_TEMPLATE, K.CONVERSION_FUNCTION,
    K.DESTRUCTOR,
}
DECLARING = {K.DECL_STMT, K.VAR_DECL}
# What decides in which order memory is read and written, and under which environment.
ORDER_FILES = re.compile(
    r"passes/(memory_order|plan_buffers|workspace_arena|fuse_in_place)|"
    r"codegen/(kernel_runner|fp_environment|kernel_scatter)")
# What decides in which order the terms of a sum add.
SUM_FILES = re.compile(r"passes/fix_reduction_orders|codegen/(ordered_sum|lanes_reduce)")


@dataclasses.dataclass
class Edit:
    form: str
    start: int
    end: int
    changed: str = ""


@dataclasses.dataclass
class Site:
    file: str
    line: int
    kind: str
    function: str
    edits: list
    original: str
    replacement: str

    @property
    def extent(self):
        return min(e.start for e in self.edits), max(e.end for e in self.edits)


def flat(text):
    return " ".join(text.split())


class Finder:
    """Walks one translation unit and keeps the sites of one file of it."""

    def __init__(self, file, path, text, rng):
        self.file, self.path, self.rng = file, path, rng
        self.data = text.encode()
        self.sites = []
        self.function = ""
        self.bodies_of_functions = set()  # by their offsets
        self.scope = []  # (name, type) of the variables that can be named here

    def run(self, unit):
        for cursor in unit.cursor.get_children():
            if cursor.location.file and cursor.location.file.name == self.path:
                self.visit(cursor)
        return self.sites

    # -- text -------------------------------------------------------------------------------------

    def source(self, start, end):
        return self.data[start:end].decode()

    def range_of(self, cursor):
        return cursor.extent.start.offset, cursor.extent.end.offset

    def text(self, cursor):
        return self.source(*self.range_of(cursor))

    def add(self, kind, edits, replacement, at=None):
        start = min(e.start for e in edits)
        end = max(e.end for e in edits)
        if start < 0 or end > len(self.data) or end <= start:
            return
        if at is not None:
            start, end = at
        original = self.source(start, end)
        if "//" in original or "#" in original or any("//" in e.changed for e in edits):
            return
        if ORDER_FILES.match(self.file) and kind in ("statement", "negate", "boundary"):
            kind = "dependency"
        if SUM_FILES.match(self.file) and kind != "fma":
            kind = "order"
        line = self.data.count(b"\n", 0, min(e.start for e in edits)) + 1
        self.sites.append(Site(self.file, line, kind, self.function, edits, flat(original),
                               flat(replacement)))

    def replace(self, kind, cursor, changed):
        start, end = self.range_of(cursor)
        self.add(kind, [Edit("expression", start, end, flat(changed))], changed)

    # -- walk -------------------------------------------------------------------------------------

    def visit(self, cursor):
        kind = cursor.kind
        if cursor.location.file and cursor.location.file.name != self.path:
            return
        if self.is_skipped(cursor):
            return
        if kind in FUNCTIONS:
            self.visit_function(cursor)
            return
        handler = getattr(self, "on_" + kind.name.lower(), None)
        if handler:
            handler(cursor)
        depth = len(self.scope)
        if kind == K.CASE_STMT:
            for child in list(cursor.get_children())[1:]:
                self.visit(child)
        else:
            for child in cursor.get_children():
                self.visit(child)
        if kind in (K.COMPOUND_STMT, K.FOR_STMT, K.CXX_FOR_RANGE_STMT, K.LAMBDA_EXPR, K.IF_STMT):
            del self.scope[depth:]
        if kind in (K.VAR_DECL, K.PARM_DECL) and self.function:
            self.scope.append((cursor.spelling, cursor.type.get_canonical().spelling))

    def is_skipped(self, cursor):
        kind = cursor.kind
        if kind in (K.STATIC_ASSERT, K.CXX_THROW_EXPR, K.ENUM_DECL, K.UNEXPOSED_ATTR,
                    K.TEMPLATE_TYPE_PARAMETER, K.TEMPLATE_NON_TYPE_PARAMETER, K.FRIEND_DECL):
            return True
        if kind == K.VAR_DECL:
            if not self.function:
                return True
            before = self.source(cursor.extent.start.offset, cursor.location.offset)
            return "constexpr" in before or "static" in before
        if kind == K.CALL_EXPR:
            return cursor.spelling in MESSAGES
        if kind in FUNCTIONS:
            before = self.source(cursor.extent.start.offset, cursor.location.offset)
            return "constexpr" in before or "consteval" in before
        return False

    def visit_function(self, cursor):
        body = [c for c in cursor.get_children() if c.kind == K.COMPOUND_STMT]
        if not body:
            return
        outer, self.function = self.function, cursor.spelling or self.function
        depth = len(self.scope)
        for child in cursor.get_children():
            if child.kind == K.PARM_DECL:
                self.scope.append((child.spelling, child.type.get_canonical().spelling))
            else:
                self.bodies_of_functions.add(child.extent.start.offset)
                self.visit(child)
        del self.scope[depth:]
        self.function = outer

    # -- expressions ------------------------------------------------------------------------------

    def on_binary_operator(self, cursor):
        children = list(cursor.get_children())
        if len(children) == 2:
            self.binary(cursor, children[0], children[1], children[0].type.get_canonical())

    def on_compound_assignment_operator(self, cursor):
        children = list(cursor.get_children())
        if len(children) == 2:
            operator = self.operator_between(*children)
            if operator in OTHER_OPERATOR:
                self.swap_operator("operator", cursor, *children, OTHER_OPERATOR[operator])

    def operator_between(self, left, right):
        return self.source(left.extent.end.offset, right.extent.start.offset).strip()

    def swap_operator(self, kind, cursor, left, right, other):
        self.replace(kind, cursor, f"{self.text(left)} {other} {self.text(right)}")

    def binary(self, cursor, left, right, left_type):
        operator = self.operator_between(left, right)
        is_number = left_type.kind in INTEGERS | FLOATS
        is_class = left_type.kind in (TypeKind.RECORD, TypeKind.DEPENDENT, TypeKind.UNEXPOSED)
        is_text = "basic_string" in left_type.spelling or "char" in left_type.spelling
        if operator in BOUNDARY and not is_text:
            self.swap_operator("boundary", cursor, left, right, BOUNDARY[operator])
        if operator in OTHER_OPERATOR and not is_text:
            if is_number or is_class or operator in ("&&", "||", "==", "!="):
                self.swap_operator("operator", cursor, left, right, OTHER_OPERATOR[operator])
        if operator in ("-", "/", "%") and (is_number or is_class):
            self.replace("arguments", cursor,
                         f"({self.text(right)}) {operator} ({self.text(left)})")
        if operator == "+" and not is_text and left_type.kind not in INTEGERS:
            self.reassociate(cursor, left, right)

    def reassociate(self, cursor, left, right):
        """(a + b) + c as a + (b + c)."""
        inner = list(left.get_arguments()) if left.kind == K.CALL_EXPR else []
        if left.kind == K.BINARY_OPERATOR:
            inner = list(left.get_children())
        if len(inner) == 2 and self.operator_between(*inner) == "+":
            self.replace("order", cursor, f"{self.text(inner[0])} + ({self.text(inner[1])} + "
                                          f"{self.text(right)})")

    def on_call_expr(self, cursor):
        name = cursor.spelling
        arguments = [a for a in cursor.get_arguments() if a is not None and a.extent.end.offset]
        if name.startswith("operator"):
            operator = name[len("operator"):]
            if len(arguments) == 2 and operator not in ("()", "[]", "=", "<<", ">>", ","):
                self.binary(cursor, *arguments, arguments[0].type.get_canonical())
            if len(arguments) == 2 and operator == "[]":
                self.subscript(arguments[1])
            return
        text = self.text(cursor)
        callee = re.match(r"[\w:.\->\[\]*()]*?\b" + re.escape(name) + r"\s*\(", text) if name else None
        if callee and name in OTHER_NAME:
            start, end = self.range_of(cursor)
            head = callee.group(0)
            at = head.rindex(name)
            changed = head[:at] + OTHER_NAME[name] + head[at + len(name):] + text[callee.end():]
            self.add("operator", [Edit("expression", start, end, flat(changed))], changed)
        self.special_calls(cursor, name, text, arguments)
        if name not in COMMUTATIVE:
            self.swapped_arguments(cursor, arguments)
        if name in ("x", "y", "z") and callee and not arguments:
            other = {"x": "y", "y": "x", "z": "x"}[name]
            self.replace("operand", cursor, re.sub(r"\b[xyz]\s*\(\)$", other + "()", text))
        if name in ("size", "rank", "byteSize", "width", "count") and \
                cursor.type.get_canonical().kind in INTEGERS:
            self.replace("off-by-one", cursor, text + self.rng.choice([" + 1", " - 1"]))

    def special_calls(self, cursor, name, text, arguments):
        if name == "emitMultiplyAdd" and len(arguments) == 5:
            prefix = text[:text.index("emitMultiplyAdd")]
            dtype, x, y, acc, builder = (self.text(a) for a in arguments)
            self.replace("fma", cursor, f"{prefix}emitAdd({dtype}, {prefix}emitMultiply({dtype}, "
                                        f"{x}, {y}, {builder}), {acc}, {builder})")
        found = re.match(r"(.*?)CreateIntrinsic\(\s*llvm::Intrinsic::fma,\s*\{[^{}]*\},\s*"
                         r"\{([^{},]*),([^{},]*),([^{},]*)\}\)$", text, re.S)
        if found:
            b, x, y, acc = found.groups()
            self.replace("fma", cursor, f"{b}CreateFAdd({b}CreateFMul({x}, {y}), {acc})")
        if name in ("fma", "Fma") and len(arguments) == 3:
            x, y, acc = (self.text(a) for a in arguments)
            self.replace("fma", cursor, f"({x}) * ({y}) + ({acc})")
        if name == "canonical" and arguments:
            self.replace("nan", cursor, self.text(arguments[0]))
        if name == "nanLike":
            self.replace("nan", cursor, "zeroLike" + text[len("nanLike"):])
        if name == "CreateSelect" and len(arguments) >= 3 and "FCmpUNO" in self.text(arguments[0]):
            self.replace("nan", cursor, self.text(arguments[2]))

    def swapped_arguments(self, cursor, arguments):
        for a, b in zip(arguments, arguments[1:]):
            bad = {K.LAMBDA_EXPR, K.INIT_LIST_EXPR}
            if a.kind in bad or b.kind in bad or self.text(a) == self.text(b):
                continue
            if a.type.get_canonical().spelling.replace("const ", "") != \
                    b.type.get_canonical().spelling.replace("const ", ""):
                continue
            ta, tb = self.text(a), self.text(b)
            if ta.startswith("{") or tb.startswith("{") or not ta or not tb or '"' in ta:
                continue
            (s1, e1), (s2, e2) = self.range_of(a), self.range_of(b)
            if e1 > s2:
                continue
            self.add("arguments", [Edit("expression", s1, e1, flat(tb)),
                                   Edit("expression", s2, e2, flat(ta))],
                     f"{tb}, {ta}", at=(s1, e2))

    def subscript(self, index):
        if index.type.get_canonical().kind in INTEGERS and index.kind != K.INTEGER_LITERAL:
            self.replace("off-by-one", index, self.text(index) + " + 1")

    def on_array_subscript_expr(self, cursor):
        children = list(cursor.get_children())
        if len(children) == 2:
            self.subscript(children[1])

    def on_integer_literal(self, cursor):
        text = self.text(cursor)
        if not re.fullmatch(r"(0x[0-9a-fA-F']+|[0-9']+)[uUlL]*", text):
            return
        is_zero = re.fullmatch(r"0[uUlL]*", text)
        self.replace("off-by-one", cursor,
                     text + (" + 1" if is_zero else self.rng.choice([" + 1", " - 1"])))

    def on_decl_ref_expr(self, cursor):
        target = cursor.referenced
        if target is None:
            return
        if target.kind == K.ENUM_CONSTANT_DECL:
            self.enumerator(cursor, target)
        elif target.kind in (K.PARM_DECL, K.VAR_DECL) and cursor.spelling == self.text(cursor):
            type_name = target.type.get_canonical().spelling
            others = [n for n, t in self.scope if t == type_name and n and n != cursor.spelling]
            if others and (cursor.spelling, type_name) in self.scope:
                self.replace("operand", cursor, self.rng.choice(others))

    def enumerator(self, cursor, target):
        text = self.text(cursor)
        name = target.spelling
        if not text.endswith(name) or "Intrinsic" in text or "Linkage" in text:
            return
        names = [c.spelling for c in target.semantic_parent.get_children()
                 if c.kind == K.ENUM_CONSTANT_DECL]
        if name in OTHER_ENUMERATOR:
            other = OTHER_ENUMERATOR[name]
        elif len(names) > 1 and "Attribute" not in text:
            other = names[(names.index(name) + 1) % len(names)]
        else:
            return
        self.replace("enumerator", cursor, text[:-len(name)] + other)

    def on_conditional_operator(self, cursor):
        children = list(cursor.get_children())
        if len(children) == 3:
            self.negate(children[0])

    def negate(self, cursor):
        start, end = self.range_of(cursor)
        self.add("negate", [Edit("condition", start, end)], f"!({self.text(cursor)})")

    # -- statements -------------------------------------------------------------------------------

    def on_if_stmt(self, cursor):
        children = list(cursor.get_children())
        head = self.text(cursor)[:20]
        if re.match(r"if\s+constexpr", head):
            return
        self.bodies(children[1:])
        if children[0].kind not in DECLARING and not re.match(r"if\s*\([^()]*;", head):
            self.negate(children[0])

    def on_while_stmt(self, cursor):
        children = list(cursor.get_children())
        self.bodies(children[1:])

    def on_for_stmt(self, cursor):
        self.bodies(list(cursor.get_children())[-1:])

    on_cxx_for_range_stmt = on_for_stmt

    def bodies(self, children):
        for child in children:
            self.statement(child, is_last=False)

    def on_compound_stmt(self, cursor):
        children = list(cursor.get_children())
        is_body = cursor.extent.start.offset in self.bodies_of_functions
        for i, child in enumerate(children):
            self.statement(child, is_last=i == len(children) - 1 and (is_body or i > 0))

    def on_lambda_expr(self, cursor):
        for child in cursor.get_children():
            if child.kind == K.COMPOUND_STMT:
                self.bodies_of_functions.add(child.extent.start.offset)

    def on_return_stmt(self, cursor):
        children = list(cursor.get_children())
        if len(children) == 1 and children[0].type.get_canonical().kind == TypeKind.BOOL:
            self.negate(children[0])

    def on_switch_stmt(self, cursor):
        if "#" in self.text(cursor):
            return  # cases made by a macro
        returns = []
        self.collect_returns(cursor, returns)
        for i, value in enumerate(returns):
            others = [r for r in returns if self.text(r) != self.text(value)]
            if others:
                other = others[i % len(others)]
                self.replace("case", value, self.text(other))

    def collect_returns(self, cursor, returns):
        for child in cursor.get_children():
            if child.kind == K.RETURN_STMT:
                values = list(child.get_children())
                if values and not self.text(values[0]).startswith("{"):
                    returns.append(values[0])
            elif child.kind in (K.CASE_STMT, K.DEFAULT_STMT, K.COMPOUND_STMT):
                self.collect_returns(child, returns)

    def statement(self, cursor, is_last):
        kind = cursor.kind
        start, end = self.range_of(cursor)
        rest = re.match(rb"\s*;", self.data[end:])
        if not rest:
            return
        end += rest.end()
        text = self.source(start, end)
        if any(re.search(r"\b" + m + r"\b", text) for m in ("reserve", "throw", "InternalError")):
            return
        is_assignment = kind in (K.BINARY_OPERATOR, K.COMPOUND_ASSIGNMENT_OPERATOR)
        is_call = kind == K.CALL_EXPR and cursor.spelling not in MESSAGES
        is_jump = kind in (K.CONTINUE_STMT, K.BREAK_STMT)
        is_return = kind == K.RETURN_STMT and not is_last and "return" in text
        is_step = kind == K.UNARY_OPERATOR
        if kind == K.UNEXPOSED_EXPR:
            is_call = True
        if is_assignment or is_call or is_jump or is_step or is_return:
            self.add("statement", [Edit("statement", start, end)], "")


def parse(arguments):
    unit = Index.create(excludeDecls=True).parse(arguments[0], args=arguments[1:])
    errors = [d for d in unit.diagnostics if d.severity >= 3]
    if errors:
        raise RuntimeError(f"clang cannot parse {arguments[0]}: {errors[0]}")
    return unit


def precompile(header, arguments, output):
    """What most sources include, parsed once."""
    index = Index.create()
    index.parse(str(header), args=["-x", "c++-header", *arguments]).save(str(output))


def find_sites(unit, file, path, rng):
    """The sites of the source or header at `path`, in a translation unit that includes it."""
    with open(path, encoding="utf-8") as source:
        return Finder(file, path, source.read(), rng).run(unit)
