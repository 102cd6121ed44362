// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/html_report.h"
#include "tools/aprun/altered_record.h"
#include "tools/aprun/commands.h"

#include <fmt/format.h>

#include <vector>

namespace apr::aprun {
namespace {

std::vector<train::ReportedRun> readRuns(const CommandLine &line) {
  std::vector<train::ReportedRun> runs;
  for (const std::string &folder : line.arguments) {
    runs.push_back(train::readReportedRun(folder));
    warnOfAlterations(folder);
  }
  return runs;
}

void writeReport(const std::vector<train::ReportedRun> &runs, const std::string &path) {
  const std::string html = train::reportHtml(runs);
  train::writeFile(path, html);
  fmt::print("{}: {} run{}, {} bytes\n", path, runs.size(), runs.size() == 1 ? "" : "s",
             html.size());
}

} // namespace

int reportCommand(const CommandLine &line) {
  if (line.arguments.size() != 1)
    throw train::Error(train::ErrorKind::Usage,
                       "aprun report takes one argument, a run; aprun compare takes several");
  writeReport(readRuns(line), line.option("output").value_or(line.arguments[0] + "/report.html"));
  return Success;
}

int compareCommand(const CommandLine &line) {
  if (line.arguments.size() < 2)
    throw train::Error(train::ErrorKind::Usage, "aprun compare takes two runs or more");
  const auto runs = readRuns(line);
  fmt::print("{}", train::comparisonText(runs));
  if (const auto output = line.option("output"))
    writeReport(runs, *output);
  return Success;
}

} // namespace apr::aprun
