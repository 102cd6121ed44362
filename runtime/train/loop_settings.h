// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"
#include "runtime/train/sampling.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace apr::train {

/// How often a training writes checkpoints, beside the first and the last one.
struct CheckpointPolicy {
  enum class Unit {
    Auto, ///< as often as takes about a fiftieth of the time, at most once a second
    Never,
    Steps,
    Epochs,
    Seconds
  };
  Unit unit = Unit::Auto;
  double every = 0;
  std::uint64_t earlier = 1; ///< checkpoints kept before the newest one

  bool operator==(const CheckpointPolicy &) const = default;
};

/// What limits a training, and what it leaves behind on the way.
struct LoopSettings {
  CheckpointPolicy checkpoints;
  double timeLimit = 0;      ///< seconds; 0: none
  std::uint64_t limit = 0;   ///< rows of each part at most; 0: all
  std::uint64_t overfit = 0; ///< so many training rows, which are the validation rows too; 0: no

  bool operator==(const LoopSettings &) const = default;
};

/// "auto", "never", "500" or "500 steps", "2 epochs", "90 s", "5 min", "1 h"; errors are of kind
/// Usage. Changes unit and interval only.
void setInterval(CheckpointPolicy &policy, std::string_view text, const Place &place);

/// "90", "90 s", "5 min", "1 h": more than no time; errors are of kind Usage.
double secondsFromText(std::string_view text, const Place &place);

/// The rows that limit and overfit leave: the first of the permutation of stream "limit" and epoch
/// 0 of each part, ascending.
Split limited(Split split, const LoopSettings &settings, std::uint64_t seed);

} // namespace apr::train
