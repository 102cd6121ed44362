// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/training_end.h"

#include "runtime/train/json_text.h"
#include "runtime/train/sparkline.h"

#include <fmt/format.h>

#include <vector>

namespace apr::aprun {

std::string courseText(const train::RunRecord &record) {
  constexpr std::size_t width = 40;
  for (const auto part : {&train::RecordedEpoch::validation, &train::RecordedEpoch::training}) {
    std::vector<double> values;
    std::string name;
    for (const train::RecordedEpoch &entry : record.history) {
      const train::Metrics &metrics = entry.*part;
      if (metrics.empty() || metrics.front().isElement)
        continue;
      name = metrics.front().name;
      values.push_back(metrics.front().value);
    }
    if (values.size() >= 3)
      return fmt::format("{}{} {}  {} to {}\n",
                         part == &train::RecordedEpoch::validation ? "validation " : "", name,
                         train::sparkline(values, width), train::figure(values.front()),
                         train::figure(values.back()));
  }
  return {};
}

std::string endLine(const train::RunSettings &settings, const train::RunRecord &record) {
  return train::Json({{"end", record.end},
                      {"epochs", record.epochs},
                      {"steps", record.steps},
                      {"seconds", record.information.seconds},
                      {"weights", record.weightHash},
                      {"out", settings.out}})
      .dump(-1, ' ', false, train::Json::error_handler_t::replace);
}

} // namespace apr::aprun
