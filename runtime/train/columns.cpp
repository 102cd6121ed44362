// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/columns.h"

#include "runtime/train/number.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace apr::train {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

[[noreturn]] void failUnknown(std::string_view word, const ColumnSet &table, const Place &place) {
  std::vector<std::string> names = table.names;
  std::vector<std::string> groups;
  for (const ColumnGroup &group : table.groups)
    groups.push_back(group.name);
  names.insert(names.end(), groups.begin(), groups.end());
  const std::string known =
      !groups.empty() ? fmt::format("{} has the arrays {}", table.file, listed(groups))
      : table.names.empty()
          ? fmt::format("{} has no header; its columns are 1 to {}", table.file, table.count)
          : fmt::format("{} has {} columns", table.file, table.count);
  throw Error(ErrorKind::Usage, place,
              fmt::format("no column {}{}; {}", inQuotes(word), suggestion(word, names), known));
}

std::optional<std::size_t> positionOf(std::string_view word, const ColumnSet &table,
                                      const Place &place) {
  long long position = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), position);
  if (error != std::errc{} || end != word.data() + word.size())
    return std::nullopt;
  const auto count = static_cast<long long>(table.count);
  if (position < -count || position == 0 || position > count)
    throw Error(ErrorKind::Usage, place,
                fmt::format("no column {}: {} has {} columns, counted from 1 (or -1 from the end)",
                            position, table.file, count));
  return static_cast<std::size_t>(position > 0 ? position - 1 : count + position);
}

std::optional<std::size_t> columnOf(std::string_view word, const ColumnSet &table,
                                    const Place &place) {
  const auto named = std::find(table.names.begin(), table.names.end(), word);
  if (named != table.names.end())
    return static_cast<std::size_t>(named - table.names.begin());
  return positionOf(word, table, place);
}

const ColumnGroup *groupOf(std::string_view word, const ColumnSet &table) {
  const auto found = std::find_if(table.groups.begin(), table.groups.end(),
                                  [word](const ColumnGroup &group) { return group.name == word; });
  return found == table.groups.end() ? nullptr : &*found;
}

void selectGroup(const ColumnGroup &group, std::vector<std::size_t> &selected) {
  for (std::size_t column = group.first; column < group.first + group.count; ++column)
    selected.push_back(column);
}

void selectOne(std::string_view word, const ColumnSet &table, const Place &place,
               std::vector<std::size_t> &selected) {
  if (const ColumnGroup *group = groupOf(word, table)) {
    selectGroup(*group, selected);
    return;
  }
  if (const auto column = columnOf(word, table, place)) {
    selected.push_back(*column);
    return;
  }
  const auto dots = word.find("..");
  if (dots == std::string_view::npos)
    failUnknown(word, table, place);
  const std::string_view ends[] = {trimmed(word.substr(0, dots)), trimmed(word.substr(dots + 2))};
  std::size_t bounds[2];
  for (int i = 0; i < 2; ++i) {
    const auto column = columnOf(ends[i], table, place);
    if (!column)
      failUnknown(ends[i], table, place);
    bounds[i] = *column;
  }
  if (bounds[0] > bounds[1])
    throw Error(ErrorKind::Usage, place,
                fmt::format("the range {} runs backwards", inQuotes(word)));
  for (std::size_t column = bounds[0]; column <= bounds[1]; ++column)
    selected.push_back(column);
}

const Declared *declaredFor(const std::vector<Declared> &list, std::string_view key) {
  // The last one wins: flags follow the run file.
  const auto found = std::find_if(list.rbegin(), list.rend(),
                                  [key](const Declared &entry) { return entry.key == key; });
  return found == list.rend() ? nullptr : &*found;
}

bool isOneValue(const InputNeed &input) { return input.rowElements <= 1; }

/// Gives the columns not yet taken to the inputs still open, where the counts fit exactly.
void bindRest(const std::vector<InputNeed> &inputs, const ColumnSet &table,
              std::vector<std::vector<std::size_t>> &bound) {
  std::vector<bool> taken(table.count, false);
  std::size_t needed = 0;
  std::size_t flexible = 0;
  std::vector<std::string> open;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t column : bound[i])
      taken[column] = true;
    if (!bound[i].empty())
      continue;
    open.push_back(inputs[i].name);
    needed += inputs[i].rowElements;
    flexible += inputs[i].rowElements == 0 ? 1 : 0;
  }
  if (open.empty())
    return;
  std::vector<std::size_t> rest;
  for (std::size_t column = 0; column < table.count; ++column)
    if (!taken[column])
      rest.push_back(column);
  const bool fits = flexible == 0   ? rest.size() == needed
                    : flexible == 1 ? rest.size() > needed
                                    : false;
  if (!fits) {
    std::string needs;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (bound[i].empty())
        needs += fmt::format("{}{} ({})", needs.empty() ? "" : ", ", inputs[i].name,
                             inputs[i].rowElements == 0 ? std::string("any number")
                                                        : std::to_string(inputs[i].rowElements));
    throw Error(ErrorKind::Usage, {table.file},
                fmt::format("cannot tell which columns feed which input: {} column{} left for {}; "
                            "say so with [inputs] in the run file or --input NAME=COLUMNS; lines "
                            "before the table are left out by --skip",
                            rest.size(), rest.size() == 1 ? " is" : "s are", needs));
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!bound[i].empty())
      continue;
    const std::size_t width =
        inputs[i].rowElements == 0 ? rest.size() - needed : inputs[i].rowElements;
    for (std::size_t k = 0; k < width; ++k)
      bound[i].push_back(rest[next++]);
  }
}

