// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "read_hostile.h"

#include "runtime/train/atomic_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace apr::train {
namespace {

/// The inputs of the fuzzers, and what they found, without a fuzzer.
TEST(ReaderCorpus, IsReadOrRefused) {
  const std::filesystem::path corpus = APR_SOURCE_DIR "/test/readers/corpus";
  for (const std::string &reader : hostileReaders()) {
    std::set<std::string> outcomes;
    std::size_t read = 0;
    for (const auto &file : std::filesystem::directory_iterator(corpus / reader)) {
      const std::string outcome = readHostile(reader, readFile(file.path().string()));
      const bool isGood = file.path().filename().string().starts_with("good");
      EXPECT_EQ(outcome == "read", isGood) << file.path() << ": " << outcome;
      outcomes.insert(outcome);
      read += outcome == "read" ? 1 : 0;
    }
    EXPECT_GT(read, 0u) << reader;
    EXPECT_GT(outcomes.size(), 2u) << reader << ": the corpus shows too few faults";
  }
}

} // namespace
} // namespace apr::train
