// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/html_report.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/html_page.h"
#include "runtime/train/html_text.h"
#include "runtime/train/line_chart.h"
#include "runtime/train/setting_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

namespace apr::train {
namespace {

constexpr std::size_t colors = 8;
/// A matrix of more classes is no picture any more.
constexpr std::size_t mostClasses = 50;

std::string runName(const ReportedRun &run) {
  const std::filesystem::path path(run.folder);
  const auto name = path.filename().empty() ? path.parent_path().filename() : path.filename();
  return name.empty() || name == "." ? run.folder : name.string();
}

/// A record does not say of a figure that it is an element of a tensor, but its name does.
bool isElement(const Metric &metric) {
  return metric.isElement || metric.name.find('[') != std::string::npos;
}

bool hasEpochs(const ReportedRun &run) {
  return std::any_of(run.record.history.begin(), run.record.history.end(),
                     [](const RecordedEpoch &entry) { return entry.epoch > 0; });
}

/// The names of figures that are curves, the loss first, else in the order of their appearance.
std::vector<std::string> figureNames(const std::vector<ReportedRun> &runs) {
  std::vector<std::string> names;
  const auto add = [&](const Metrics &metrics) {
    for (const Metric &metric : metrics)
      if (!isElement(metric) && std::find(names.begin(), names.end(), metric.name) == names.end())
        names.push_back(metric.name);
  };
  for (const ReportedRun &run : runs)
    for (const RecordedEpoch &entry : run.record.history) {
      add(entry.training);
      add(entry.validation);
    }
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string &name) { return name == "loss"; });
  return names;
}

ChartLine figureLine(const ReportedRun &run, const std::string &figure,
                     Metrics RecordedEpoch::*part, bool byEpoch) {
  ChartLine line;
  for (const RecordedEpoch &entry : run.record.history)
    if (const Metric *metric = find(entry.*part, figure))
      line.points.emplace_back(static_cast<double>(byEpoch ? entry.epoch : entry.step),
                               metric->value);
  return line;
}

std::string curves(const std::vector<ReportedRun> &runs) {
  const bool byEpoch = std::all_of(runs.begin(), runs.end(), hasEpochs);
  std::string html;
  for (const std::string &name : figureNames(runs)) {
    LineChart chart{name, byEpoch ? "epoch" : "step", {}};
    for (std::size_t i = 0; i < runs.size(); ++i) {
      ChartLine training = figureLine(runs[i], name, &RecordedEpoch::training, byEpoch);
      ChartLine validation = figureLine(runs[i], name, &RecordedEpoch::validation, byEpoch);
      const std::string prefix = runs.size() > 1 ? runName(runs[i]) + ": " : "";
      training.name = prefix + "training";
      validation.name = prefix + "validation";
      training.color = runs.size() > 1 ? i % colors : 0;
      validation.color = runs.size() > 1 ? i % colors : 1;
      training.isDashed = runs.size() > 1;
      for (ChartLine *line : {&training, &validation})
        if (!line->points.empty())
          chart.lines.push_back(std::move(*line));
    }
    html += chartHtml(chart);
  }
  return html.empty() ? html : "<div class=\"charts\">\n" + html + "</div>\n";
}

/// The same numbers as text, for whom a picture says nothing.
std::string curveTable(const ReportedRun &run) {
  const auto names = figureNames({run});
  std::vector<std::string> head = {"epoch", "step"};
  for (const char *part : {"training ", "validation "})
    for (const std::string &name : names)
      head.push_back(part + name);
  HtmlRows rows;
  for (const RecordedEpoch &entry : run.record.history) {
    std::vector<std::string> row = {std::to_string(entry.epoch), std::to_string(entry.step)};
    for (const Metrics *metrics : {&entry.training, &entry.validation})
      for (const std::string &name : names) {
        const Metric *metric = find(*metrics, name);
        row.push_back(metric ? fmt::format("{}", metric->value) : "");
      }
    if (!entry.training.empty() || !entry.validation.empty())
      rows.push_back(std::move(row));
  }
  return htmlDetails("All figures", htmlTable(head, rows));
}

