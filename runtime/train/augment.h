// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace apr::train {

/// Random changes of the images of an input while it trains. They are part of the training's
/// meaning, so each is a function of seed, epoch and row alone.
struct Augmentation {
  std::size_t crop = 0; ///< moves the image by up to so many pixels each way; zeros come in
  bool flips = false;   ///< exchanges left and right in half of the cases

  bool operator==(const Augmentation &) const = default;
};

/// Parses "crop(4) | flip", either of them or both; errors are of kind Usage at `place`.
Augmentation parseAugmentation(std::string_view text, const Place &place);
/// The inverse.
std::string text(const Augmentation &augmentation);

/// The layout of an image: rows of pixels whose channels stand side by side.
struct ImageShape {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t pixelBytes = 0;
};

/// What happens to one image.
struct ImageChange {
  std::ptrdiff_t down = 0;  ///< the row of the image that comes first; negative: zeros do
  std::ptrdiff_t right = 0; ///< the same for columns
  bool isFlipped = false;   ///< after the move
};

/// What happens to a row's image in an epoch. With words w0, w1, w2 of Philox4x32-10 of key `seed`
/// and counter (row lo, row hi, epoch mod 2^32, FNV-1a of "augment." and the input's name), the
/// moves are (w0 · (2 crop + 1) >> 32) − crop and the same of w1, and the top bit of w2 flips.
ImageChange changeOf(const Augmentation &augmentation, std::string_view input, std::uint64_t seed,
                     std::uint64_t epoch, std::uint64_t row);

/// Writes the changed image; the two do not overlap.
void writeChanged(const ImageShape &shape, const ImageChange &change, const std::byte *from,
                  std::byte *to);

} // namespace apr::train
