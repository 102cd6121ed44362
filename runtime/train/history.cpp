// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/history.h"

#include "runtime/train/error.h"
#include "runtime/train/json_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

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

History::History(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0)
    throw Error(ErrorKind::Data, {path_},
                fmt::format("cannot create the file: {}", std::strerror(errno)));
}

History::~History() { ::close(descriptor_); }

void History::write(const std::string &line) {
  const std::string text = line + "\n";
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      throw Error(ErrorKind::Data, {path_},
                  fmt::format("cannot write the file: {}", std::strerror(errno)));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void History::addStep(const StepReport &report, double seconds) {
  write(historyLine(report, seconds));
}

void History::addEpoch(const EpochReport &report, double seconds) {
  write(historyLine(report, seconds));
}

} // namespace apr::train
