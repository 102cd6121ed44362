// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/bfloat.h"
#include "ir/float_environment.h"
#include "ir/infer.h"
#include "ir/text.h"
#include "ir/text_names.h"
#include "ir/text_scanner.h"
#include "ir/verifier.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <map>

namespace apr {

namespace {

constexpr int kMaximumRegionDepth = 16;

template <typename T> bool appendNumber(std::string_view text, std::vector<std::byte> &out) {
  T value{};
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size())
    return false;
  auto raw = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), raw.begin(), raw.end());
  return true;
}

/// Decimal, inf, nan (the canonical one) or the bits as 0x….
template <typename Float, typename Bits>
bool appendFloat(std::string_view text, Bits canonicalNaN, std::vector<std::byte> &out) {
  Bits bits = canonicalNaN;
  if (text.substr(0, 2) == "0x") {
    auto [end, status] = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
    if (status != std::errc() || end != text.data() + text.size())
      return false;
  } else if (text != "nan") {
    return appendNumber<Float>(text, out);
  }
  auto raw = std::as_bytes(std::span(&bits, 1));
  out.insert(out.end(), raw.begin(), raw.end());
  return true;
}

/// As a float is written; decimals round to the nearest bf16.
bool appendBfloat(std::string_view text, std::vector<std::byte> &out) {
  std::vector<std::byte> bytes;
  if (text.substr(0, 2) == "0x" || text == "nan")
    return appendFloat<double>(text, kBfloatNaN, out);
  if (!appendNumber<double>(text, bytes))
    return false;
  double value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  const uint16_t bits = roundToBfloat(value);
  auto raw = std::as_bytes(std::span(&bits, 1));
  out.insert(out.end(), raw.begin(), raw.end());
  return true;
}

bool appendElement(DType dtype, std::string_view text, std::vector<std::byte> &out) {
  switch (dtype) {
  case DType::F32:
    return appendFloat<float>(text, uint32_t(0x7fc00000), out);
  case DType::F64:
    return appendFloat<double>(text, uint64_t(0x7ff8000000000000), out);
  case DType::I32:
    return appendNumber<int32_t>(text, out);
  case DType::I64:
    return appendNumber<int64_t>(text, out);
  case DType::Bool:
    out.push_back(text == "true" ? std::byte{1} : std::byte{0});
    return text == "true" || text == "false";
  case DType::U8:
    return appendNumber<uint8_t>(text, out);
  case DType::BF16:
    return appendBfloat(text, out);
  }
  return false;
}

/// Recursive descent over the grammar of docs/ir.md. Stops at the first syntax error of a function;
/// type errors of ops are all reported.
class ModuleParser {
public:
  ModuleParser(SourceManager &sources, FileId file, Diagnostics &diagnostics)
      : text_(sources.text(file)), sources_(sources), diagnostics_(diagnostics),
        scan_(text_, file, diagnostics) {}

  std::optional<Module> parse() {
    std::string doc = docBefore();
    if (!scan_.takeWord("module"))
      return scan_.fail("expected 'module NAME' at the start");
    auto name = scan_.name("a module name");
    if (!name)
      return std::nullopt;
    module_.name = *name;
    module_.doc = doc;
    while (!scan_.atEnd())
      if (!item())
        return std::nullopt;
    return diagnostics_.hasErrors() ? std::nullopt : std::optional(std::move(module_));
  }

private:
  using Names = std::map<std::string, ValueId>;

  std::string docBefore() {
    if (!scan_.takeWord("doc"))
      return {};
    return scan_.string().value_or("");
  }

  bool item() {
    Location location = scan_.here();
    std::string doc = docBefore();
    if (scan_.takeWord("state"))
      return state(location);
    if (scan_.takeWord("hyper"))
      return hyper(location);
    if (scan_.takeWord("train")) {
      auto name = scan_.name("a train block's name");
      if (name)
        module_.trainBlocks.push_back(*name);
      return name.has_value();
    }
    if (scan_.takeWord("func"))
      return function(std::move(doc));
    scan_.fail("expected 'state', 'hyper', 'train' or 'func'");
    return false;
  }

  bool state(Location location) {
    StateTensor tensor;
    auto name = scan_.name("a state tensor's name");
    if (!name || !scan_.expect(":"))
      return false;
    auto type = scan_.type();
    if (!type)
      return false;
    auto role = scan_.name("'parameter', 'buffer', 'optimizer' or 'counter'");
    if (!role)
      return false;
    auto known = findWord<StateRole>(kStateRoleWords, *role);
    if (!known) {
      scan_.fail("expected 'parameter', 'buffer', 'optimizer' or 'counter' before this");
      return false;
    }
    std::string doc = docBefore();
    module_.state.push_back({*name, *type, *known, doc, location});
    return true;
  }

