// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/history.h"

#include "runtime/train/json_text.h"

namespace apr::train {
namespace {

Json metricsJson(const Metrics &metrics) {
  Json object = Json::object();
  for (const Metric &metric : metrics)
    object[metric.name] = jsonNumber(metric.value);
  return object;
}

std::string line(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string historyLine(const StepReport &report, double seconds) {
  Json json = {{"step", report.step}};
  if (report.epoch > 0)
    json["epoch"] = report.epoch;
  json["training"] = metricsJson(report.metrics);
  json["seconds"] = seconds;
  return line(json);
}

std::string historyLine(const EpochReport &report, double seconds) {
  Json json = {{"epoch", report.epoch}, {"step", report.step}};
  json["training"] = metricsJson(report.training);
  if (!report.validation.empty())
    json["validation"] = metricsJson(report.validation);
  json["seconds"] = seconds;
  return line(json);
}

void History::write(const std::string &line) {
  file_.add(line + "\n");
  file_.tryWrite();
}

void History::addStep(const StepReport &report, double seconds) {
  write(historyLine(report, seconds));
}

void History::addEpoch(const EpochReport &report, double seconds) {
  write(historyLine(report, seconds));
}

} // namespace apr::train
