// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace apr::train {
namespace {

/// What is printed while `action` reports to a progress of this style.
std::string printed(Progress::Device device, ProgressStyle style,
                    const std::function<void(Progress &)> &action) {
  char *text = nullptr;
  std::size_t size = 0;
  std::FILE *out = open_memstream(&text, &size);
  {
    Progress progress(out, device, std::move(style));
    action(progress);
  }
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

const Metrics loss = {{"loss", 0.5}};

TEST(Progress, PrintsALinePerEpoch) {
  ProgressStyle style;
  style.epochs = 10;
  EXPECT_EQ(printed(Progress::Device::Log, style,
                    [](Progress &progress) {
                      progress.onStep({{1, 1, 2, 4}, loss});
                      progress.onEpoch({1, 2, loss, {{"loss", 1}}});
                    }),
            "epoch  1/10  loss 0.5000  validation loss 1\n");
}

TEST(Progress, PrintsTheHistoryAsJson) {
  ProgressStyle style;
  style.epochs = 1000;
  style.every = 2;
  const std::string text = printed(Progress::Device::Json, style, [](Progress &progress) {
    progress.onStep({{1, 1, 2, 4}, loss});
    progress.onStep({{2, 1, 4, 4}, loss});
    progress.onEpoch({1, 2, loss, {{"loss", 1}}});
    progress.onEpoch({2, 4, loss, {}}); // also where a log leaves epochs out
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_EQ(text.rfind("{\"step\":2,\"epoch\":1,", 0), 0u) << text;
  EXPECT_NE(text.find("\"validation\":{\"loss\":1"), std::string::npos) << text;
}

TEST(Progress, ShowsTheRateOfThisProcess) {
  ProgressStyle style;
  style.epochs = 10;
  style.secondsBefore = 1000;
  const std::string text = printed(Progress::Device::Terminal, style, [](Progress &progress) {
    progress.onStep({{7, 3, 500'000, 1'000'000}, loss}); // where a training goes on
    const double start = progress.seconds();
    while (progress.seconds() < start + 0.15) {
    }
    progress.onStep({{8, 3, 500'010, 1'000'000}, loss});
  });
  // Ten rows in a little more than 0.15 s.
  const std::size_t at = text.find(" rows/s");
  ASSERT_NE(at, std::string::npos) << text;
  const std::size_t begin = text.rfind(' ', at - 1);
  const int rate = std::stoi(text.substr(begin));
  EXPECT_GT(rate, 0);
  EXPECT_LE(rate, 67);
}

TEST(Progress, ThinsOutTheLinesOfALongTraining) {
  ProgressStyle style;
  style.epochs = 1000;
  const std::string text = printed(Progress::Device::Log, style, [](Progress &progress) {
    for (std::uint64_t epoch = 1; epoch <= 1000; ++epoch)
      progress.onEpoch({epoch, epoch, loss, {}});
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 101);
}

TEST(Progress, PrintsTheStepsAskedFor) {
  ProgressStyle style;
  style.steps = 300;
  style.every = 100;
  EXPECT_EQ(printed(Progress::Device::Log, style,
                    [](Progress &progress) {
                      for (std::uint64_t step = 1; step <= 300; ++step)
                        progress.onStep({{step, 0, 0, 0}, loss});
                    }),
            "step 100/300  loss 0.5000\nstep 200/300  loss 0.5000\nstep 300/300  loss 0.5000\n");
}

TEST(Progress, PrintsATable) {
  ProgressStyle style;
  style.epochs = 3;
  style.onlyEpochs = {1, 3};
  style.table = {{"mse", "MSE"}};
  EXPECT_EQ(printed(Progress::Device::Log, style,
                    [](Progress &progress) {
                      for (std::uint64_t epoch = 1; epoch <= 3; ++epoch)
                        progress.onEpoch({epoch, epoch, {{"mse", 1.94 / epoch}}, {}});
                    }),
            "Epoch │ MSE\n──────┼────────────\n    1 │ 1.940000\n    3 │ 0.646667\n");
}

TEST(Progress, DrawsABarOnATerminalAndRemovesIt) {
  ProgressStyle style;
  style.epochs = 2;
  const std::string text = printed(Progress::Device::Terminal, style, [](Progress &progress) {
    progress.onStep({{1, 1, 2, 2}, loss});
  });
  EXPECT_NE(text.find("epoch 1/2 [============            ]  loss 0.5000  0:00 left"),
            std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\x1b[K"));
}

TEST(Progress, WritesTimes) {
  EXPECT_EQ(clockText(3), "0:03");
  EXPECT_EQ(clockText(125.4), "2:05");
  EXPECT_EQ(clockText(3723), "1:02:03");
  EXPECT_EQ(clockText(-1), "0:00");
}

} // namespace
} // namespace apr::train