  bool hyper(Location location) {
    auto name = scan_.name("a hyperparameter's name");
    if (!name || !scan_.expect(":"))
      return false;
    auto type = scan_.type();
    if (!type || !scan_.expect("="))
      return false;
    auto value = literal(type->dtype);
    if (!value || value->count() != 1) {
      scan_.fail("expected one default value before this");
      return false;
    }
    std::string doc = docBefore();
    module_.hypers.push_back({*name, type->dtype, value->asDouble(0), doc, location});
    return true;
  }

  bool function(std::string doc) {
    Function f;
    f.doc = std::move(doc);
    f.location = scan_.here();
    if (!scan_.expect("@"))
      return false;
    auto name = scan_.name("a function name");
    if (!name)
      return false;
    f.name = *name;
    Names names;
    if (!functionKind(f) || !functionShards(f) || !functionDims(f) || !arguments(f, names) ||
        !scan_.expect("{"))
      return false;
    location(f.location);
    if (f.dims.empty())
      collectDims(f);
    if (!header(f) || !ops(f.graph, names, 0) || !results(f, names))
      return false;
    module_.functions.push_back(std::move(f));
    return scan_.expect("}");
  }

  bool functionKind(Function &f) {
    if (!scan_.takeWord("as"))
      return true;
    auto word = scan_.name("a function kind");
    auto kind = word ? findWord<FunctionKind>(kFunctionKindWords, *word) : std::nullopt;
    if (!kind) {
      scan_.fail("expected 'entry', 'init', 'step', 'grad', 'apply' or 'eval' before this");
      return false;
    }
    f.kind = *kind;
    // Of an init, the parenthesis opens the arguments.
    if (f.kind == FunctionKind::Init || !scan_.take("("))
      return true;
    auto block = scan_.name("a train block's name");
    if (block)
      f.trainBlock = *block;
    return block && scan_.expect(")");
  }

  bool functionShards(Function &f) {
    if (!scan_.takeWord("shards"))
      return true;
    auto count = scan_.expect("(") ? scan_.integer() : std::nullopt;
    if (!count)
      return false;
    f.shards = Shards{*count, {}};
    if (scan_.take(",")) {
      auto rows = scan_.name("a dim variable");
      if (!rows)
        return false;
      f.shards->rows = *rows;
    }
    return scan_.expect(")");
  }

  bool functionDims(Function &f) {
    if (!scan_.takeWord("dims"))
      return true;
    if (!scan_.expect("("))
      return false;
    do {
      auto dim = scan_.name("a dim variable");
      if (!dim)
        return false;
      f.dims.push_back(*dim);
    } while (scan_.take(","));
    return scan_.expect(")");
  }

  /// Text written by hand may leave dims(...) out: then variables come in order of appearance.
  void collectDims(Function &f) {
    for (ValueId argument : f.graph.arguments())
      for (const Dim &dim : f.graph.type(argument).shape) {
        std::set<std::string> variables;
        dim.collectVariables(variables);
        for (const std::string &variable : variables)
          if (std::find(f.dims.begin(), f.dims.end(), variable) == f.dims.end())
            f.dims.push_back(variable);
      }
  }

  bool arguments(Function &f, Names &names) {
    bool any = false;
    while (true) {
      ArgumentRole role = ArgumentRole::Input;
      for (size_t i = 1; i < kArgumentRoleWords.size(); ++i)
        if (scan_.takeWord(kArgumentRoleWords[i]))
          role = static_cast<ArgumentRole>(i);
      if (!scan_.take("("))
        return any || (scan_.fail("expected the arguments in parentheses"), false);
      any = true;
      if (scan_.take(")"))
        continue;
      do {
        auto declared = declaration();
        if (!declared)
          return false;
        Argument argument{role, declared->name.base, std::nullopt};
        if (scan_.takeWord("below")) {
          argument.indexLimit = scan_.dim();
          if (!argument.indexLimit)
            return false;
        }
        ValueId id =
            f.graph.addArgument(declared->type, declared->name.base, declared->name.location);
        f.graph.value(id).buffer = declared->buffer;
        f.arguments.push_back(argument);
        define(names, declared->name, id);
      } while (scan_.take(","));
      if (!scan_.expect(")"))
        return false;
    }
  }

