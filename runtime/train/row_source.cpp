// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/row_source.h"

#include "runtime/train/overloaded.h"

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
  if (!use.pipeline.empty() || use.missing.isFitted())
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

std::size_t sizeOf(const ColumnValues &values) {
  return std::visit(Overloaded{[](const LabelColumn &column) { return column.codes.size(); },
                               [](const BoolColumn &column) { return column.values.size(); },
                               [](const auto &numbers) { return numbers.size(); }},
                    values);
}

void appendNothing(ColumnValues &values) {
  std::visit(Overloaded{[](LabelColumn &column) { column.codes.push_back(0); },
                        [](BoolColumn &column) { column.values.push_back(0); },
                        [](auto &numbers) { numbers.push_back(0); }},
             values);
}

void keepRows(ColumnValues &values, const std::vector<std::size_t> &rows) {
  const auto keep = [&](auto &list) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      list[i] = list[rows[i]];
    list.resize(rows.size());
  };
  std::visit(Overloaded{[&](LabelColumn &column) {
                          LabelColumn kept;
                          for (std::size_t row : rows)
                            kept.append(column.labels[column.codes[row]]);
                          column = std::move(kept);
                        },
                        [&](BoolColumn &column) { keep(column.values); },
                        [&](auto &numbers) { keep(numbers); }},
             values);
}

} // namespace apr::train
