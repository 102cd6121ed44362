// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/augment.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <vector>

namespace apr::train {
namespace {

using Pixels = std::vector<std::uint16_t>;

/// The image as `change` leaves it, from the definition: element by element.
Pixels expected(const Pixels &image, std::ptrdiff_t height, std::ptrdiff_t width,
                std::ptrdiff_t channels, const ImageChange &change) {
  Pixels result;
  for (std::ptrdiff_t y = 0; y < height; ++y)
    for (std::ptrdiff_t x = 0; x < width; ++x)
      for (std::ptrdiff_t c = 0; c < channels; ++c) {
        const std::ptrdiff_t row = y + change.down;
        const std::ptrdiff_t column = (change.isFlipped ? width - 1 - x : x) + change.right;
        const bool isInside = row >= 0 && row < height && column >= 0 && column < width;
        result.push_back(
            isInside ? image[static_cast<std::size_t>((row * width + column) * channels + c)] : 0);
      }
  return result;
}

TEST(Augment, MovesAndFlipsImages) {
  constexpr std::ptrdiff_t height = 3;
  constexpr std::ptrdiff_t width = 4;
  constexpr std::ptrdiff_t channels = 2;
  Pixels image(height * width * channels);
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<std::uint16_t>(i + 1);
  const ImageShape shape{height, width, channels * sizeof(std::uint16_t)};
  // Also by more than the image has.
  for (std::ptrdiff_t down = -5; down <= 5; ++down)
    for (std::ptrdiff_t right = -6; right <= 6; ++right)
      for (bool isFlipped : {false, true}) {
        const ImageChange change{down, right, isFlipped};
        Pixels found(image.size(), 0xFFFF);
        writeChanged(shape, change, reinterpret_cast<const std::byte *>(image.data()),
                     reinterpret_cast<std::byte *>(found.data()));
        EXPECT_EQ(found, expected(image, height, width, channels, change)) << down << " " << right;
      }
}

TEST(Augment, FollowsFromSeedEpochAndRow) {
  const Augmentation both{2, true};
  const auto key = [&](std::uint64_t seed, std::uint64_t epoch, std::uint64_t row,
                       const char *input = "x") {
    const ImageChange change = changeOf(both, input, seed, epoch, row);
    return (change.down + 2) * 10 + (change.right + 2) * 2 + (change.isFlipped ? 1 : 0);
  };
  // The words of Philox for (seed 7, epoch 3, row 11), computed from its definition elsewhere.
  EXPECT_EQ(key(7, 3, 11), 5);
  std::map<std::ptrdiff_t, int> seen;
  int differBySeed = 0;
  int differByEpoch = 0;
  int differByInput = 0;
  for (std::uint64_t row = 0; row < 5000; ++row) {
    ++seen[key(7, 3, row)];
    differBySeed += key(7, 3, row) != key(8, 3, row);
    differByEpoch += key(7, 3, row) != key(7, 4, row);
    differByInput += key(7, 3, row) != key(7, 3, row, "z");
  }
  // All 50 changes, each about a hundred times.
  EXPECT_EQ(seen.size(), 50u);
  for (const auto &[change, count] : seen)
    EXPECT_TRUE(count > 50 && count < 160) << change << ": " << count;
  for (int count : {differBySeed, differByEpoch, differByInput})
    EXPECT_GT(count, 4700);
}

TEST(Augment, ReadsWhatItWrites) {
  for (const char *written : {"crop(4)", "flip", "crop(4) | flip"})
    EXPECT_EQ(text(parseAugmentation(written, {})), written);
  EXPECT_EQ(parseAugmentation(" flip|crop(1) ", {}), (Augmentation{1, true}));
  for (const char *wrong : {"", "crop", "crop(", "crop()", "crop(0)", "crop(1.5)", "crop(-1)",
                            "crop(99999999)", "flip |", "crop(2)x", "turn"})
    EXPECT_THROW(parseAugmentation(wrong, {}), Error) << wrong;
}

} // namespace
} // namespace apr::train
