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
