// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/grad_check.h"
#include "runtime/train/statistics.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/weights.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/final_hypers.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

/// Tensors of a block of memory: the state, or the gradients of a batch.
struct TensorBlock {
  std::vector<const aprt_tensor *> tensors;
  const std::byte *values = nullptr;
};

train::TensorLine lineOf(const aprt_tensor &tensor, const std::byte *values) {
  return {tensor.name, train::typeText(tensor), values + tensor.offset, tensor.dtype,
          train::elementCount(tensor)};
}

void printTable(const TensorBlock &block) {
  std::vector<train::TensorLine> lines;
  for (const aprt_tensor *tensor : block.tensors)
    lines.push_back(lineOf(*tensor, block.values));
  fmt::print("{}", train::table(lines));
}

void printNamed(const TensorBlock &block, const std::vector<std::string> &names,
                std::size_t limit) {
  std::vector<std::string> known;
  for (const aprt_tensor *tensor : block.tensors)
    known.emplace_back(tensor->name);
  for (const std::string &name : names) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end())
      throw Error(ErrorKind::Usage,
                  fmt::format("no tensor {}{}; there are {}", train::inQuotes(name),
                              train::suggestion(name, known), train::listed(known)));
    const aprt_tensor &tensor = *block.tensors[static_cast<std::size_t>(found - known.begin())];
    fmt::print("{}", train::table({lineOf(tensor, block.values)}));
    fmt::print("{}", train::valuesText(tensor, block.values + tensor.offset, limit));
  }
}

void print(const TensorBlock &block, const std::vector<std::string> &names, std::size_t limit) {
  if (names.empty())
    printTable(block);
  else
    printNamed(block, names, limit);
}

void inspectGradients(Session &session, const CommandLine &line,
                      const std::vector<std::string> &names, std::size_t limit) {
  const auto trainer = makeTrainer(session);
  train::Instance &instance = trainer->instance();
  loadTensors(session, line, instance, RunFile::State);
  setFinalHypers(session, line, instance);
  const LoadedData loaded = loadData(session, trainer->inputNeeds());
  auto rows = chosenRows(line, loaded, "training");
  rows.resize(std::min(rows.size(), session.settings.trainer.batchRows));
  const aprt_entry *grad = instance.model().blockEntry(trainer->block(), APRT_GRAD);
  const aprt_train_block &block = instance.model().blocks()[trainer->block()];
  if (!grad)
    throw Error(ErrorKind::Usage, fmt::format("the train block {} has no grad entry", block.name));
  train::RowFeed feed(instance, *grad, trainer->options().fixed, loaded.data,
                      std::max<std::size_t>(rows.size(), 1));
  const train::AlignedBlock gradients(block.gradient_bytes);
  feed.run(rows, 0, gradients.data());
  for (const train::Metric &metric : train::metricsOf(feed.call(), rows.size()))
    fmt::print("{} {}\n", metric.name, metric.value);
  const auto isWritten = train::writtenValues(instance, trainer->block());
  for (std::uint32_t i = 0; i < block.gradient_count; ++i)
    if (isWritten[i])
      fmt::print("{} is no gradient but the new value that the block writes\n",
                 block.gradients[i].name);
  TensorBlock tensors{{}, gradients.data()};
  for (std::uint32_t i = 0; i < block.gradient_count; ++i)
    tensors.tensors.push_back(&block.gradients[i]);
  print(tensors, names, limit);
}

void inspectState(Session &session, const CommandLine &line, const std::vector<std::string> &names,
                  std::size_t limit) {
  train::Instance instance(session.model->table(), 1);
  loadTensors(session, line, instance, RunFile::State);
  TensorBlock tensors{{}, instance.state()};
  for (const aprt_tensor &tensor : instance.model().tensors())
    tensors.tensors.push_back(&tensor);
  print(tensors, names, limit);
  if (names.empty())
    fmt::print("{} weights; weight hash {}\n", train::weightElements(instance),
               train::weightHash(instance));
}

} // namespace

int inspectCommand(const CommandLine &line) {
  if (line.arguments.empty())
    throw Error(ErrorKind::Usage, "aprun inspect takes a run, a run file or a model");
  constexpr std::uint64_t defaultLimit = 1000;
  const auto limit = line.option("limit") ? train::countFromText(*line.option("limit"), {"--limit"})
                                          : defaultLimit;
  const std::vector<std::string> names(line.arguments.begin() + 1, line.arguments.end());
  Session session = readSession(line);
  openModel(session, line);
  if (line.option("gradients"))
    inspectGradients(session, line, names, static_cast<std::size_t>(limit));
  else
    inspectState(session, line, names, static_cast<std::size_t>(limit));
  return Success;
}

} // namespace apr::aprun