// ---- confusion matrices ----

struct MatrixPlace {
  std::string name;
  std::size_t row = 0;
  std::size_t column = 0;
};

/// "confusion[0,1]" taken apart.
std::optional<MatrixPlace> matrixPlace(const std::string &text) {
  const auto bracket = text.find('[');
  const auto comma = text.find(',');
  if (bracket == std::string::npos || comma == std::string::npos || !text.ends_with(']'))
    return std::nullopt;
  MatrixPlace place{text.substr(0, bracket), 0, 0};
  const char *end = text.data() + text.size() - 1;
  const auto row = std::from_chars(text.data() + bracket + 1, text.data() + comma, place.row);
  const auto column = std::from_chars(text.data() + comma + 1, end, place.column);
  const bool isRead = row.ec == std::errc() && row.ptr == text.data() + comma &&
                      column.ec == std::errc() && column.ptr == end;
  return isRead ? std::optional(place) : std::nullopt;
}

using Matrix = std::map<std::pair<std::size_t, std::size_t>, double>;

std::string matrixHtml(const std::string &name, const Matrix &matrix) {
  std::size_t classes = 0;
  for (const auto &[place, count] : matrix)
    classes = std::max({classes, place.first + 1, place.second + 1});
  if (classes > mostClasses || matrix.size() != classes * classes)
    return {};
  std::string html =
      fmt::format("<h3>{}</h3><p class=\"soft\">a row per class, a column per answer; "
                  "shares are of the row</p>\n<div class=\"wide\"><table "
                  "class=\"matrix\"><tr><th></th>",
                  htmlText(name));
  for (std::size_t column = 0; column < classes; ++column)
    html += fmt::format("<th>{}</th>", column);
  html += "</tr>\n";
  for (std::size_t row = 0; row < classes; ++row) {
    double total = 0;
    for (std::size_t column = 0; column < classes; ++column)
      total += matrix.at({row, column});
    html += fmt::format("<tr><th>{}</th>", row);
    for (std::size_t column = 0; column < classes; ++column) {
      const double count = matrix.at({row, column});
      const double share = total > 0 && count >= 0 ? std::min(1.0, count / total) : 0;
      html += fmt::format("<td style=\"--share: {:.3f}\" title=\"{:.1f} %\">{}</td>", share,
                          100 * share, figure(count));
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string confusion(const ReportedRun &run) {
  const bool isValidated = !run.record.validation.empty();
  std::map<std::string, Matrix> matrices;
  for (const Metric &metric : isValidated ? run.record.validation : run.record.training)
    if (const auto place = isElement(metric) ? matrixPlace(metric.name) : std::nullopt)
      matrices[place->name][{place->row, place->column}] = metric.value;
  std::string html;
  for (const auto &[name, matrix] : matrices)
    html += matrixHtml((isValidated ? "validation " : "training ") + name, matrix);
  return html;
}

// ---- tables ----

std::string inputTable(const ReportedRun &run) {
  std::string html;
  const auto inputs = run.json.find("inputs");
  if (inputs == run.json.end())
    return html;
  for (const ParsedJson &input : *inputs) {
    HtmlRows rows;
    for (const ParsedJson &column : input.at("columns"))
      rows.push_back(
          {column.at("label").get<std::string>(), transformText(column.at("transforms"))});
    html += htmlDetails(fmt::format("{}: {} column{}, {}", input.at("name").get<std::string>(),
                                    rows.size(), rows.size() == 1 ? "" : "s",
                                    input.at("dtype").get<std::string>()),
                        htmlTable({"column", "transforms, fitted on the training rows"}, rows));
  }
  return html;
}

std::string dataSection(const ReportedRun &run) {
  HtmlRows files;
  for (const RecordedFile &file : run.record.dataFiles)
    files.push_back({file.role, file.sha256});
  return fmt::format("<p>{} training rows, {} validation rows</p>\n", run.record.trainingRows,
                     run.record.validationRows) +
         htmlTable({"file", "SHA-256 of its contents"}, files) + inputTable(run);
}

/// Tensors by layer: what stands before the last dot of their names.
std::string modelSection(const ReportedRun &run) {
  struct Layer {
    std::vector<std::string> tensors;
    std::uint64_t elements = 0;
  };
  std::vector<std::string> order;
  std::map<std::string, Layer> layers;
  std::uint64_t total = 0;
  for (const StoredTensor &tensor : run.weights) {
    const auto dot = tensor.name.rfind('.');
    const std::string layer = dot == std::string::npos ? "" : tensor.name.substr(0, dot);
    if (layers.find(layer) == layers.end())
      order.push_back(layer);
    std::uint64_t elements = 1;
    for (std::int64_t size : tensor.shape)
      elements *= static_cast<std::uint64_t>(size);
    layers[layer].tensors.push_back(fmt::format("{} {}[{}]",
                                                tensor.name.substr(layer.empty() ? 0 : dot + 1),
                                                tensor.dtype, fmt::join(tensor.shape, ", ")));
    layers[layer].elements += elements;
    total += elements;
  }
  HtmlRows rows;
  for (const std::string &name : order)
    rows.push_back({name.empty() ? run.record.modelName : name,
                    fmt::format("{}", fmt::join(layers[name].tensors, ", ")),
                    std::to_string(layers[name].elements)});
  if (!rows.empty())
    rows.push_back({"all", fmt::format("{} tensors", run.weights.size()), std::to_string(total)});
  return htmlTable({"layer", "tensors", "numbers"}, rows);
}

std::string identitySection(const ReportedRun &run) {
  const RunRecord &record = run.record;
  return htmlTable({}, {{"model source", record.sourceHash},
                        {"weights", record.weightHash},
                        {"state", record.stateHash},
                        {"training", record.trainingDigest},
                        {"record", record.recordDigest}}) +
         fmt::format("<p>To repeat the training from its record and compare every bit:</p>\n"
                     "<pre>aprun verify {}</pre>\n",
                     htmlText(run.folder));
}

std::string environmentSection(const ReportedRun &run) {
  HtmlRows rows;
  if (const auto found = run.json.find("information"); found != run.json.end())
    flatten(*found, "", rows);
  return htmlTable({}, rows);
}

std::string card(const std::string &title, const std::string &value) {
  return fmt::format("<div class=\"card\"><b>{}</b>{}</div>\n", htmlText(value), htmlText(title));
}

std::string cards(const ReportedRun &run) {
  const RunRecord &record = run.record;
  std::string html = "<div class=\"cards\">\n";
  for (const auto &[part, metrics] :
       {std::pair("training ", &record.training), std::pair("validation ", &record.validation)})
    for (const Metric &metric : *metrics)
      if (!isElement(metric))
        html += card(part + metric.name, figure(metric.value));
  html += card("epochs", std::to_string(record.epochs));
  html += card("steps", std::to_string(record.steps));
  html += card("seconds", fmt::format("{:.4g}", record.information.seconds));
  return html + "</div>\n";
}

std::string oneRun(const ReportedRun &run) {
  return htmlSection("Confusion", confusion(run)) + htmlSection("Model", modelSection(run)) +
         htmlSection("Data", dataSection(run)) +
         htmlSection("Settings", htmlTable({}, settingRows(run))) +
         htmlSection("Environment", environmentSection(run)) +
         htmlSection("Identity", identitySection(run)) +
         htmlSection("Record", htmlDetails("run.json", "<pre>" + htmlText(run.text) + "</pre>\n"));
}

// ---- several runs ----

HtmlRows finalFigures(const std::vector<ReportedRun> &runs) {
  HtmlRows rows;
  for (const bool isValidation : {false, true})
    for (const std::string &name : figureNames(runs)) {
      std::vector<std::string> row = {(isValidation ? "validation " : "training ") + name};
      bool hasAny = false;
      for (const ReportedRun &run : runs) {
        const Metric *metric =
            find(isValidation ? run.record.validation : run.record.training, name);
        row.push_back(metric ? figure(metric->value) : "");
        hasAny = hasAny || metric;
      }
      if (hasAny)
        rows.push_back(std::move(row));
    }
  return rows;
}

/// What is not the same in all runs.
HtmlRows differences(const std::vector<ReportedRun> &runs) {
  std::vector<std::string> order;
  std::vector<std::map<std::string, std::string>> values(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const auto &row : comparedRows(runs[i])) {
      values[i][row[0]] = row[1];
      if (std::find(order.begin(), order.end(), row[0]) == order.end())
        order.push_back(row[0]);
    }
  }
  HtmlRows rows;
  for (const std::string &key : order) {
    std::vector<std::string> row = {key};
    for (const auto &each : values) {
      const auto found = each.find(key);
      row.push_back(found == each.end() ? "" : found->second);
    }
    if (std::any_of(row.begin() + 2, row.end(), [&](const auto &cell) { return cell != row[1]; }))
      rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> runHead(const std::vector<ReportedRun> &runs) {
  std::vector<std::string> head = {""};
  for (const ReportedRun &run : runs)
    head.push_back(runName(run));
  return head;
}

std::string textTable(HtmlRows rows) {
  std::vector<std::size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], textWidth(row[i]));
  }
  std::string text;
  for (const auto &row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - textWidth(row[i]) + 2, ' ');
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

} // namespace

ReportedRun readReportedRun(const std::string &folder) {
  ReportedRun run;
  run.folder = folder;
  run.record = readRecord(folder);
  const std::string path = folder + "/run.json";
  run.text = readFile(path);
  run.json = parseJson(run.text, path);
  std::error_code error;
  const std::string weights = folder + "/weights.safetensors";
  if (std::filesystem::exists(weights, error))
    run.weights = SafetensorsFile::open(weights).tensors();
  return run;
}

std::string reportHtml(const std::vector<ReportedRun> &runs) {
  const bool isOne = runs.size() == 1;
  std::vector<std::string> names;
  for (const ReportedRun &run : runs)
    names.push_back(runName(run));
  const std::string title =
      fmt::format("{} – {}", runs.front().record.modelName, fmt::join(names, ", "));
  std::string html = fmt::format("<h1>{}</h1>\n", htmlText(title));
  if (isOne) {
    html += fmt::format("<p class=\"soft\">{}, started {}</p>\n", htmlText(runs[0].record.end),
                        htmlText(runs[0].record.information.started));
    html += cards(runs[0]);
  } else {
    html += htmlSection("Figures", htmlTable(runHead(runs), finalFigures(runs)));
    html += htmlSection("What differs", htmlTable(runHead(runs), differences(runs)));
  }
  html += htmlSection("Curves", curves(runs) + (isOne ? curveTable(runs[0]) : ""));
  if (isOne)
    return htmlPage(title, html + oneRun(runs[0]));
  for (const ReportedRun &run : runs)
    html += htmlDetails(runName(run), cards(run) + curveTable(run) + oneRun(run));
  return htmlPage(title, html);
}

std::string comparisonText(const std::vector<ReportedRun> &runs) {
  HtmlRows rows = finalFigures(runs);
  rows.insert(rows.begin(), runHead(runs));
  HtmlRows settings = differences(runs);
  if (settings.empty())
    settings.push_back({"all settings, data and results are the same"});
  return textTable(rows) + "\n" + textTable(settings);
}

} // namespace apr::train
