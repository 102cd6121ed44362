// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/checkpoint.h"

#include "fake_model.h"
#include "runtime/train/atomic_file.h"
#include "runtime/train/checkpoint_folder.h"
#include "runtime/train/error.h"
#include "runtime/train/record.h"
#include "runtime/train/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace apr::train {
namespace {

namespace fs = std::filesystem;

/// y = 2·x0 − x1 + 1 with something that no line fits.
Dataset table(std::size_t rows) {
  Dataset data;
  data.rows = rows;
  data.inputs = {{"x", APRT_F64, 2, 16, std::vector<std::byte>(rows * 16)},
                 {"y", APRT_F64, 1, 8, std::vector<std::byte>(rows * 8)}};
  for (std::size_t i = 0; i < rows; ++i) {
    const double a = static_cast<double>(i % 5) / 4;
    const double b = static_cast<double>(i % 7) / 6;
    setElement(data.inputs[0].values.data(), APRT_F64, 2 * i, a);
    setElement(data.inputs[0].values.data(), APRT_F64, 2 * i + 1, b);
    setElement(data.inputs[1].values.data(), APRT_F64, i, 2 * a - b + 1 + a * b);
  }
  return data;
}

/// All that a training shows: a line for each step and epoch.
struct Transcript : Observer {
  void onStep(const StepReport &report) override {
    add(report.step, report.metrics);
    lines += "\n";
    last = report.step;
  }
  void onEpoch(const EpochReport &report) override {
    add(report.epoch, report.training);
    add(report.step, report.validation);
    lines += report.isBest ? " best\n" : "\n";
  }
  bool shouldStop() override { return last == stopAfter; }
  void add(std::uint64_t number, const Metrics &metrics) {
    lines += std::to_string(number);
    for (const Metric &metric : metrics)
      lines += " " + metric.name + " " + figureBits(metric.value);
  }
  std::string lines;
  std::uint64_t last = 0;
  std::uint64_t stopAfter = 0;
};

TrainerOptions options(std::uint32_t workers = 1) {
  TrainerOptions options;
  options.seed = 5;
  options.workers = workers;
  options.batchRows = 7;
  options.hyper["lr"] = 0.2;
  options.validateEvery = 2;
  options.best.isWatched = true;
  options.changes = {{6, {{"lr", 0.05}}}};
  return options;
}

class Checkpoints : public ::testing::Test {
protected:
  Checkpoints()
      : folder_(::testing::TempDir() + "apr_checkpoints_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
  }
  ~Checkpoints() override { fs::remove_all(folder_); }

