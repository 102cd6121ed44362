// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The programs of docs/language.md and of docs/examples compile.
#include "test/unit/frontend/compile.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace apr::testing {
namespace {

std::string readText(const std::filesystem::path &path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(LanguageDocTest, EveryProgramOfTheReferenceCompiles) {
  for (const char *page : {"docs/language.md", "docs/tutorial.md"}) {
    std::string text = readText(std::filesystem::path(APR_SOURCE_DIR) / page);
    for (size_t begin = text.find("```apr\n"); begin != std::string::npos;
         begin = text.find("```apr\n", begin + 1)) {
      size_t end = text.find("```\n", begin + 7);
      std::string program = text.substr(begin + 7, end - begin - 7);
      EXPECT_TRUE(compile(program).module) << compile(program).messages << program;
    }
  }
}

TEST(LanguageDocTest, EveryExampleCompiles) {
  std::filesystem::path root = std::filesystem::path(APR_SOURCE_DIR) / "docs/examples";
  for (const auto &entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".apr")
      continue;
    Compiled compiled = compile(readText(entry.path()));
    EXPECT_TRUE(compiled.module) << entry.path() << "\n" << compiled.messages;
    EXPECT_EQ(compiled.messages, "") << entry.path();
  }
}

} // namespace
} // namespace apr::testing
