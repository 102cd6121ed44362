// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sha256.h"
#include "runtime/train/weight_import.h"
#include "runtime/train/weights.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/data_description.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <string_view>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

std::vector<std::string> listItems(const std::string &text) {
  std::vector<std::string> items;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    if (end > 0)
      items.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return items;
}

train::ImportRules readRules(const CommandLine &line) {
  train::ImportRules rules;
  for (const std::string &item : listItems(line.option("map").value_or(""))) {
    const auto equals = item.find('=');
    const std::string ours = item.substr(0, equals);
    const std::string theirs = equals == std::string::npos ? "" : item.substr(equals + 1);
    const bool isForPrefixes = ours.empty() || ours.ends_with('.');
    if (equals == std::string::npos ||
        (isForPrefixes ? !theirs.empty() && !theirs.ends_with('.') : theirs.empty()))
      throw Error(
          ErrorKind::Usage, {"--map"},
          fmt::format("expected OURS=THEIRS, two names or two beginnings that end in a dot, "
                      "found {}",
                      train::inQuotes(item)));
    rules.names.emplace_back(ours, theirs);
  }
  rules.transposed = listItems(line.option("transpose").value_or(""));
  rules.keepsMissing = line.option("keep-missing").value_or("false") == "true";
  return rules;
}

} // namespace

int importCommand(const CommandLine &line) {
  const auto from = line.option("from");
  const auto output = line.option("output");
  if (line.arguments.size() != 1 || !from || !output)
    throw Error(ErrorKind::Usage, "aprun import takes a model, the file to read as --from FILE and "
                                  "the one to write as -o FILE.safetensors");
  const train::ImportRules rules = readRules(line);
  Session session = readSession(line);
  openModel(session, line);
  train::Instance instance(session.model->table(), 1);
  loadTensors(session, line, instance, RunFile::Weights);
  const train::ImportReport report =
      train::importWeights(instance, train::readForeignTensors(*from), rules);
  fmt::print("{}", train::text(report));
  std::fflush(stdout);
  if (!report.mismatched.empty())
    throw Error(ErrorKind::Data, {*from}, "tensors do not fit the model; nothing was written");
  if (!report.missing.empty() && !rules.keepsMissing)
    throw Error(ErrorKind::Data, {*from},
                "the file lacks tensors; name them with --map OURS=THEIRS, or leave them as they "
                "are with --keep-missing; nothing was written");
  train::saveWeights(instance, *output, {{"imported_from_sha256", hashOfContents(*from)}});
  fmt::print("{}: {} tensors taken, {} kept, {} of the file not used\n", *output,
             report.taken.size(), report.missing.size(), report.unused.size());
  return Success;
}

} // namespace apr::aprun
