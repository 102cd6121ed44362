// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/cpu_levels.h"
#include "tools/exhaustive/formula_hash.h"
#include "tools/exhaustive/proof_table.h"
#include "tools/exhaustive/prove.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace apr::exhaustive {
namespace {

/// A folder that vanishes with the test.
class ProofFiles : public testing::Test {
protected:
  ProofFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "apr_proof_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ProofFiles() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string &name) const { return folder_ + "/" + name; }

  std::string folder_;
};

TEST_F(ProofFiles, BlocksAreClaimedOnceAndKept) {
  BlockRecord record{.hash = 7, .decided = 3, .nanoseconds = 5, .hardest = 9, .distance = 0.25};
  {
    ProofState first(path("s"), 1, "cpu"), second(path("s"), 1, "cpu");
    EXPECT_EQ(first.claim(3), 0u);
    EXPECT_EQ(second.claim(3), 1u); // not the block that another one works on
    first.finish(0, record);
    EXPECT_EQ(first.claim(3), 2u);
    second.finish(1, record);
  } // block 2 is claimed and not finished: its prover was killed
  ProofState again(path("s"), 1, "cpu");
  EXPECT_EQ(again.claim(3), 2u);
  again.finish(2, record);
  EXPECT_EQ(again.claim(3), std::nullopt);
  auto kept = again.read(1);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->hash, 7u);
  EXPECT_EQ(kept->distance, 0.25);
  EXPECT_FALSE(again.read(3));
}

TEST_F(ProofFiles, StatesOfOtherThingsAreRefused) {
  {
    ProofState state(path("s"), 1, "cpu");
  }
  EXPECT_THROW(ProofState(path("s"), 2, "cpu"), UsageError);
  EXPECT_THROW(ProofState(path("s"), 1, "other"), UsageError);
  std::ofstream(path("text")) << std::string(100, 'x');
  EXPECT_THROW(ProofState(path("text"), 1, "cpu"), UsageError);
  EXPECT_THROW(ProofState(path("absent/s"), 1, "cpu"), UsageError);
}

TEST_F(ProofFiles, RecordsCutShortDoNotCount) {
  {
    ProofState state(path("s"), 1, "cpu");
    ASSERT_EQ(state.claim(1), 0u);
    state.finish(0, {.hash = 7});
    ASSERT_TRUE(state.read(0));
  }
  std::filesystem::resize_file(path("s"), std::filesystem::file_size(path("s")) - 1);
  ProofState state(path("s"), 1, "cpu");
  EXPECT_FALSE(state.read(0));
  EXPECT_EQ(state.claim(1), 0u);
}

/// Two runs, the second finding what the first one left, give the hashes that are checked in.
TEST_F(ProofFiles, RunsContinue) {
  ProveSettings settings{.stateFolder = folder_, .cpu = levelsOfThisMachine().back().cpu};
  Progress progress(4, 0);
  settings.blocks = 1;
  prove(OpKind::Log, settings, progress);
  EXPECT_EQ(countProven(OpKind::Log, settings), 1u);
  settings.blocks = 3;
  settings.jobs = 2;
  Proof proof = prove(OpKind::Log, settings, progress);
  EXPECT_EQ(proof.inputs, 3u << 20);
  EXPECT_EQ(proof.misrounded, 0u);
  EXPECT_EQ(proof.formula, formulaHash(OpKind::Log));
  auto known = readHashes(APR_SOURCE_DIR "/test/data/function_hashes/log.hashes");
  known.resize(3);
  EXPECT_EQ(proof.hashes, known);
}

TEST_F(ProofFiles, TablesComeBackFromTheirText) {
  ProofTable table;
  table.add(
      Proof{.kind = OpKind::Exp, .cpu = "x86-64-v3", .formula = 5, .inputs = 9, .decided = 2});
  uint64_t digest = table.findProof("exp")->digest;
  Recheck one{.blocks = 4096, .different = 1, .seconds = 3, .formula = 5, .digest = digest};
  table.add(OpKind::Exp, "x86-64-v2", one);
  table.add(OpKind::Log, "x86-64-v2 -O0", {.blocks = 16});
  table.write(path("table.md"));
  ProofTable read = ProofTable::read(path("table.md"));
  EXPECT_EQ(read.text(), table.text());
  ASSERT_TRUE(read.findRecheck("exp"));
  EXPECT_EQ(read.findRecheck("exp")->formula, 5u);
  EXPECT_EQ(read.findRecheck("exp")->digest, digest);
  EXPECT_EQ(read.findRecheck("exp")->targets.at("x86-64-v2").different, 1u);
  EXPECT_EQ(read.findRecheck("exp")->targets.at("x86-64-v2").blocks, 4096u);
  ASSERT_TRUE(read.findProof("exp"));
  EXPECT_EQ(read.findProof("exp")->formula, 5u);
  EXPECT_EQ(read.findProof("exp")->decided, 2u);
  EXPECT_FALSE(read.findProof("log"));
  EXPECT_EQ(ProofTable::read(path("absent.md")).text(), "");
}

TEST_F(ProofFiles, RechecksOfOtherFormulasAndHashesAreDropped) {
  ProofTable table;
  table.add(OpKind::Exp, "x86-64-v4", {.blocks = 4096, .formula = 5, .digest = 6});
  table.add(OpKind::Exp, "x86-64-v2", {.blocks = 32, .formula = 5, .digest = 6});
  EXPECT_EQ(table.findRecheck("exp")->targets.size(), 2u);
  table.add(OpKind::Exp, "x86-64-v2", {.blocks = 32, .formula = 5, .digest = 7});
  EXPECT_EQ(table.findRecheck("exp")->targets.size(), 1u);
  table.add(OpKind::Exp, "x86-64-v3", {.blocks = 32, .formula = 4, .digest = 7});
  EXPECT_EQ(table.findRecheck("exp")->targets.size(), 1u);
  table.add(Proof{.kind = OpKind::Exp, .formula = 5});
  EXPECT_FALSE(table.findRecheck("exp"));
}

/// A dash or a word in the place of a number was written by somebody else.
TEST_F(ProofFiles, TablesWithOtherCellsAreRefused) {
  const std::string proofs = "| function | formula | inputs | misrounded | decided by MPFR | "
                             "results | CPU level | seconds |\n|---|---|---|---|---|---|---|---|\n";
  const std::string rechecks = "| function | formula | results | cpu |\n|---|---|---|---|\n";
  for (const std::string &text :
       {proofs + "| exp | 0x1 | 2 | 0 | - | 0x2 | cpu | 3 |\n",
        proofs + "| exp | 0x1 | 2 | 0 | 3 | 0x2 | cpu | - |\n",
        proofs + "| exp | 0x1 | 2 | 0 | 3 | 0x2 | cpu |\n",
        rechecks + "| exp | 0x1 | 0x2 | none |\n", rechecks + "| exp | 0x1 | - | 0 of 1 in 2 s |\n",
        rechecks + "| exp | 0x1 | 0x2 |\n"}) {
    std::ofstream(path("table.md")) << text;
    EXPECT_THROW(ProofTable::read(path("table.md")), UsageError) << text;
  }
}

} // namespace
} // namespace apr::exhaustive
