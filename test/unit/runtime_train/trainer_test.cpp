// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/trainer.h"

#include "fake_model.h"
#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"
#include "runtime/train/grad_check.h"
#include "runtime/train/history.h"
#include "runtime/train/predict.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/table_loader.h"
#include "runtime/train/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>

namespace apr::train {
namespace {

/// y = 2·x0 − x1 + 1 on a small grid.
Dataset grid(std::size_t rows) {
  Dataset data;
  data.rows = rows;
  data.inputs = {{"x", APRT_F64, 2, 16, std::vector<std::byte>(rows * 16)},
                 {"y", APRT_F64, 1, 8, std::vector<std::byte>(rows * 8)}};
  for (std::size_t i = 0; i < rows; ++i) {
    const double a = static_cast<double>(i % 5) / 4;
    const double b = static_cast<double>(i % 7) / 6;
    setElement(data.inputs[0].values.data(), APRT_F64, 2 * i, a);
    setElement(data.inputs[0].values.data(), APRT_F64, 2 * i + 1, b);
    setElement(data.inputs[1].values.data(), APRT_F64, i, 2 * a - b + 1);
  }
  return data;
}

double valueOf(const Instance &instance, const char *name, std::size_t element = 0) {
  const aprt_tensor *tensor = instance.model().tensor(name);
  return elementAt(instance.values(*tensor), tensor->dtype, element);
}

struct Log : Observer {
  void onStep(const StepReport &report) override {
    ++steps;
    lastRowsDone = report.rowsDone;
  }
  void onEpoch(const EpochReport &report) override { epochs.push_back(report); }
  bool shouldStop() override { return steps == stopAfter; }
  std::uint64_t steps = 0;
  std::uint64_t stopAfter = 0;
  std::size_t lastRowsDone = 0;
  std::vector<EpochReport> epochs;
};

TEST(Trainer, LearnsALine) {
  Trainer trainer(*fake_model(), {});
  trainer.initialise();
  const Dataset data = grid(70);
  const Split split = splitRows(1, data.rows, 0.2);
  Log log;
  EXPECT_EQ(trainer.fitEpochs(data, split, 400, log), Outcome::Finished);
  EXPECT_EQ(log.steps, 800u); // 56 rows: a batch of 32 and one of 24
  EXPECT_EQ(log.lastRowsDone, 56u);
  EXPECT_NEAR(valueOf(trainer.instance(), "w", 0), 2, 1e-3);
  EXPECT_NEAR(valueOf(trainer.instance(), "w", 1), -1, 1e-3);
  EXPECT_NEAR(valueOf(trainer.instance(), "b"), 1, 1e-3);
  EXPECT_EQ(valueOf(trainer.instance(), "step.steps"), 800);
  ASSERT_EQ(log.epochs.size(), 400u);
  EXPECT_LT(find(log.epochs.back().validation, "loss")->value, 1e-6);
  EXPECT_EQ(find(log.epochs.back().validation, "rows")->value, 14);
  EXPECT_EQ(find(log.epochs.back().training, "rows")->value, 56);
}

TEST(Trainer, IsTheSameOnAnyNumberOfWorkers) {
  const Dataset data = grid(50);
  std::string hashes[2];
  for (std::uint32_t workers : {1u, 3u}) {
    TrainerOptions options;
    options.workers = workers;
    options.seed = 9;
    Trainer trainer(*fake_model(), options);
    trainer.initialise();
    Log log;
    trainer.fitEpochs(data, splitRows(9, 50, 0.1), 3, log);
    hashes[workers == 3] = stateHash(trainer.instance());
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(Trainer, StopsAndLimits) {
  const Dataset data = grid(64);
  const Split split = splitRows(0, 64, 0);
  Trainer trainer(*fake_model(), {});
  trainer.initialise();
  Log log;
  EXPECT_EQ(trainer.fitSteps(data, split, 3, log), Outcome::Finished);
  EXPECT_EQ(log.steps, 3u);
  EXPECT_TRUE(log.epochs.back().validation.empty());
  log.stopAfter = 4;
  EXPECT_EQ(trainer.fitEpochs(data, split, 5, log), Outcome::Stopped);
  EXPECT_EQ(log.steps, 4u);
}

TEST(Trainer, DropsAPartialBatchWhenAsked) {
  TrainerOptions options;
  options.lastBatch = LastBatch::Drop;
  options.batchRows = 30;
  Trainer trainer(*fake_model(), options);
  trainer.initialise();
  Log log;
  trainer.fitEpochs(grid(70), splitRows(0, 70, 0), 1, log);
  EXPECT_EQ(log.steps, 2u);
  EXPECT_THROW(trainer.fitEpochs(grid(20), splitRows(0, 20, 0), 1, log), Error);
}

TEST(Trainer, MeasuresDuringOrAfterTheEpoch) {
  const Dataset data = grid(32);
  const Split split = splitRows(0, 32, 0);
  TrainerOptions options;
  options.measure = Measure::After;
  Trainer after(*fake_model(), options);
  after.initialise();
  Log log;
  after.fitEpochs(data, split, 1, log);
  Trainer during(*fake_model(), {});
  during.initialise();
  during.fitEpochs(data, split, 1, log);
  EXPECT_LT(find(log.epochs[0].training, "loss")->value,
            find(log.epochs[1].training, "loss")->value);
}

TEST(Trainer, RowFiguresDoNotDependOnTheBatch) {
  const Dataset data = grid(1000);
  std::vector<std::size_t> rows(1000);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  double losses[2];
  for (std::size_t batch : {300u, 777u}) {
    TrainerOptions options;
    options.batchRows = batch;
    Trainer trainer(*fake_model(), options);
    trainer.initialise();
    losses[batch == 777] = find(trainer.evaluate(data, rows), "loss")->value;
  }
  EXPECT_EQ(losses[0], losses[1]);
}

TEST(Trainer, StopsOnANonFiniteLoss) {
  TrainerOptions options;
  options.hyper["lr"] = 1e200;
  Trainer trainer(*fake_model(), options);
  trainer.initialise();
  Log log;
  try {
    trainer.fitEpochs(grid(32), splitRows(0, 32, 0), 100, log);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::Verdict);
    EXPECT_NE(std::string(error.what()).find("at step"), std::string::npos);
  }
}

TEST(Trainer, ExplainsWrongNames) {
  const auto error = [](TrainerOptions options) -> std::string {
    try {
      Trainer trainer(*fake_model(), std::move(options));
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::Usage);
      return error.what();
    }
    return "no error";
  };
  TrainerOptions options;
  options.hyper["learning_rate"] = 1;
  EXPECT_EQ(error(options), "error: the model has no hyperparameter \"learning_rate\"; there are: "
                            "step.lr, step.power");
  options = {};
  options.hyper["step.powr"] = 1;
  EXPECT_NE(error(options).find("did you mean \"step.power\"?"), std::string::npos);
  options = {};
  options.hyper["power"] = 1.5;
  EXPECT_EQ(error(options), "error: the hyperparameter step.power is an integer (i32), found 1.5");
  options = {};
  options.block = "stepp";
  EXPECT_NE(error(options).find("did you mean \"step\"?"), std::string::npos);
}

TEST(Trainer, ReportsItsInputs) {
  Trainer trainer(*fake_model(), {});
  const auto needs = trainer.inputNeeds();
  ASSERT_EQ(needs.size(), 2u);
  EXPECT_EQ(needs[0].rowElements, 2u);
  EXPECT_EQ(needs[1].rowElements, 1u);
  Log log;
  EXPECT_THROW(trainer.fitEpochs(Dataset{}, Split{}, 1, log), Error);
}

TEST(Weights, SurviveAFile) {
  const std::string path = ::testing::TempDir() + "apr_weights.safetensors";
  Trainer trainer(*fake_model(), {});
  trainer.initialise();
  Log log;
  trainer.fitEpochs(grid(32), splitRows(0, 32, 0), 5, log);
  saveWeights(trainer.instance(), path, {});
  Instance other(*fake_model(), 1);
  other.initialise(0);
  EXPECT_NE(weightHash(other), weightHash(trainer.instance()));
  loadWeights(other, path);
  EXPECT_EQ(weightHash(other), weightHash(trainer.instance()));
  EXPECT_NE(weightsJson(other).find("\"b\": "), std::string::npos);
  std::filesystem::remove(path);
}

TEST(Weights, WidenExactly) {
  const std::string path = ::testing::TempDir() + "apr_narrow.safetensors";
  const float w[] = {0.1f, -2.5f};
  const float b = 3;
  writeSafetensors(path,
                   {{"w", APRT_F32, {2}, reinterpret_cast<const std::byte *>(w)},
                    {"b", APRT_F32, {}, reinterpret_cast<const std::byte *>(&b)}},
                   {});
  Instance instance(*fake_model(), 1);
  loadWeights(instance, path);
  EXPECT_EQ(valueOf(instance, "w", 0), static_cast<double>(0.1f));
  EXPECT_EQ(valueOf(instance, "w", 1), -2.5);
  EXPECT_EQ(valueOf(instance, "b"), 3);
  std::filesystem::remove(path);
}

TEST(GradCheck, AcceptsRightGradientsOnly) {
  Trainer trainer(*fake_model(), {});
  trainer.initialise();
  Log log;
  const Dataset data = grid(32);
  trainer.fitEpochs(data, splitRows(0, 32, 0), 2, log);
  const std::string before = stateHash(trainer.instance());
  const std::vector<std::size_t> rows = {0, 1, 2, 3, 4, 5, 6, 7};
  const GradCheckReport report = checkGradients(trainer, data, rows, {});
  EXPECT_TRUE(report.passes());
  ASSERT_EQ(report.tensors.size(), 2u);
  EXPECT_EQ(report.tensors[0].checked, 2u);
  EXPECT_NE(report.tensors[0].analytic, 0);
  EXPECT_EQ(stateHash(trainer.instance()), before);
  EXPECT_NE(table(report, 1e-6).find("all gradients agree"), std::string::npos);
  GradCheckOptions options;
  options.tolerance = -1;
  EXPECT_FALSE(checkGradients(trainer, data, rows, options).passes());
  options.loss = "los";
  EXPECT_THROW(checkGradients(trainer, data, rows, options), Error);
}

TEST(Predict, RendersRecords) {
  Instance instance(*fake_model(), 1);
  instance.initialise(0);
  setElement(instance.values(*instance.model().tensor("b")), APRT_F64, 0, 0.5);
  const Dataset data = grid(3);
  const aprt_entry &entry = instance.model().entry("");
  EXPECT_EQ(predict(instance, entry, {}, data, 2, PredictionFormat::Csv), "y\n0.5\n0.5\n0.5\n");
  EXPECT_EQ(predict(instance, entry, {}, data, 2, PredictionFormat::Json),
            "[\n  {\"y\": 0.5},\n  {\"y\": 0.5},\n  {\"y\": 0.5}\n]\n");
}

TEST(History, WritesOneObjectPerLine) {
  const EpochReport report{2, 10, {{"loss", 0.5}}, {{"loss", std::nan("")}}};
  EXPECT_EQ(
      historyLine(report, 1.5),
      "{\"epoch\":2,\"step\":10,\"training\":{\"loss\":0.5},\"validation\":{\"loss\":\"NaN\"},"
      "\"seconds\":1.5}");
}

} // namespace
} // namespace apr::train