  bool header(Function &f) {
    if (scan_.takeWord("workspace")) {
      f.workspaceBytes = scan_.dim();
      if (!f.workspaceBytes)
        return false;
    }
    while (scan_.takeWord("check")) {
      DimCheck check;
      check.location = scan_.here();
      auto value = scan_.dim("=>");
      if (!value)
        return false;
      check.value = *value;
      check.kind = scan_.take("==") ? DimCheck::Kind::Zero : DimCheck::Kind::NonNegative;
      if (check.kind == DimCheck::Kind::NonNegative && !scan_.expect(">="))
        return false;
      if (!scan_.expect("0"))
        return false;
      auto message = scan_.string();
      if (!message)
        return false;
      check.message = *message;
      location(check.location);
      f.checks.push_back(check);
    }
    return true;
  }

  struct Declaration {
    TextScanner::ValueName name;
    Type type;
    std::optional<BufferSlot> buffer;
  };

  std::optional<Declaration> declaration() {
    auto name = scan_.valueName();
    if (!name || !scan_.expect(":"))
      return std::nullopt;
    auto type = scan_.type();
    if (!type)
      return std::nullopt;
    Declaration result{*name, *type, std::nullopt};
    if (scan_.takeWord("in") && !buffer(result.buffer))
      return std::nullopt;
    return result;
  }

  bool buffer(std::optional<BufferSlot> &slot) {
    for (size_t i = 0; i < kBufferSpaceWords.size() && !slot; ++i)
      if (scan_.takeWord(kBufferSpaceWords[i]))
        slot = BufferSlot{static_cast<BufferSpace>(i), 0, {}};
    if (!slot) {
      scan_.fail("expected a buffer space such as workspace");
      return false;
    }
    if (scan_.take("#")) {
      auto index = scan_.integer();
      if (!index || *index < 0 || *index > 0xffff)
        return false;
      slot->index = static_cast<uint32_t>(*index);
    }
    if (!scan_.expect("("))
      return false;
    auto offset = scan_.dim();
    if (offset)
      slot->offset = *offset;
    return offset && scan_.expect(")");
  }

  void define(Names &names, const TextScanner::ValueName &name, ValueId id) {
    if (!names.emplace(name.key, id).second)
      diagnostics_.report(DiagnosticKind::IrRedefinedValue, name.location,
                          "this value is defined already");
  }

  std::optional<ValueId> use(const Names &names) {
    auto name = scan_.valueName();
    if (!name)
      return std::nullopt;
    auto found = names.find(name->key);
    if (found != names.end())
      return found->second;
    Diagnostic &error = diagnostics_.report(DiagnosticKind::IrUnknownValue, name->location,
                                            "no argument or earlier operation defines this value");
    std::vector<std::string> candidates;
    for (const auto &[key, id] : names)
      if (key[0] == 'n')
        candidates.push_back(key.substr(1));
    if (auto close = closestName(name->base, candidates))
      error.withHint(fmt::format("did you mean %{}?", *close));
    return std::nullopt;
  }

  bool ops(Graph &graph, Names &names, int depth) {
    while (scan_.nextIsValue())
      if (!op(graph, names, depth))
        return false;
    return true;
  }

  bool op(Graph &graph, Names &names, int depth) {
    std::vector<Declaration> declared;
    Location where = scan_.here();
    do {
      auto next = declaration();
      if (!next)
        return false;
      declared.push_back(*next);
    } while (scan_.take(","));
    if (!scan_.expect("="))
      return false;
    Location mnemonicAt = scan_.here();
    auto mnemonic = scan_.name("an operation");
    if (!mnemonic)
      return false;
    auto kind = findOp(*mnemonic);
    if (!kind) {
      unknownOp(*mnemonic, mnemonicAt);
      return false;
    }
    std::vector<ValueId> operands;
    while (scan_.nextIsValue()) {
      auto operand = use(names);
      if (!operand)
        return false;
      operands.push_back(*operand);
      if (!scan_.take(","))
        break;
    }
    Attributes attributes;
    if (!attributeList(*kind, declared[0].type.dtype, attributes))
      return false;
    std::shared_ptr<const Graph> inner;
    if (scan_.takeWord("region") && !(inner = region(depth + 1)))
      return false;
    where.length = static_cast<uint32_t>(mnemonic->size());
    location(where);
    return addOp(graph, names, *kind, std::move(operands), std::move(attributes), declared, where,
                 mnemonicAt, std::move(inner));
  }