/// Does something to each column that an entry names: those of inputs first, so that columns win.
/// `what` says what it is: "the transform".
template <class Attach>
void attach(std::vector<InputColumns> &bindings, const ColumnSet &table,
            const std::vector<Declared> &entries, const char *what, Attach attachTo) {
  const auto isInput = [&](const std::string &key) {
    return std::any_of(bindings.begin(), bindings.end(),
                       [&](const InputColumns &binding) { return binding.input == key; });
  };
  for (const Declared &declared : entries)
    for (InputColumns &binding : bindings)
      if (binding.input == declared.key)
        attachTo(declared, binding, [](const ColumnUse &) { return true; });
  for (const Declared &declared : entries) {
    if (isInput(declared.key))
      continue;
    const auto columns = selectColumns(declared.key, table, declared.place);
    const std::set<std::size_t> wanted(columns.begin(), columns.end());
    const auto isWanted = [&](const ColumnUse &use) { return wanted.contains(use.column); };
    bool isUsed = false;
    for (InputColumns &binding : bindings) {
      attachTo(declared, binding, isWanted);
      isUsed |= std::any_of(binding.columns.begin(), binding.columns.end(), isWanted);
    }
    if (!isUsed)
      throw Error(ErrorKind::Usage, declared.place,
                  fmt::format("{} of {} changes nothing: no input takes that column", what,
                              inQuotes(declared.key)));
  }
}

void attachTransforms(std::vector<InputColumns> &bindings, const ColumnSet &table,
                      const std::vector<Declared> &transforms) {
  attach(bindings, table, transforms, "the transform",
         [](const Declared &declared, InputColumns &binding, const auto &isWanted) {
           const Pipeline pipeline = parsePipeline(declared.text, declared.place);
           const std::size_t count = binding.columns.size();
           for (std::size_t k = 0; k < count; ++k)
             if (isWanted(binding.columns[k]))
               binding.columns[k].pipeline = pipelineOfColumn(pipeline, k, count, declared.place);
         });
}

void checkMissing(const ColumnUse &use, const Declared &declared) {
  const bool takesWords = takesLabels(use.pipeline);
  const Missing &missing = use.missing;
  if (takesWords && missing.isFitted())
    throw Error(ErrorKind::Usage, declared.place,
                fmt::format("column {} holds categories, which have no {}: name the category that "
                            "stands for a missing one, or drop",
                            use.label, name(missing.policy)));
  double number = 0;
  if (takesWords || missing.policy != MissingPolicy::Constant ||
      parseNumber(missing.constant, number) == NumberFault::None)
    return;
  const std::vector<std::string> words = {"error", "drop", "mean", "median"};
  throw Error(ErrorKind::Usage, declared.place,
              fmt::format("{} is not what column {} can do about missing values{}; there are {}, "
                          "or a number that takes their place",
                          inQuotes(missing.constant), use.label,
                          suggestion(missing.constant, words), listed(words)));
}

void attachMissing(std::vector<InputColumns> &bindings, const ColumnSet &table,
                   const std::vector<Declared> &entries) {
  attach(bindings, table, entries, "what is done about missing values",
         [](const Declared &declared, InputColumns &binding, const auto &isWanted) {
           for (ColumnUse &use : binding.columns)
             if (isWanted(use)) {
               use.missing = parseMissing(trimmed(declared.text));
               checkMissing(use, declared);
             }
         });
}

} // namespace

std::vector<std::size_t> selectColumns(std::string_view text, const ColumnSet &table,
                                       const Place &place) {
  std::vector<std::size_t> selected;
  // A name may hold a comma.
  if (std::find(table.names.begin(), table.names.end(), text) != table.names.end()) {
    selectOne(text, table, place, selected);
    return selected;
  }
  while (true) {
    const auto comma = text.find(',');
    selectOne(trimmed(text.substr(0, comma)), table, place, selected);
    if (comma == std::string_view::npos)
      return selected;
    text.remove_prefix(comma + 1);
  }
}

std::string columnLabel(const ColumnSet &table, std::size_t column) {
  return table.names.empty() ? std::to_string(column + 1) : table.names[column];
}

std::vector<InputColumns> bindColumns(const std::vector<InputNeed> &inputs, const ColumnSet &table,
                                      const std::vector<Declared> &selections,
                                      const std::vector<Declared> &transforms,
                                      const std::vector<Declared> &missing) {
  std::vector<std::string> names;
  for (const InputNeed &input : inputs)
    names.push_back(input.name);
  for (const Declared &selection : selections)
    if (std::find(names.begin(), names.end(), selection.key) == names.end())
      throw Error(ErrorKind::Usage, selection.place,
                  fmt::format("no input {}{}; the inputs are {}", inQuotes(selection.key),
                              suggestion(selection.key, names), listed(names)));
  std::vector<std::vector<std::size_t>> bound(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (const Declared *declared = declaredFor(selections, inputs[i].name))
      bound[i] = selectColumns(declared->text, table, declared->place);
    else if (const auto named = std::find(table.names.begin(), table.names.end(), inputs[i].name);
             named != table.names.end() && isOneValue(inputs[i]))
      bound[i] = {static_cast<std::size_t>(named - table.names.begin())};
    else if (const ColumnGroup *group = groupOf(inputs[i].name, table);
             group && (inputs[i].rowElements == 0 || inputs[i].rowElements == group->count))
      selectGroup(*group, bound[i]);
  }
  bindRest(inputs, table, bound);
  std::vector<InputColumns> bindings;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    InputColumns binding{inputs[i].name, {}};
    for (std::size_t column : bound[i])
      binding.columns.push_back({column, columnLabel(table, column), {}});
    bindings.push_back(std::move(binding));
  }
  attachTransforms(bindings, table, transforms);
  attachMissing(bindings, table, missing);
  return bindings;
}

} // namespace apr::train
