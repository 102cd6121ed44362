// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/against.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

[[noreturn]] void fail(const std::string &message) {
  throw Error(ErrorKind::Usage, {"--against"}, message);
}

bool takePrefix(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

void checkCpu(const ModelRequest &request) {
  if (request.cpu.empty())
    fail("expected a CPU level after cpu=, such as x86-64-v2, found nothing");
  try {
    targetOptions(request);
  } catch (const Error &error) {
    fail(std::string(error.message()));
  }
}

void checkFile(const std::string &path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    fail(fmt::format("cannot read {}: there is no such file", train::inQuotes(path)));
}

} // namespace

Against parseAgainst(const Session &session, const CommandLine &line, const std::string &word) {
  Against against{Against::Kind::Compiled, word, {}};
  against.request = requestOf(session, line);
  if (word == "interpreter") {
    against.kind = Against::Kind::Interpreter;
    against.name = "the interpreter";
    return against;
  }
  std::string_view rest = word;
  takePrefix(rest, "--");
  if (takePrefix(rest, "cpu=")) {
    against.request.cpu = rest;
    against.name = rest;
    checkCpu(against.request);
  } else if (takePrefix(rest, "optimize=")) {
    if (rest.size() != 1 || rest[0] < '0' || rest[0] > '3')
      fail(fmt::format("expected a level from 0 to 3, found {}", train::inQuotes(rest)));
    against.request.optimize = rest;
    against.name = fmt::format("-O{}", rest);
  } else if (word.ends_with(".o")) {
    checkFile(word);
    against.kind = Against::Kind::Object;
    against.request = {word, {}, "native", ""};
  } else if (word.ends_with(".apr") || word.ends_with(".apir")) {
    checkFile(word);
    against.request.path = word;
  } else {
    fail(fmt::format("expected interpreter, cpu=LEVEL, optimize=LEVEL, an object (.o) or a "
                     "model (.apr), found {}",
                     train::inQuotes(word)));
  }
  return against;
}

} // namespace apr::aprun
