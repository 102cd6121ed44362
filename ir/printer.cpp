// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/bfloat.h"
#include "ir/text.h"
#include "ir/text_names.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <map>

namespace apr {

bool isPlainName(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])))
    return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '#' || c == '$';
  });
}

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string nameText(std::string_view name) {
  return isPlainName(name) ? std::string(name) : quoted(name);
}

template <typename Float, typename Bits>
std::string floatText(const std::byte *at, Bits canonicalNaN) {
  Float value;
  Bits bits;
  std::memcpy(&value, at, sizeof value);
  std::memcpy(&bits, at, sizeof bits);
  if (std::isnan(value))
    return bits == canonicalNaN ? "nan" : fmt::format("{:#x}", bits);
  return fmt::format("{}", value);
}

std::string bfloatText(const std::byte *at) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  if (isBfloatNaN(bits))
    return bits == kBfloatNaN ? "nan" : fmt::format("{:#x}", bits);
  return fmt::format("{}", bfloatValue(bits));
}

template <typename Int> std::string integerText(const std::byte *at) {
  Int value;
  std::memcpy(&value, at, sizeof value);
  return fmt::format("{}", value);
}

std::string elementText(const Literal &literal, size_t index) {
  const std::byte *at = literal.bytes.data() + index * byteSize(literal.dtype);
  switch (literal.dtype) {
  case DType::F32:
    return floatText<float, uint32_t>(at, 0x7fc00000u);
  case DType::F64:
    return floatText<double, uint64_t>(at, 0x7ff8000000000000u);
  case DType::I32:
    return integerText<int32_t>(at);
  case DType::I64:
    return integerText<int64_t>(at);
  case DType::Bool:
    return at[0] == std::byte{0} ? "false" : "true";
  case DType::U8:
    return integerText<uint8_t>(at);
  case DType::BF16:
    return bfloatText(at);
  }
  return {};
}

std::string literalText(const Literal &literal) {
  if (literal.count() == 1)
    return elementText(literal, 0);
  std::string text = "[";
  for (size_t i = 0; i < literal.count(); ++i)
    text += (i ? ", " : "") + elementText(literal, i);
  return text + "]";
}

