// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Broken programs must give messages, whatever is broken: mutations of the examples, the library
// and the programs of test/diagnostics.
#include "ir/frontend/format.h"
#include "ir/frontend/frontend.h"
#include "ir/frontend/lower_test.h"
#include "ir/verifier.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

namespace apr {
namespace {

std::vector<std::string> programs() {
  std::vector<std::string> texts;
  for (const char *folder : {"docs/examples", "test/diagnostics", "test/lang"}) {
    std::filesystem::path root = std::filesystem::path(APR_SOURCE_DIR) / folder;
    if (!std::filesystem::exists(root))
      continue;
    std::vector<std::filesystem::path> paths;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(root))
      if (entry.path().extension() == ".apr")
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto &path : paths) {
      std::ifstream in(path);
      std::stringstream text;
      text << in.rdbuf();
      texts.push_back(text.str());
    }
  }
  return texts;
}

/// Splits into words and single characters, so that mutations keep most tokens whole.
std::vector<std::string> pieces(const std::string &text) {
  std::vector<std::string> out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (std::isalnum(static_cast<unsigned char>(text[i])))
      while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])))
        ++end;
    out.push_back(text.substr(i, end - i));
    i = end;
  }
  return out;
}

/// What formats at all formats again to the same text; a layout that changes the program throws.
void checkFormat(const std::string &text) {
  SourceManager sources;
  Diagnostics diagnostics;
  auto formatted = formatSource(sources, sources.add("fuzz.apr", text), diagnostics);
  ASSERT_EQ(formatted.has_value(), !diagnostics.hasErrors()) << text;
  if (!formatted)
    return;
  auto again = formatSource(sources, sources.add("formatted.apr", *formatted), diagnostics);
  ASSERT_TRUE(again == formatted) << text << "\nformats to\n" << *formatted;
}

/// Tests that lower have functions that verify.
void checkTests(const std::string &text) {
  SourceManager sources;
  Diagnostics diagnostics;
  auto tests = lowerTests(sources, sources.add("fuzz.apr", text), diagnostics, {});
  if (!tests)
    return;
  for (const LoweredTest &test : *tests) {
    if (!test.function)
      continue;
    Module module;
    module.name = "tests";
    module.functions.push_back(*test.function);
    Diagnostics violations;
    ASSERT_TRUE(verify(module, violations)) << violations.all().front().message << "\n" << text;
  }
}

TEST(FrontendFuzzTest, MutatedProgramsNeverBreakTheCompiler) {
  std::vector<std::string> corpus = programs();
  ASSERT_FALSE(corpus.empty());
  std::mt19937_64 random(20240607);
  const char *seeds = std::getenv("APR_FUZZ_ROUNDS");
  int rounds = seeds ? std::atoi(seeds) : 1500;
  const char *extra[] = {"0",      "-1",     "1e300", "9223372036854775807",
                         "(",      ")",      "[",     "]",
                         "{",      "}",      "..",    "none",
                         "real",   "self",   "grad",  "N",
                         "<-",     "x",      "|>",    "training",
                         "\n",     "//",     "%",     "**",
                         "@",      "inf",    "-",     "state",
                         "report", "1000000"};
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> words = pieces(corpus[random() % corpus.size()]);
    std::vector<std::string> other = pieces(corpus[random() % corpus.size()]);
    for (uint64_t change = random() % 4 + 1; change > 0 && !words.empty(); --change) {
      size_t at = random() % words.size();
      switch (random() % 5) {
      case 0:
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        words[at] = words[random() % words.size()];
        break;
      case 2:
        words[at] = extra[random() % std::size(extra)];
        break;
      case 3:
        words.insert(words.begin() + static_cast<std::ptrdiff_t>(at),
                     extra[random() % std::size(extra)]);
        break;
      default: {
        size_t from = random() % other.size();
        size_t length = std::min<size_t>(random() % 30, other.size() - from);
        words.insert(words.begin() + static_cast<std::ptrdiff_t>(at),
                     other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + length));
      }
      }
    }
    std::string text;
    for (const std::string &word : words)
      text += word;
    SourceManager sources;
    Diagnostics diagnostics;
    std::optional<Module> module;
    try {
      module = compileModel(sources, sources.add("fuzz.apr", text), diagnostics);
      ASSERT_NO_FATAL_FAILURE(checkFormat(text));
      if (text.find("test \"") != std::string::npos) {
        ASSERT_NO_FATAL_FAILURE(checkTests(text));
      }
    } catch (const std::exception &error) {
      FAIL() << error.what() << "\n" << text;
    }
    ASSERT_EQ(module.has_value(), !diagnostics.hasErrors()) << text;
    Diagnostics violations;
    bool isValid = !module || verify(*module, violations);
    ASSERT_TRUE(isValid) << violations.all().front().message << "\n" << text;
  }
}

} // namespace
} // namespace apr
