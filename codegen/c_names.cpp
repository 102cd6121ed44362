// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/c_names.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace apr {
namespace {

// C11 and C++23, then the names that the generated header itself uses or that compilers and the
// standard headers beside it define as macros; a model's names may be any of them.
constexpr std::string_view kKeywords[] = {
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    "NULL",
    "assert",
    "errno",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "intptr_t",
    "linux",
    "offsetof",
    "ptrdiff_t",
    "size_t",
    "stderr",
    "stdin",
    "stdout",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    "uintptr_t",
    "unix",
};

bool isUpper(char c) { return std::isupper(static_cast<unsigned char>(c)); }
bool isLower(char c) { return std::islower(static_cast<unsigned char>(c)); }
char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

} // namespace

std::string symbolPrefix(std::string_view modelName) {
  std::string snake;
  for (size_t i = 0; i < modelName.size(); ++i) {
    const char c = modelName[i];
    // A word starts at an upper-case letter after a lower-case one, or before one: "LeNet",
    // "MLPNet".
    const bool startsWord =
        isUpper(c) && i > 0 && modelName[i - 1] != '_' &&
        (!isUpper(modelName[i - 1]) || (i + 1 < modelName.size() && isLower(modelName[i + 1])));
    if (startsWord)
      snake += '_';
    snake += lower(c);
  }
  return cIdentifier(snake.empty() ? "model" : snake);
}

std::string trainBlockInfix(std::string_view trainBlock) {
  return trainBlock == "step" ? std::string() : "_" + cIdentifier(trainBlock);
}

std::string functionSymbol(std::string_view prefix, const Function &function) {
  std::string symbol(prefix);
  const std::string infix = trainBlockInfix(function.trainBlock);
  switch (function.kind) {
  case FunctionKind::Init:
    return symbol + "_init";
  case FunctionKind::Step:
    return symbol + (infix.empty() ? "_step" : infix);
  case FunctionKind::Grad:
    return symbol + infix + "_grad";
  case FunctionKind::Apply:
    return symbol + infix + "_apply";
  case FunctionKind::Eval:
    return symbol + infix + "_eval";
  case FunctionKind::Entry:
    break;
  }
  return symbol + "_" + cIdentifier(function.name);
}

std::string cIdentifier(std::string_view name) {
  std::string identifier;
  for (char c : name)
    identifier += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (identifier.empty() || std::isdigit(static_cast<unsigned char>(identifier[0])))
    identifier.insert(identifier.begin(), '_');
  if (std::ranges::find(kKeywords, identifier) != std::end(kKeywords))
    identifier += '_';
  return identifier;
}

std::string macroName(std::string_view symbol) {
  std::string macro;
  for (char c : symbol)
    macro += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return macro;
}

std::string UniqueNames::claim(std::string_view name) {
  std::string candidate = cIdentifier(name);
  while (!taken_.insert(candidate).second)
    candidate += '_';
  return candidate;
}

std::string_view cTypeName(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return "float";
  case DType::F64:
    return "double";
  case DType::I32:
    return "int32_t";
  case DType::I64:
    return "int64_t";
  case DType::Bool:
  case DType::U8:
    return "uint8_t";
  case DType::BF16:
    return "uint16_t";
  }
  return "void";
}

} // namespace apr
