// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/augment.h"

#include "runtime/train/number.h"
#include "runtime/train/philox.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace apr::train {
namespace {

constexpr std::int32_t largestCrop = 1 << 15;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

void parseStep(Augmentation &augmentation, std::string_view step, const Place &place) {
  if (step == "flip") {
    augmentation.flips = true;
    return;
  }
  const std::string_view word = trimmed(step.substr(0, step.find('(')));
  if (word != "crop")
    throw Error(ErrorKind::Usage, place,
                fmt::format("unknown augmentation {}{}; there are crop(PIXELS) and flip",
                            inQuotes(word), suggestion(word, {"crop", "flip"})));
  std::int32_t pixels = 0;
  const std::size_t open = step.find('(');
  const bool isClosed = open != std::string_view::npos && step.back() == ')';
  if (!isClosed ||
      parseNumber(step.substr(open + 1, step.size() - open - 2), pixels) != NumberFault::None ||
      pixels < 1 || pixels > largestCrop)
    throw Error(
        ErrorKind::Usage, place,
        fmt::format("expected crop(PIXELS) with 1 to {}, found {}", largestCrop, inQuotes(step)));
  augmentation.crop = static_cast<std::size_t>(pixels);
}

/// One row of pixels, from column `right` of the image on.
void writeRow(const ImageShape &shape, const ImageChange &change, const std::byte *from,
              std::byte *to) {
  const auto width = static_cast<std::ptrdiff_t>(shape.width);
  const std::size_t size = shape.pixelBytes;
  const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(-change.right, 0, width);
  const std::ptrdiff_t last = std::clamp<std::ptrdiff_t>(width - change.right, first, width);
  const auto bytes = [size](std::ptrdiff_t pixels) {
    return static_cast<std::size_t>(pixels) * size;
  };
  if (!change.isFlipped) {
    std::memset(to, 0, bytes(first));
    if (last > first)
      std::memcpy(to + bytes(first), from + bytes(first + change.right), bytes(last - first));
    std::memset(to + bytes(last), 0, bytes(width - last));
    return;
  }
  std::memset(to + bytes(width - first), 0, bytes(first));
  for (std::ptrdiff_t x = first; x < last; ++x)
    std::memcpy(to + bytes(width - 1 - x), from + bytes(x + change.right), size);
  std::memset(to, 0, bytes(width - last));
}

} // namespace

Augmentation parseAugmentation(std::string_view text, const Place &place) {
  Augmentation augmentation;
  while (true) {
    const auto bar = text.find('|');
    parseStep(augmentation, trimmed(text.substr(0, bar)), place);
    if (bar == std::string_view::npos)
      return augmentation;
    text.remove_prefix(bar + 1);
  }
}

std::string text(const Augmentation &augmentation) {
  const std::string crop =
      augmentation.crop > 0 ? fmt::format("crop({})", augmentation.crop) : std::string();
  return crop + (augmentation.crop > 0 && augmentation.flips ? " | " : "") +
         (augmentation.flips ? "flip" : "");
}

ImageChange changeOf(const Augmentation &augmentation, std::string_view input, std::uint64_t seed,
                     std::uint64_t epoch, std::uint64_t row) {
  const std::uint32_t stream = streamHash(fmt::format("augment.{}", input));
  const auto words = philox({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32),
                             static_cast<std::uint32_t>(epoch), stream},
                            seed);
  const auto move = [&](std::uint32_t word) {
    const std::uint64_t places = 2 * augmentation.crop + 1;
    return static_cast<std::ptrdiff_t>((std::uint64_t{word} * places) >> 32) -
           static_cast<std::ptrdiff_t>(augmentation.crop);
  };
  return {move(words[0]), move(words[1]), augmentation.flips && (words[2] >> 31) != 0};
}

void writeChanged(const ImageShape &shape, const ImageChange &change, const std::byte *from,
                  std::byte *to) {
  const std::size_t rowBytes = shape.width * shape.pixelBytes;
  const auto height = static_cast<std::ptrdiff_t>(shape.height);
  for (std::ptrdiff_t y = 0; y < height; ++y, to += rowBytes) {
    const std::ptrdiff_t source = y + change.down;
    if (source < 0 || source >= height)
      std::memset(to, 0, rowBytes);
    else
      writeRow(shape, change, from + static_cast<std::size_t>(source) * rowBytes, to);
  }
}

} // namespace apr::train