  bool addOp(Graph &graph, Names &names, OpKind kind, std::vector<ValueId> operands,
             Attributes attributes, const std::vector<Declaration> &declared, Location where,
             Location mnemonicAt, std::shared_ptr<const Graph> inner) {
    std::vector<Type> operandTypes, types;
    for (ValueId operand : operands)
      operandTypes.push_back(graph.type(operand));
    for (const Declaration &d : declared)
      types.push_back(d.type);
    auto inferred = inferTypes(kind, operandTypes, attributes, types, inner.get());
    if (!inferred)
      diagnostics_.report(DiagnosticKind::IrInvalid, mnemonicAt,
                          fmt::format("'{}': {}", opInfo(kind).mnemonic, inferred.error()));
    else if (*inferred != types)
      reportTypes(kind, *inferred, types, mnemonicAt);
    size_t index = graph.addOp(kind, std::move(operands), std::move(attributes), std::move(types),
                               where, std::move(inner));
    for (size_t i = 0; i < declared.size(); ++i) {
      ValueId id = graph.ops()[index].results[i];
      graph.value(id).name = declared[i].name.base;
      graph.value(id).buffer = declared[i].buffer;
      define(names, declared[i].name, id);
    }
    return true;
  }

  void reportTypes(OpKind kind, const std::vector<Type> &inferred, const std::vector<Type> &types,
                   Location where) {
    auto list = [](const std::vector<Type> &all) {
      std::string text;
      for (const Type &type : all)
        text += (text.empty() ? "" : ", ") + str(type);
      return text;
    };
    diagnostics_.report(DiagnosticKind::IrInvalid, where,
                        fmt::format("'{}' gives {}, but {} is declared", opInfo(kind).mnemonic,
                                    list(inferred), list(types)));
  }

  void unknownOp(const std::string &mnemonic, Location where) {
    where.length = static_cast<uint32_t>(mnemonic.size());
    Diagnostic &error = diagnostics_.report(DiagnosticKind::IrUnknownOp, where,
                                            fmt::format("there is no operation '{}'", mnemonic));
    std::vector<std::string> candidates;
    for (OpKind kind : allOps())
      candidates.emplace_back(opInfo(kind).mnemonic);
    if (auto close = closestName(mnemonic, candidates))
      error.withHint(fmt::format("did you mean '{}'?", *close));
  }

  std::shared_ptr<const Graph> region(int depth) {
    if (depth > kMaximumRegionDepth) {
      scan_.fail("regions are nested too deeply");
      return nullptr;
    }
    auto graph = std::make_shared<Graph>();
    Names names;
    if (!scan_.expect("("))
      return nullptr;
    if (!scan_.take(")")) {
      do {
        auto declared = declaration();
        if (!declared)
          return nullptr;
        define(names, declared->name,
               graph->addArgument(declared->type, declared->name.base, declared->name.location));
      } while (scan_.take(","));
      if (!scan_.expect(")"))
        return nullptr;
    }
    if (!scan_.expect("{") || !ops(*graph, names, depth) || !scan_.takeWord("yield")) {
      scan_.fail("expected operations and 'yield' in the region");
      return nullptr;
    }
    do {
      auto result = use(names);
      if (!result)
        return nullptr;
      graph->results.push_back(*result);
    } while (scan_.take(","));
    return scan_.expect("}") ? graph : nullptr;
  }

  bool attributeList(OpKind kind, DType resultDType, Attributes &attributes) {
    if (!scan_.take("{"))
      return true;
    do {
      Location where = scan_.here();
      auto name = scan_.name("an attribute");
      if (!name || !scan_.expect("="))
        return false;
      auto key = findAttribute(*name);
      bool allowed =
          key && std::any_of(opInfo(kind).attributes.begin(), opInfo(kind).attributes.end(),
                             [&](const AttributeUse &use) { return use.key == *key; });
      if (!allowed || attributes.has(*key)) {
        diagnostics_.report(DiagnosticKind::IrUnknownAttribute, where,
                            fmt::format("'{}' has no attribute '{}', or has it already",
                                        opInfo(kind).mnemonic, *name));
        return false;
      }
      auto value = attributeValue(*key, resultDType);
      if (!value)
        return false;
      attributes.set(*key, std::move(*value));
    } while (scan_.take(","));
    return scan_.expect("}");
  }

