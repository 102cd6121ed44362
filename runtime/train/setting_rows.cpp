// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/setting_rows.h"

#include "runtime/train/record_digest.h"
#include "runtime/train/sha256.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace apr::train {
namespace {

/// A long text cut for a table; its digest keeps apart those that begin alike.
std::string shortened(const std::string &text) {
  constexpr std::size_t most = 60;
  if (textWidth(text) <= most)
    return text;
  std::size_t end = most / 2;
  while ((static_cast<unsigned char>(text[end]) >> 6) == 2) // a character stays whole
    --end;
  return fmt::format("{}… ({:.8})", text.substr(0, end), sha256Of(text));
}

bool isDigest(const std::string &text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string missingText(const ParsedJson &missing) {
  const ParsedJson &value = missing.at("value");
  const std::string policy = missing.at("policy").get<std::string>();
  if (value.is_null())
    return policy;
  return fmt::format("{}({})", policy, value.is_string() ? value.get<std::string>() : value.dump());
}

/// What an input takes of each column, in a row that says it once where all columns are alike.
void addInput(const ParsedJson &input, HtmlRows &rows) {
  const std::string name = "inputs." + input.at("name").get<std::string>();
  std::vector<std::string> columns;
  std::vector<std::string> transforms;
  std::vector<std::string> missing;
  for (const ParsedJson &column : input.at("columns")) {
    columns.push_back(
        fmt::format("{} {}", column.at("column").dump(), column.at("label").get<std::string>()));
    transforms.push_back(transformText(column.at("transforms")));
    missing.push_back(missingText(column.at("missing")));
  }
  const auto joined = [](std::vector<std::string> texts) {
    const bool areAlike = std::all_of(texts.begin(), texts.end(),
                                      [&](const auto &text) { return text == texts.front(); });
    return areAlike && !texts.empty() ? texts.front() : fmt::format("{}", fmt::join(texts, "; "));
  };
  rows.push_back({name + ".columns", fmt::format("{}", fmt::join(columns, ", "))});
  rows.push_back({name + ".transforms", joined(transforms)});
  rows.push_back({name + ".missing", joined(missing)});
  for (const char *key : {"dtype", "row_elements", "index_limit", "sha256"})
    flatten(input.at(key), name + "." + key, rows);
}

} // namespace

void flatten(const ParsedJson &value, const std::string &name, HtmlRows &rows) {
  if (!value.is_object()) {
    rows.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
    return;
  }
  for (const auto &[key, each] : value.items())
    flatten(each, name.empty() ? key : name + "." + key, rows);
}

HtmlRows settingRows(const ReportedRun &run) {
  HtmlRows rows;
  for (const char *key : {"block", "seed", "hyper", "dims", "values", "train", "changes", "start"})
    if (const auto found = run.json.find(key); found != run.json.end())
      flatten(*found, key, rows);
  if (const auto model = run.json.find("model"); model != run.json.end())
    if (const auto set = model->find("set"); set != model->end())
      flatten(*set, "set", rows);
  if (const auto data = run.json.find("data"); data != run.json.end())
    for (const auto &[key, value] : data->items())
      if (key != "files")
        flatten(value, "data." + key, rows);
  return rows;
}

std::string transformText(const ParsedJson &transforms) {
  std::vector<std::string> steps;
  for (const ParsedJson &step : transforms) {
    std::vector<std::string> arguments;
    for (const char *key : {"constants", "labels"})
      if (const auto found = step.find(key); found != step.end())
        for (const ParsedJson &value : *found)
          arguments.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    const std::string kind = step.value("kind", std::string());
    steps.push_back(arguments.empty() ? kind
                                      : fmt::format("{}({})", kind, fmt::join(arguments, ", ")));
  }
  return fmt::format("{}", fmt::join(steps, " | "));
}

HtmlRows comparedRows(const ReportedRun &run) {
  HtmlRows rows = settingRows(run);
  rows.push_back({"model", run.record.sourceHash});
  flatten(run.json.at("model").at("semantics_version"), "model.semantics_version", rows);
  std::map<std::string, std::size_t> numbers;
  for (const RecordedFile &file : run.record.dataFiles) {
    const std::size_t number = ++numbers[file.role];
    rows.push_back({fmt::format("data.files.{}{}", file.role,
                                number > 1 ? fmt::format(" {}", number) : std::string()),
                    file.sha256});
  }
  for (const ParsedJson &input : run.json.at("inputs"))
    addInput(input, rows);
  rows.push_back({"epochs", std::to_string(run.record.epochs)});
  rows.push_back({"steps", std::to_string(run.record.steps)});
  rows.push_back({"end", run.record.end});
  rows.push_back({"training", digestsOf(run.json).training});
  for (auto &row : rows)
    row[1] = isDigest(row[1]) ? row[1].substr(0, 12) : shortened(row[1]);
  return rows;
}

std::size_t textWidth(const std::string &text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

} // namespace apr::train
