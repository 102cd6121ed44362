// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/metrics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apr::train {

/// Which of two figures is the better one.
enum class Better { ByName, Smaller, Greater };

/// What a training watches to know its best epoch, and when to stop for want of a better one.
struct BestOptions {
  bool isWatched = false;
  std::string metric; ///< empty: the first figure that is reported
  Better better = Better::ByName;
  double minDelta = 0; ///< how much better a figure has to be to count
  /// Stop after so many measured epochs without a better one; 0 never stops.
  std::uint64_t patience = 0;

  bool operator==(const BestOptions &) const = default;
};

/// The best epoch so far.
struct BestSoFar {
  std::string metric;
  double value = 0;
  std::uint64_t epoch = 0; ///< 0: none yet
  std::uint64_t step = 0;
  std::uint64_t waited = 0; ///< measured epochs since

  bool operator==(const BestSoFar &) const = default;
};

/// Follows one figure over the epochs.
class BestWatch {
public:
  explicit BestWatch(BestOptions options) : options_(std::move(options)) {}

  const BestOptions &options() const { return options_; }
  const BestSoFar &best() const { return best_; }
  void restore(BestSoFar best) { best_ = std::move(best); }

  /// Looks at the figures of an epoch and says whether it is the best one. A metric that they lack
  /// is an `Error` of kind Usage; where there are no figures, nothing was measured.
  bool add(std::uint64_t epoch, std::uint64_t step, const Metrics &figures);

  /// Whether patience has run out.
  bool isSpent() const { return options_.patience > 0 && best_.waited >= options_.patience; }

private:
  bool isBetter(double value) const;

  BestOptions options_;
  BestSoFar best_;
};

/// Whether more of a figure of this name is better: accuracy, precision, recall, f1, auc, r2, score
/// and names that end in one of these after an underscore.
bool isBetterGreater(std::string_view metric);

} // namespace apr::train