  std::optional<AttrValue> attributeValue(AttrKey key, DType resultDType) {
    switch (attributeType(key)) {
    case 0: {
      auto value = scan_.integer();
      return value ? std::optional<AttrValue>(*value) : std::nullopt;
    }
    case 1: {
      auto value = scan_.string();
      return value ? std::optional<AttrValue>(std::move(*value)) : std::nullopt;
    }
    case 2:
      return list<int64_t>([&] { return scan_.integer(); });
    case 3:
      return list<Dim>([&] { return scan_.dim(); });
    case 4: {
      auto value = scan_.order();
      return value ? std::optional<AttrValue>(std::move(*value)) : std::nullopt;
    }
    default: {
      auto value = literal(resultDType);
      return value ? std::optional<AttrValue>(std::move(*value)) : std::nullopt;
    }
    }
  }

  template <typename T, typename Next> std::optional<AttrValue> list(Next next) {
    std::vector<T> values;
    if (!scan_.expect("["))
      return std::nullopt;
    if (scan_.take("]"))
      return values;
    do {
      auto value = next();
      if (!value)
        return std::nullopt;
      values.push_back(*value);
    } while (scan_.take(","));
    return scan_.expect("]") ? std::optional<AttrValue>(std::move(values)) : std::nullopt;
  }

  std::optional<Literal> literal(DType dtype) {
    Literal result{dtype, {}};
    auto element = [&] {
      Location where = scan_.here();
      std::string_view text = scan_.numberText();
      if (appendElement(dtype, text, result.bytes))
        return true;
      where.length = std::max<uint32_t>(1, static_cast<uint32_t>(text.size()));
      diagnostics_.report(DiagnosticKind::IrSyntax, where,
                          fmt::format("'{}' is no {}", text, name(dtype)));
      return false;
    };
    if (!scan_.take("["))
      return element() ? std::optional(result) : std::nullopt;
    if (scan_.take("]"))
      return result;
    do {
      if (!element())
        return std::nullopt;
    } while (scan_.take(","));
    return scan_.expect("]") ? std::optional(result) : std::nullopt;
  }

  /// An optional loc("file":line:column:length) mark replaces the place in the text.
  void location(Location &where) {
    if (!scan_.takeWord("loc") || !scan_.expect("("))
      return;
    auto file = scan_.string();
    int64_t numbers[3] = {0, 0, 0};
    for (int64_t &number : numbers) {
      auto value = file && scan_.expect(":") ? scan_.integer() : std::nullopt;
      if (!value)
        return;
      number = std::clamp<int64_t>(*value, 0, 0x7fffffff);
    }
    scan_.expect(")");
    where = {fileNamed(*file), static_cast<uint32_t>(numbers[0]), static_cast<uint32_t>(numbers[1]),
             static_cast<uint32_t>(numbers[2])};
  }

  FileId fileNamed(const std::string &name) {
    for (FileId file = 0; file < sources_.fileCount(); ++file)
      if (sources_.name(file) == name)
        return file;
    return sources_.add(name, "");
  }

  bool results(Function &f, const Names &names) {
    while (true) {
      std::optional<ResultRole> role;
      for (size_t i = 0; i < kResultRoleWords.size() && !role; ++i)
        if (scan_.takeWord(kResultRoleWords[i]))
          role = static_cast<ResultRole>(i);
      if (!role)
        return true;
      do {
        auto name = scan_.name("a result name");
        if (!name)
          return false;
        FunctionResult result{*role, *name, ResultKind::Tensor};
        if (scan_.take(":")) {
          auto word = scan_.name("'tensor', 'scalar', 'rows', 'sum' or 'ratio'");
          auto kind = word ? findWord<ResultKind>(kResultKindWords, *word) : std::nullopt;
          if (!kind) {
            scan_.fail("expected 'tensor', 'scalar', 'rows', 'sum' or 'ratio' before this");
            return false;
          }
          result.kind = *kind;
        }
        auto value = scan_.expect("=") ? use(names) : std::nullopt;
        if (!value)
          return false;
        f.results.push_back(result);
        f.graph.results.push_back(*value);
      } while (scan_.take(","));
    }
  }

  std::string text_; ///< a copy: adding files to `sources_` may move the original
  SourceManager &sources_;
  Diagnostics &diagnostics_;
  TextScanner scan_;
  Module module_;
};

} // namespace

std::optional<Module> parseModule(SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  FloatEnvironment environment;
  auto module = ModuleParser(sources, file, diagnostics).parse();
  if (!module || !verify(*module, diagnostics))
    return std::nullopt;
  return module;
}

} // namespace apr