std::string attributeText(const AttrValue &value) {
  struct Visitor {
    std::string operator()(int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(const std::string &v) const { return quoted(v); }
    std::string operator()(const std::vector<int64_t> &v) const {
      return fmt::format("[{}]", fmt::join(v, ", "));
    }
    std::string operator()(const std::vector<Dim> &v) const {
      std::string text = "[";
      for (size_t i = 0; i < v.size(); ++i)
        text += (i ? ", " : "") + v[i].str();
      return text + "]";
    }
    std::string operator()(const Order &v) const { return v.str(); }
    std::string operator()(const Literal &v) const { return literalText(v); }
  };
  return std::visit(Visitor(), value);
}

/// Prints one graph; names get a suffix ~2, ~3 … where they repeat, numbers where they are empty.
class GraphPrinter {
public:
  GraphPrinter(const Graph &graph, PrintLocations locations, const SourceManager *sources)
      : graph_(graph), locations_(locations), sources_(sources), names_(graph.values().size()) {
    for (ValueId argument : graph.arguments())
      assignName(argument);
    for (const Op &op : graph.ops())
      for (ValueId result : op.results)
        assignName(result);
  }

  const std::string &name(ValueId id) const { return names_[id]; }

  std::string declaration(ValueId id) const {
    const Value &value = graph_.value(id);
    std::string text = names_[id] + ": " + str(value.type);
    if (value.buffer) {
      const BufferSlot &slot = *value.buffer;
      text += fmt::format(" in {}", word(kBufferSpaceWords, slot.space));
      if (slot.index != 0)
        text += fmt::format("#{}", slot.index);
      text += "(" + slot.offset.str() + ")";
    }
    return text;
  }

  std::string declarations(std::span<const ValueId> ids) const {
    std::string text;
    for (size_t i = 0; i < ids.size(); ++i)
      text += (i ? ", " : "") + declaration(ids[i]);
    return text;
  }

  std::string uses(std::span<const ValueId> ids) const {
    std::string text;
    for (size_t i = 0; i < ids.size(); ++i)
      text += (i ? ", " : "") + names_[ids[i]];
    return text;
  }

  std::string opText(const Op &op, const std::string &indent) const {
    std::string text = declarations(op.results);
    text += op.results.empty() ? "" : " = ";
    text += opInfo(op.kind).mnemonic;
    if (!op.operands.empty())
      text += " " + uses(op.operands);
    const auto &entries = op.attributes.entries();
    for (size_t i = 0; i < entries.size(); ++i)
      text += fmt::format("{}{} = {}", i ? ", " : " {", attributeName(entries[i].first),
                          attributeText(entries[i].second));
    text += entries.empty() ? "" : "}";
    if (op.region) {
      GraphPrinter inner(*op.region, locations_, sources_);
      text += " region(" + inner.declarations(op.region->arguments()) + ") {\n";
      text += inner.opsText(indent + "  ");
      text += fmt::format("{}  yield {}\n{}}}", indent, inner.uses(op.region->results), indent);
    }
    return text + locationText(op.location);
  }

  std::string opsText(const std::string &indent) const {
    std::string text;
    for (const Op &op : graph_.ops())
      text += indent + opText(op, indent) + "\n";
    return text;
  }

  std::string locationText(Location location) const {
    if (locations_ == PrintLocations::No || !sources_ || !location.isKnown())
      return {};
    return fmt::format(" loc({}:{}:{}:{})", quoted(sources_->name(location.file)), location.line,
                       location.column, location.length);
  }

private:
  void assignName(ValueId id) {
    std::string base = graph_.value(id).name;
    if (base.empty()) {
      names_[id] = fmt::format("%{}", nextNumber_++);
      return;
    }
    uint32_t count = ++used_[base];
    names_[id] = "%" + nameText(base) + (count > 1 ? fmt::format("~{}", count) : "");
  }

  const Graph &graph_;
  PrintLocations locations_;
  const SourceManager *sources_;
  std::vector<std::string> names_;
  std::map<std::string, uint32_t> used_;
  uint32_t nextNumber_ = 0;
};

std::string argumentsText(const Function &function, const GraphPrinter &printer) {
  std::string text;
  const auto &ids = function.graph.arguments();
  for (size_t i = 0; i < ids.size(); ++i) {
    const Argument &argument = function.arguments[i];
    bool opens = i == 0 || argument.role != function.arguments[i - 1].role;
    if (opens)
      text += fmt::format("{}{}(", i == 0 ? "" : " ", word(kArgumentRoleWords, argument.role));
    text += (opens ? "" : ", ") + printer.declaration(ids[i]);
    if (argument.indexLimit)
      text += " below " + argument.indexLimit->str();
    if (i + 1 == ids.size() || function.arguments[i + 1].role != argument.role)
      text += ")";
  }
  return ids.empty() ? "()" : text;
}

std::string resultsText(const Function &function, const GraphPrinter &printer) {
  std::string text;
  for (size_t i = 0; i < function.results.size(); ++i) {
    const FunctionResult &result = function.results[i];
    bool opens = i == 0 || result.role != function.results[i - 1].role;
    text +=
        opens ? fmt::format("{}  {} ", i ? "\n" : "", word(kResultRoleWords, result.role)) : ", ";
    text += nameText(result.name);
    if (result.kind != ResultKind::Tensor)
      text += fmt::format(": {}", word(kResultKindWords, result.kind));
    text += " = " + printer.name(function.graph.results[i]);
  }
  return text.empty() ? "" : text + "\n";
}

std::string docText(const std::string &doc, std::string_view before, std::string_view after) {
  return doc.empty() ? "" : fmt::format("{}doc {}{}", before, quoted(doc), after);
}

std::string functionText(const Function &function, PrintLocations locations,
                         const SourceManager *sources) {
  // Arguments print under their role's name, whatever the graph calls them.
  Graph graph = function.graph;
  for (size_t i = 0; i < graph.arguments().size(); ++i)
    graph.value(graph.arguments()[i]).name = function.arguments[i].name;
  GraphPrinter printer(graph, locations, sources);
  std::string text = docText(function.doc, "", "\n");
  text += "func @" + nameText(function.name);
  if (function.kind != FunctionKind::Entry) {
    text += fmt::format(" as {}", word(kFunctionKindWords, function.kind));
    if (!function.trainBlock.empty())
      text += "(" + nameText(function.trainBlock) + ")";
  }
  if (function.shards)
    text += fmt::format(" shards({}{}{})", function.shards->count,
                        function.shards->rows.empty() ? "" : ", ", function.shards->rows);
  if (!function.dims.empty())
    text += fmt::format(" dims({})", fmt::join(function.dims, ", "));
  text += " " + argumentsText(function, printer) + " {";
  text += printer.locationText(function.location) + "\n";
  if (function.workspaceBytes)
    text += "  workspace " + function.workspaceBytes->str() + "\n";
  for (const DimCheck &check : function.checks)
    text += fmt::format("  check {} {} 0 {}{}\n", check.value.str(),
                        check.kind == DimCheck::Kind::Zero ? "==" : ">=", quoted(check.message),
                        printer.locationText(check.location));
  text += printer.opsText("  ");
  return text + resultsText(function, printer) + "}\n";
}

} // namespace

std::string print(const Module &module, PrintLocations locations, const SourceManager *sources) {
  std::string text = docText(module.doc, "", "\n");
  text += "module " + nameText(module.name) + "\n";
  for (const StateTensor &tensor : module.state)
    text += fmt::format("state {}: {} {}{}\n", nameText(tensor.name), str(tensor.type),
                        word(kStateRoleWords, tensor.role), docText(tensor.doc, " ", ""));
  for (const Hyperparameter &hyper : module.hypers)
    text += fmt::format("hyper {}: {} = {}{}\n", nameText(hyper.name), name(hyper.dtype),
                        literalText(Literal::splat(hyper.dtype, hyper.defaultValue)),
                        docText(hyper.doc, " ", ""));
  for (const std::string &block : module.trainBlocks)
    text += "train " + nameText(block) + "\n";
  for (const Function &function : module.functions)
    text += "\n" + functionText(function, locations, sources);
  return text;
}

std::string print(const Function &function) {
  return functionText(function, PrintLocations::No, nullptr);
}

std::string printOp(const Graph &graph, const Op &op) {
  return GraphPrinter(graph, PrintLocations::No, nullptr).opText(op, "");
}

} // namespace apr
