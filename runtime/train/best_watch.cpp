// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/best_watch.h"

#include "runtime/train/error.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace apr::train {

bool isBetterGreater(std::string_view metric) {
  for (const std::string_view word :
       {"accuracy", "precision", "recall", "f1", "auc", "r2", "score", "correct", "hits"}) {
    if (metric == word)
      return true;
    if (metric.size() > word.size() && metric.ends_with(word) &&
        metric[metric.size() - word.size() - 1] == '_')
      return true;
  }
  return false;
}

bool BestWatch::isBetter(double value) const {
  // A figure that is no number is never the best, and any number is better than none.
  if (std::isnan(value))
    return false;
  if (best_.epoch == 0)
    return true;
  const bool isGreater = options_.better == Better::ByName ? isBetterGreater(best_.metric)
                                                           : options_.better == Better::Greater;
  return isGreater ? value > best_.value + options_.minDelta
                   : value < best_.value - options_.minDelta;
}

bool BestWatch::add(std::uint64_t epoch, std::uint64_t step, const Metrics &figures) {
  if (!options_.isWatched || figures.empty())
    return false;
  const Metric *metric =
      options_.metric.empty() ? &figures.front() : find(figures, options_.metric);
  if (!metric) {
    std::vector<std::string> known;
    for (const Metric &figure : figures)
      known.push_back(figure.name);
    throw Error(ErrorKind::Usage, {"train.early_stop"},
                fmt::format("no figure is called {}{}; there are {}", inQuotes(options_.metric),
                            suggestion(options_.metric, known), listed(known)));
  }
  best_.metric = metric->name;
  if (!isBetter(metric->value)) {
    ++best_.waited;
    return false;
  }
  best_ = {metric->name, metric->value, epoch, step, 0};
  return true;
}

} // namespace apr::train
