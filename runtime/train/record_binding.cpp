// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/record.h"

#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace apr::train {
namespace {

ColumnUse recordedColumn(const RunRecord &record, const ColumnUse &trained, const ColumnSet &table,
                         const std::vector<std::size_t> &needed) {
  ColumnUse use = trained;
  if (!table.names.empty() && !record.columnNames.empty()) {
    const auto found = std::find(table.names.begin(), table.names.end(), trained.label);
    if (found == table.names.end())
      throw Error(ErrorKind::Data, {table.file},
                  fmt::format("the table lacks the column {} that the model was trained on{}",
                              inQuotes(trained.label), suggestion(trained.label, table.names)));
    use.column = static_cast<std::size_t>(found - table.names.begin());
    return use;
  }
  if (table.count == record.columnCount)
    return use;
  if (table.count == needed.size()) {
    use.column = static_cast<std::size_t>(std::find(needed.begin(), needed.end(), trained.column) -
                                          needed.begin());
    return use;
  }
  throw Error(ErrorKind::Data, {table.file},
              fmt::format("the table has {} columns, expected {} as in training, or just the {} "
                          "that the inputs take",
                          table.count, record.columnCount, needed.size()));
}

const RecordedInput &recordedFor(const RunRecord &record, const InputNeed &need) {
  const RecordedInput *alike = nullptr;
  std::size_t alikeCount = 0;
  for (const RecordedInput &input : record.inputs) {
    if (input.need.name == need.name)
      return input;
    if (input.need.dtype == need.dtype && input.need.rowElements == need.rowElements) {
      alike = &input;
      ++alikeCount;
    }
  }
  if (alikeCount == 1)
    return *alike;
  std::vector<std::string> names;
  for (const RecordedInput &input : record.inputs)
    names.push_back(input.need.name);
  throw Error(ErrorKind::Usage,
              fmt::format("the run was not trained with an input {}; it knows {}",
                          inQuotes(need.name), names.empty() ? "none" : listed(names)));
}

InputColumns selectedColumns(const RunRecord &record, const InputNeed &need, const ColumnSet &table,
                             const Declared &selection) {
  const auto columns = selectColumns(selection.text, table, selection.place);
  const auto &trained = recordedFor(record, need).columns.columns;
  if (columns.size() != trained.size())
    throw Error(ErrorKind::Usage, selection.place,
                fmt::format("input {} takes {} columns as in training, found {}", need.name,
                            trained.size(), columns.size()));
  InputColumns binding{need.name, trained};
  for (std::size_t k = 0; k < columns.size(); ++k) {
    binding.columns[k].column = columns[k];
    binding.columns[k].label = columnLabel(table, columns[k]);
  }
  return binding;
}

void checkSelections(const std::vector<Declared> &selections,
                     const std::vector<InputNeed> &wanted) {
  std::vector<std::string> names;
  for (const InputNeed &need : wanted)
    names.push_back(need.name);
  for (const Declared &selection : selections)
    if (std::find(names.begin(), names.end(), selection.key) == names.end())
      throw Error(ErrorKind::Usage, selection.place,
                  fmt::format("there is no input {}{}; there are {}", inQuotes(selection.key),
                              suggestion(selection.key, names), listed(names)));
}

} // namespace

std::vector<InputColumns> bindRecorded(const RunRecord &record,
                                       const std::vector<InputNeed> &wanted, const ColumnSet &table,
                                       const std::vector<Declared> &selections) {
  checkSelections(selections, wanted);
  const auto selectionOf = [&](const InputNeed &need) {
    const auto found =
        std::find_if(selections.begin(), selections.end(),
                     [&](const Declared &selection) { return selection.key == need.name; });
    return found == selections.end() ? nullptr : &*found;
  };
  std::set<std::size_t> columns;
  for (const InputNeed &need : wanted)
    if (!selectionOf(need))
      for (const ColumnUse &use : recordedFor(record, need).columns.columns)
        columns.insert(use.column);
  const std::vector<std::size_t> needed(columns.begin(), columns.end());
  std::vector<InputColumns> bindings;
  for (const InputNeed &need : wanted) {
    if (const Declared *selection = selectionOf(need)) {
      bindings.push_back(selectedColumns(record, need, table, *selection));
      continue;
    }
    InputColumns binding{need.name, {}};
    for (const ColumnUse &trained : recordedFor(record, need).columns.columns)
      binding.columns.push_back(recordedColumn(record, trained, table, needed));
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

} // namespace apr::train
