// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-run/run_directive.h"

#include "tools/ir_runs/random_arguments.h"
#include "tools/ir_runs/tensor_text.h"

#include <charconv>
#include <fmt/format.h>

namespace apr::run {

namespace {

constexpr std::string_view kMarker = "// run:";
constexpr std::string_view kContinuation = "//     ";

struct DirectiveText {
  uint32_t line;
  std::string text;
};

std::vector<DirectiveText> findDirectives(std::string_view text) {
  std::vector<DirectiveText> found;
  uint32_t number = 0;
  bool isOpen = false;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.substr(0, kMarker.size()) == kMarker) {
      found.push_back({number, std::string(line.substr(kMarker.size()))});
      isOpen = true;
    } else if (isOpen && line.substr(0, kContinuation.size()) == kContinuation) {
      found.back().text += line.substr(kContinuation.size() - 1);
    } else {
      isOpen = false;
    }
  }
  return found;
}

class DirectiveParser {
public:
  DirectiveParser(const Module &module, std::string_view text) : module_(module), cursor_(text) {}

  Result<RunDirective> parse() {
    if (auto error = header())
      return *error;
    if (auto error = arguments())
      return *error;
    if (auto error = results())
      return *error;
    if (!cursor_.atEnd())
      return Error{fmt::format("expected the end of the run, found '{}'", cursor_.rest())};
    return std::move(run_);
  }

private:
  std::optional<Error> header() {
    if (!cursor_.take("@"))
      return Error{"expected @ and a function"};
    std::string_view name = cursor_.name();
    run_.function = module_.findFunction(name);
    if (!run_.function)
      return Error{fmt::format("there is no function @{}", name)};
    if (!cursor_.takeWord("dims"))
      return std::nullopt;
    if (!cursor_.take("("))
      return Error{"expected dims(NAME=SIZE, …)"};
    do {
      std::string dim(cursor_.name());
      int64_t size = 0;
      if (!cursor_.take("="))
        return Error{"expected = after a dim"};
      std::string_view text = cursor_.number();
      if (std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc())
        return Error{fmt::format("'{}' is no size", text)};
      run_.dims[dim] = size;
    } while (cursor_.take(","));
    return cursor_.take(")") ? std::nullopt : std::optional(Error{"expected ) after the dims"});
  }

  Result<Tensor> value(const Type &type) {
    auto shape = bindShape(type, run_.dims);
    if (!shape)
      return Error{shape.error()};
    return parseValue(cursor_, type.dtype, *shape);
  }

  std::optional<Error> arguments() {
    const Function &f = *run_.function;
    std::vector<std::optional<Tensor>> given(f.arguments.size());
    if (!cursor_.take("("))
      return Error{"expected ( and the arguments"};
    if (!cursor_.take(")")) {
      do {
        std::string name(cursor_.name());
        size_t i = 0;
        while (i < given.size() && f.arguments[i].name != name)
          ++i;
        if (i == given.size())
          return Error{fmt::format("@{} has no argument {}", f.name, name)};
        if (!cursor_.take("="))
          return Error{fmt::format("expected = after {}", name)};
        auto tensor = value(f.graph.type(f.graph.arguments()[i]));
        if (!tensor)
          return Error{fmt::format("{}: {}", name, tensor.error())};
        given[i] = std::move(*tensor);
      } while (cursor_.take(","));
      if (!cursor_.take(")"))
        return Error{fmt::format("expected , or ) before '{}'", cursor_.rest())};
    }
    for (size_t i = 0; i < given.size(); ++i) {
      if (!given[i])
        given[i] = defaultValue(f.arguments[i]);
      if (!given[i])
        return Error{fmt::format("the argument {} is missing", f.arguments[i].name)};
      run_.arguments.push_back(std::move(*given[i]));
    }
    return std::nullopt;
  }

  std::optional<Tensor> defaultValue(const Argument &argument) {
    if (argument.role == ArgumentRole::Exec)
      return Tensor::zeros(DType::I64, {});
    const Hyperparameter *hyper = module_.findHyper(argument.name);
    if (argument.role != ArgumentRole::Hyper || !hyper)
      return std::nullopt;
    return Tensor{hyper->dtype, {}, Literal::splat(hyper->dtype, hyper->defaultValue).bytes};
  }

  std::optional<Error> results() {
    if (!cursor_.take("->"))
      return Error{fmt::format("expected -> and the results before '{}'", cursor_.rest())};
    const Function &f = *run_.function;
    run_.expected.resize(f.results.size());
    run_.mayRound.resize(f.results.size());
    if (cursor_.takeWord("error")) {
      run_.expectedError = cursor_.name();
      return std::nullopt;
    }
    std::vector<bool> isNamed(f.results.size());
    while (true) {
      std::string name(cursor_.name());
      size_t i = 0;
      while (i < f.results.size() && (f.results[i].name != name || isNamed[i]))
        ++i;
      if (i == f.results.size())
        return Error{fmt::format("@{} has no result '{}'", f.name, name)};
      isNamed[i] = true;
      run_.mayRound[i] = cursor_.take("~");
      if (!run_.mayRound[i] && !cursor_.take("="))
        return Error{fmt::format("expected = or ~ after {}", name)};
      if (!cursor_.takeWord("any")) {
        auto tensor = value(f.graph.type(f.graph.results[i]));
        if (!tensor)
          return Error{fmt::format("{}: {}", name, tensor.error())};
        run_.expected[i] = std::move(*tensor);
      }
      if (!cursor_.take(","))
        break;
    }
    for (size_t i = 0; i < isNamed.size(); ++i)
      if (!isNamed[i])
        return Error{
            fmt::format("the result {} is missing; '= any' leaves it open", f.results[i].name)};
    return std::nullopt;
  }

  const Module &module_;
  Cursor cursor_;
  RunDirective run_;
};

} // namespace

Result<std::vector<RunDirective>> parseRunDirectives(const Module &module, std::string_view text) {
  std::vector<RunDirective> runs;
  for (const DirectiveText &directive : findDirectives(text)) {
    auto run = DirectiveParser(module, directive.text).parse();
    if (!run)
      return Error{fmt::format("line {}: {}", directive.line, run.error())};
    run->line = directive.line;
    runs.push_back(std::move(*run));
  }
  return runs;
}

} // namespace apr::run
