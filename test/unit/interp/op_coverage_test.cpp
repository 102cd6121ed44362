// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/op.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace apr {
namespace {

namespace fs = std::filesystem;

std::string contentOf(const fs::path &path) {
  std::ifstream stream(path);
  std::stringstream content;
  content << stream.rdbuf();
  return content.str();
}

TEST(OpCoverage, EveryOpHasATestFile) {
  fs::path folder = fs::path(APR_SOURCE_DIR) / "test" / "ops";
  for (OpKind kind : allOps()) {
    std::string mnemonic(opInfo(kind).mnemonic);
    fs::path path = folder / (mnemonic + ".apir");
    EXPECT_TRUE(fs::exists(path)) << "write test/ops/" << mnemonic << ".apir";
    std::string content = contentOf(path);
    EXPECT_NE(content.find(" = " + mnemonic), std::string::npos) << path << " does not use the op";
    EXPECT_NE(content.find("// run:"), std::string::npos) << path << " runs nothing";
  }
}

TEST(OpCoverage, EveryTestFileHasAnOp) {
  for (const auto &entry : fs::directory_iterator(fs::path(APR_SOURCE_DIR) / "test" / "ops"))
    if (entry.path().extension() == ".apir") {
      EXPECT_TRUE(findOp(entry.path().stem().string())) << entry.path();
    }
}

} // namespace
} // namespace apr
