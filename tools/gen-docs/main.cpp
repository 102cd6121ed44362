// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/op.h"
#include "tools/gen-docs/library.h"
#include "tools/gen-docs/passes.h"

#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <sstream>

namespace apr {
namespace {

/// A part of docs/ops.md: its text is docs/ops/<name>.md.
enum class Section : uint8_t {
  Unary,
  Binary,
  Compare,
  Convert,
  Reduce,
  Contract,
  Movement,
  Indexing,
  Source,
  Random,
  Structure
};
constexpr std::string_view kSectionNames[] = {"unary",  "binary",   "compare",  "convert",
                                              "reduce", "contract", "movement", "indexing",
                                              "source", "random",   "structure"};

Section sectionOf(OpFamily family) {
  switch (family) {
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
    return Section::Unary;
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
    return Section::Binary;
  case OpFamily::Compare:
  case OpFamily::Ternary:
  case OpFamily::Select:
    return Section::Compare;
  case OpFamily::Convert:
  case OpFamily::Bitcast:
    return Section::Convert;
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
  case OpFamily::Cumulative:
  case OpFamily::Sort:
    return Section::Reduce;
  case OpFamily::Contract:
  case OpFamily::Conv:
    return Section::Contract;
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Pad:
  case OpFamily::Concat:
  case OpFamily::Reverse:
  case OpFamily::Window:
    return Section::Movement;
  case OpFamily::Gather:
  case OpFamily::Scatter:
  case OpFamily::Pick:
  case OpFamily::OneHot:
    return Section::Indexing;
  case OpFamily::Constant:
  case OpFamily::Iota:
    return Section::Source;
  case OpFamily::Random:
    return Section::Random;
  case OpFamily::Gradient:
  case OpFamily::Scan:
  case OpFamily::WithGradient:
  case OpFamily::Kernel:
    return Section::Structure;
  }
  return Section::Structure;
}

/// Empty where the file cannot be read, which no section is.
std::string contentOf(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream content;
  content << stream.rdbuf();
  return content.str();
}

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text)
    result += c == '|' ? "\\|" : std::string(1, c);
  return result;
}

std::string tableOf(Section section) {
  std::string rows;
  for (OpKind kind : allOps()) {
    const OpInfo &info = opInfo(kind);
    if (sectionOf(info.family) != section)
      continue;
    std::string attributes;
    for (const AttributeUse &use : info.attributes)
      attributes += fmt::format("{}`{}`{}", attributes.empty() ? "" : ", ", attributeName(use.key),
                                use.required ? "" : "?");
    auto arity = fixedArity(info.family);
    rows += fmt::format("| `{}` | {} | {} | {} |\n", info.mnemonic,
                        arity ? std::to_string(*arity) : "any", attributes, escaped(info.summary));
  }
  return "| operation | operands | attributes (`?` optional) | gives |\n|---|---|---|---|\n" + rows;
}

std::string document(const std::string &folder) {
  std::string text = contentOf(folder + "/intro.md");
  for (size_t i = 0; i < std::size(kSectionNames); ++i) {
    std::string section = contentOf(fmt::format("{}/{}.md", folder, kSectionNames[i]));
    // The table comes right after the heading.
    size_t heading = section.find('\n') + 1;
    text += "\n" + section.substr(0, heading) + "\n" + tableOf(static_cast<Section>(i)) +
            section.substr(heading);
  }
  return text;
}

} // namespace
} // namespace apr

int main(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto takeFlag = [&](std::string_view flag) {
    bool isGiven = !arguments.empty() && arguments[0] == flag;
    if (isGiven)
      arguments.erase(arguments.begin());
    return isGiven;
  };
  bool isCheck = takeFlag("--check");
  bool isLibrary = takeFlag("--library");
  bool isPasses = takeFlag("--passes");
  if (arguments.size() != 2) {
    std::cerr << "usage: apr-gen-docs [--check] SECTIONS-FOLDER OUTPUT.md\n"
                 "       apr-gen-docs [--check] --library INTRODUCTION.md OUTPUT.md\n"
                 "       apr-gen-docs [--check] --passes PAGE.md OUTPUT.md\n";
    return 2;
  }
  std::string text = isPasses    ? apr::withPassTable(apr::contentOf(arguments[0]))
                     : isLibrary ? apr::libraryDocument(apr::contentOf(arguments[0]))
                                 : apr::document(arguments[0]);
  if (!isCheck) {
    std::ofstream output(arguments[1], std::ios::binary);
    return output << text ? 0 : 3;
  }
  if (apr::contentOf(arguments[1]) == text)
    return 0;
  std::cerr << arguments[1] << " is not what "
            << (isPasses    ? "passes.def"
                : isLibrary ? "the comments of the library"
                            : "ops.def")
            << " and " << arguments[0] << " give: build the target update-docs\n";
  return 1;
}
