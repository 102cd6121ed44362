// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/row_source.h"

#include <aprt.h>

namespace apr::train {

void LabelColumn::append(std::string_view label) {
  while (label.front() == ' ')
    label.remove_prefix(1);
  while (label.back() == ' ')
    label.remove_suffix(1);
  auto found = index.find(label);
  if (found == index.end()) {
    labels.emplace_back(label);
    found = index.emplace(std::string(label), static_cast<std::uint32_t>(labels.size() - 1)).first;
  }
  codes.push_back(found->second);
}

ColumnValues emptyColumn(const ColumnUse &use, std::int32_t dtype) {
  if (takesLabels(use.pipeline))
    return LabelColumn{};
  if (!use.pipeline.empty())
    return std::vector<double>{};
  switch (dtype) {
  case APRT_F32:
    return std::vector<float>{};
  case APRT_I32:
    return std::vector<std::int32_t>{};
  case APRT_I64:
    return std::vector<std::int64_t>{};
  case APRT_U8:
    return std::vector<std::uint8_t>{};
  case APRT_BOOL:
    return BoolColumn{};
  default:
    return std::vector<double>{};
  }
}

} // namespace apr::train
