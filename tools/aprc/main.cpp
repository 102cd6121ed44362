// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a model to an object file, a C header and a manifest.
#include "tools/aprc/driver.h"
#include "tools/aprc/files.h"
#include "tools/aprc/help.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <new>
#include <unistd.h>

namespace {

using namespace apr;

/// Writes what is needed to see an internal error again; returns the file's name.
std::string leaveReproducer(const std::vector<std::string> &arguments, std::string_view what) {
  std::string command;
  std::string input;
  for (const std::string &argument : arguments) {
    command += " '" + argument + "'";
    std::error_code error;
    if (input.empty() && std::filesystem::is_regular_file(argument, error))
      input = argument;
  }
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("aprc-reproducer-{}.txt", ::getpid());
  std::ofstream file(path, std::ios::binary);
  file << aprc::versionText() << "command: aprc" << command << "\nerror: " << what << "\n";
  if (!input.empty())
    file << "\n---- " << input << " ----\n" << aprc::readFile(input);
  return path.string();
}

int reportInternalError(const std::vector<std::string> &arguments, std::string_view what) {
  fmt::print(stderr, "aprc: internal error: {}\n", what);
  try {
    fmt::print(stderr, "This is a bug of aprc. What is needed to see it again is in {}\n",
               leaveReproducer(arguments, what));
  } catch (const std::exception &) {
    fmt::print(stderr, "This is a bug of aprc; please report it with the model.\n");
  }
  return aprc::kInternal;
}

} // namespace

int main(int argc, char **argv) {
  std::vector<std::string> arguments;
  try {
    arguments = aprc::expandResponseFiles(argc, argv);
    auto parsed = aprc::parseOptions(arguments);
    if (const auto *answer = std::get_if<aprc::Answer>(&parsed)) {
      fmt::print("{}", answer->text);
      return aprc::kOk;
    }
    return aprc::compile(std::get<aprc::Options>(std::move(parsed)));
  } catch (const aprc::UsageError &error) {
    fmt::print(stderr, "aprc: error: {}\n", error.what());
    return aprc::kUsage;
  } catch (const aprc::FileError &error) {
    fmt::print(stderr, "aprc: error: {}\n", error.what());
    return aprc::kFile;
  } catch (const std::bad_alloc &) {
    fmt::print(stderr, "aprc: error: out of memory\n");
    return aprc::kFile;
  } catch (const std::exception &error) {
    return reportInternalError(arguments, error.what());
  }
}
