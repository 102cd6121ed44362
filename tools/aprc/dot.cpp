// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/dot.h"

#include <fmt/format.h>

namespace apr::aprc {
namespace {

std::string quoted(std::string_view text) {
  std::string safe = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      safe += '\\';
    safe += c;
  }
  return safe + '"';
}

std::string_view roleName(ArgumentRole role) {
  switch (role) {
  case ArgumentRole::Input:
    return "input";
  case ArgumentRole::State:
    return "state";
  case ArgumentRole::Hyper:
    return "hyper";
  case ArgumentRole::Gradient:
    return "gradient";
  case ArgumentRole::Exec:
    return "exec";
  }
  return "";
}

std::string_view roleName(ResultRole role) {
  switch (role) {
  case ResultRole::Result:
    return "result";
  case ResultRole::Gradient:
    return "gradient";
  case ResultRole::Update:
    return "update";
  }
  return "";
}

/// What a node says: the mnemonic, or for a kernel its form and the ops in it.
std::string label(const Op &op) {
  if (op.kind != OpKind::Kernel)
    return std::string(opInfo(op.kind).mnemonic);
  std::string text = "kernel";
  if (op.attributes.has(AttrKey::Form))
    text += " " + op.attributes.string(AttrKey::Form);
  for (const Op &inner : op.region->ops())
    text += fmt::format("\n{}", opInfo(inner.kind).mnemonic);
  return text;
}

class FunctionWriter {
public:
  FunctionWriter(const Function &function, size_t index, std::string &out)
      : function_(function), graph_(function.graph), index_(index), out_(out) {}

  void write() {
    out_ += fmt::format("  subgraph cluster_{} {{\n    label={};\n", index_,
                        quoted("@" + function_.name));
    for (size_t i = 0; i < function_.arguments.size(); ++i)
      node(argumentNode(i),
           fmt::format("{} {}", roleName(function_.arguments[i].role), function_.arguments[i].name),
           "box");
    for (size_t i = 0; i < graph_.ops().size(); ++i)
      node(opNode(i), label(graph_.ops()[i]), "ellipse");
    for (size_t i = 0; i < graph_.ops().size(); ++i)
      for (ValueId operand : graph_.ops()[i].operands)
        edge(operand, opNode(i));
    for (size_t i = 0; i < function_.results.size(); ++i) {
      const std::string result = fmt::format("f{}r{}", index_, i);
      node(result,
           fmt::format("{} {}", roleName(function_.results[i].role), function_.results[i].name),
           "box");
      edge(graph_.results[i], result);
    }
    out_ += "  }\n";
  }

private:
  std::string argumentNode(size_t i) const { return fmt::format("f{}a{}", index_, i); }
  std::string opNode(size_t i) const { return fmt::format("f{}o{}", index_, i); }

  std::string source(ValueId value) const {
    if (auto definition = graph_.definitionIndex(value))
      return opNode(*definition);
    for (size_t i = 0; i < graph_.arguments().size(); ++i)
      if (graph_.arguments()[i] == value)
        return argumentNode(i);
    return {};
  }

  void node(const std::string &id, const std::string &text, std::string_view shape) {
    out_ += fmt::format("    {} [shape={} label={}];\n", id, shape, quoted(text));
  }

  void edge(ValueId value, const std::string &to) {
    out_ += fmt::format("    {} -> {} [label={}];\n", source(value), to,
                        quoted(str(graph_.type(value))));
  }

  const Function &function_;
  const Graph &graph_;
  size_t index_;
  std::string &out_;
};

} // namespace

std::string renderDot(const Module &module) {
  std::string out = fmt::format("digraph {} {{\n", quoted(module.name));
  for (size_t i = 0; i < module.functions.size(); ++i)
    FunctionWriter(module.functions[i], i, out).write();
  return out + "}\n";
}

} // namespace apr::aprc