  std::string folder_;
  Dataset data_ = table(40);
  Split split_ = splitRows(5, 40, 0.25); // 30 rows: four batches of 7 and one of 2
};

void save(CheckpointFolder &folder, Trainer &trainer) {
  Checkpoint checkpoint;
  checkpoint.cursor = trainer.cursor();
  checkpoint.seed = trainer.options().seed;
  checkpoint.record = "so far";
  checkpoint.extra["plan"] = "four epochs";
  if (checkpoint.cursor.best.epoch > 0 && checkpoint.cursor.best.step != checkpoint.cursor.steps) {
    Checkpoint best = checkpoint;
    best.cursor = {
        checkpoint.cursor.best.step, checkpoint.cursor.best.epoch, 0, {}, checkpoint.cursor.best};
    folder.save(trainer.instance().model(), trainer.bestState().data(), best);
  }
  folder.save(trainer.instance().model(), trainer.instance().state(), checkpoint);
}

TEST_F(Checkpoints, ContinueInEveryBitAfterAnyStep) {
  Trainer whole(*fake_model(), options());
  whole.initialise();
  Transcript expected;
  whole.fitEpochs(data_, split_, 4, expected);
  whole.restoreBest();
  ASSERT_EQ(expected.last, 20u);
  for (std::uint64_t stop = 1; stop <= 20; ++stop) {
    fs::remove_all(folder_);
    CheckpointFolder folder(folder_, 1);
    folder.open();
    Transcript transcript;
    transcript.stopAfter = stop;
    {
      Trainer first(*fake_model(), options());
      first.initialise();
      EXPECT_EQ(first.fitEpochs(data_, split_, 4, transcript), Outcome::Stopped);
      save(folder, first);
    }
    std::vector<std::string> rejected;
    const auto found = folder.latest(rejected);
    ASSERT_TRUE(found) << stop;
    Trainer second(*fake_model(), options(stop % 3 + 1));
    resumeFrom(second, found->checkpoint, found->best ? &*found->best : nullptr);
    EXPECT_EQ(second.cursor(), found->checkpoint.contents().cursor);
    transcript.stopAfter = 0;
    const std::uint64_t left = 4 - second.cursor().epochs;
    EXPECT_EQ(second.fitEpochs(data_, split_, left, transcript), Outcome::Finished);
    EXPECT_EQ(transcript.lines, expected.lines) << stop;
    EXPECT_EQ(second.cursor(), whole.cursor());
    second.restoreBest();
    EXPECT_EQ(stateHash(second.instance()), stateHash(whole.instance())) << stop;
  }
}

TEST_F(Checkpoints, KeepWhatTheyWereGiven) {
  CheckpointFolder folder(folder_, 1);
  folder.open();
  Trainer trainer(*fake_model(), options());
  trainer.initialise();
  Transcript transcript;
  transcript.stopAfter = 3;
  trainer.fitEpochs(data_, split_, 4, transcript);
  save(folder, trainer);
  const auto file = CheckpointFile::open(folder.fileOf(3));
  EXPECT_EQ(file.contents().seed, 5u);
  EXPECT_EQ(file.contents().record, "so far");
  EXPECT_EQ(file.contents().extra.at("plan"), "four epochs");
  EXPECT_EQ(file.contents().cursor.stepInEpoch, 3u);
  ASSERT_EQ(file.contents().cursor.figures.size(), 2u);
  EXPECT_EQ(file.contents().cursor.figures[1].totals, std::vector<double>{21});
  // Weights can be read from a checkpoint as from any file of weights.
  Instance other(*fake_model(), 1);
  loadWeights(other, folder.fileOf(3));
  EXPECT_EQ(stateHash(other), stateHash(trainer.instance()));
}

TEST_F(Checkpoints, AreKeptAsLongAsTheyAreNeeded) {
  CheckpointFolder folder(folder_, 1);
  folder.open();
  Trainer trainer(*fake_model(), options());
  trainer.initialise();
  const auto at = [&](std::uint64_t step, std::uint64_t best) {
    Checkpoint checkpoint;
    checkpoint.cursor.steps = step;
    checkpoint.cursor.best = {"loss", 1, best > 0 ? 1u : 0u, best, 0};
    folder.save(trainer.instance().model(), trainer.instance().state(), checkpoint);
    return folder.steps();
  };
  using Steps = std::vector<std::uint64_t>;
  EXPECT_EQ(at(0, 0), (Steps{0}));
  EXPECT_EQ(at(5, 5), (Steps{0, 5}));
  EXPECT_EQ(at(7, 5), (Steps{5, 7}));
  EXPECT_EQ(at(9, 5), (Steps{5, 7, 9}));
  EXPECT_EQ(at(11, 11), (Steps{5, 9, 11})) << "9 still needs 5";
  EXPECT_EQ(at(12, 11), (Steps{11, 12}));
}

TEST_F(Checkpoints, AreRejectedWhereABitIsWrong) {
  CheckpointFolder folder(folder_, 1);
  folder.open();
  Trainer trainer(*fake_model(), options());
  trainer.initialise();
  Transcript transcript;
  transcript.stopAfter = 2;
  trainer.fitEpochs(data_, split_, 4, transcript);
  save(folder, trainer);
  transcript.stopAfter = 4;
  trainer.fitEpochs(data_, split_, 4, transcript);
  save(folder, trainer);
  const std::string path = folder.fileOf(4);
  const std::string good = readFile(path);
  for (std::size_t i = 0; i < good.size(); i += 19) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    std::ofstream(path, std::ios::binary) << bad;
    std::vector<std::string> rejected;
    const auto found = folder.latest(rejected);
    ASSERT_TRUE(found);
    // Padding of the header is the only part that says nothing.
    const bool isBlank = good[i] == ' ';
    EXPECT_TRUE(found->checkpoint.contents().cursor.steps == 2 || isBlank) << i;
    EXPECT_TRUE(rejected.size() == 1 || isBlank) << i;
  }
  for (std::size_t size = 0; size < good.size(); size += 397) {
    std::ofstream(path, std::ios::binary) << good.substr(0, size);
    std::vector<std::string> rejected;
    EXPECT_EQ(folder.latest(rejected)->checkpoint.contents().cursor.steps, 2u);
  }
  folder.setAsideAfter(2);
  EXPECT_EQ(folder.steps(), std::vector<std::uint64_t>{2});
}

TEST_F(Checkpoints, BelongToOneTrainingAtATime) {
  CheckpointFolder one(folder_, 1);
  one.open();
  CheckpointFolder other(folder_, 1);
  EXPECT_THROW(other.open(), Error);
}

TEST(BestWatch, StopsWithoutABetterEpoch) {
  BestOptions options;
  options.isWatched = true;
  options.metric = "val_accuracy";
  options.minDelta = 0.1;
  options.patience = 2;
  BestWatch watch(options);
  const auto add = [&](std::uint64_t epoch, double value) {
    return watch.add(epoch, epoch * 10, {{"loss", 1}, {"val_accuracy", value}});
  };
  EXPECT_FALSE(add(1, std::nan("")));
  EXPECT_TRUE(add(2, 0.5));
  EXPECT_FALSE(add(3, 0.6)) << "not better by more than min_delta";
  EXPECT_FALSE(watch.isSpent());
  EXPECT_TRUE(add(4, 0.65));
  EXPECT_FALSE(watch.add(5, 50, {})) << "nothing was measured";
  EXPECT_FALSE(add(6, 0.1));
  EXPECT_FALSE(watch.isSpent());
  EXPECT_FALSE(add(7, 0.2));
  EXPECT_TRUE(watch.isSpent());
  EXPECT_EQ(watch.best(), (BestSoFar{"val_accuracy", 0.65, 4, 40, 2}));
  EXPECT_THROW(watch.add(8, 80, {{"loss", 1}}), Error);
}

TEST(BestWatch, KnowsWhichFigureIsBetter) {
  EXPECT_TRUE(isBetterGreater("accuracy"));
  EXPECT_TRUE(isBetterGreater("top5_accuracy"));
  EXPECT_FALSE(isBetterGreater("inaccuracy"));
  EXPECT_FALSE(isBetterGreater("loss"));
}

} // namespace
} // namespace apr::train
