// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `train … shards n`: grad computes one of n equal parts of a batch, and the parts' results add up
// to those of the step. The body is elaborated with the rows of a part; sizes as numbers, those
// that means divide by, are of the whole batch.
#include "ir/frontend/model_elaborator.h"
#include "ir/frontend/row_dependence.h"
#include "ir/substitute_dims.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

constexpr int64_t kMaximumShards = 256;

} // namespace

/// Finds the dim that counts the rows: the first axis of the first input that has any.
void ModelElaborator::declareShards(const TrainMember &train, Scope &scope) {
  Location location = train.shards->location;
  int64_t count = elaborator_.requireInt(elaborator_.evaluate(*train.shards, scope), location,
                                         "the number of shards");
  if (count < 1 || count > kMaximumShards)
    elaborator_.fail(
        DiagnosticKind::BadConstant, location,
        fmt::format("the number of shards lies between 1 and {}, found {}", kMaximumShards, count));
  apr::Function &function = elaborator_.context().function;
  const Graph &graph = function.graph;
  std::optional<std::string> rows;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const apr::Value &input = graph.value(graph.arguments()[i]);
    if (function.arguments[i].role != ArgumentRole::Input || input.type.shape.empty())
      continue;
    if (!rows && !(rows = input.type.shape[0].asVariable()))
      elaborator_.fail(DiagnosticKind::NotShardable, input.location,
                       fmt::format("'shards' divides the rows of '{}', whose number must be a "
                                   "variable, found {}",
                                   input.name, str(input.type)),
                       "name it: 'x: real[B, 64]'", {{location, "the shards are asked for here"}});
    for (size_t axis = 0; axis < input.type.shape.size(); ++axis) {
      const Dim &dim = input.type.shape[axis];
      bool isRows = axis == 0 && dim == Dim::variable(*rows);
      if (!isRows && mentions(dim, *rows))
        elaborator_.fail(DiagnosticKind::NotShardable, input.location,
                         fmt::format("a part of the batch has fewer rows than {}, but '{}' is {}",
                                     *rows, input.name, str(input.type)),
                         "only the first axis of an input may be the rows of the batch");
    }
  }
  if (!rows)
    elaborator_.fail(DiagnosticKind::NotShardable, location,
                     "'shards' divides the rows of the inputs, but this block has none");
  function.shards = Shards{count, *rows};
}

/// Every result of grad must be a sum over the rows, or the same for all of them.
void ModelElaborator::checkShards(const TrainMember &train, const TrainBody &body) {
  apr::Function &function = elaborator_.context().function;
  const Graph &graph = function.graph;
  std::vector<RowDependence> arguments;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Shape &shape = graph.type(graph.arguments()[i]).shape;
    bool hasRows = function.arguments[i].role == ArgumentRole::Input && !shape.empty() &&
                   shape[0] == Dim::variable(function.shards->rows);
    arguments.push_back(hasRows ? RowDependence::rows(0) : RowDependence{});
  }
  std::vector<RowDependence> all = findRowDependence(graph, *function.shards, arguments);
  DiagnosticNote asked{train.shards->location, "the parts are asked for here"};
  auto refuse = [&](const RowDependence &found, Location location, const std::string &what,
                    std::string hint) {
    bool isMixed = found.kind == RowDependence::Kind::Mixed && found.location.isKnown();
    std::string reason = found.kind == RowDependence::Kind::Mixed  ? found.reason
                         : found.kind == RowDependence::Kind::Rows ? "it has a value for each row"
                                                                   : "it does not depend on them";
    std::vector<DiagnosticNote> notes{asked};
    if (isMixed)
      notes.insert(notes.begin(), {found.location, reason});
    elaborator_.fail(DiagnosticKind::NotShardable, location,
                     fmt::format("{} is not a sum over the rows of the batch, so that parts "
                                 "cannot be computed apart: {}",
                                 what, reason),
                     std::move(hint), std::move(notes));
  };
  for (const Pipeline &pipeline : body.pipelines)
    for (size_t i = 0; i < pipeline.states.size(); ++i) {
      const RowDependence &found = all[pipeline.gradients[i]];
      if (found.kind != RowDependence::Kind::Sum)
        refuse(found, pipeline.location,
               fmt::format("the gradient of '{}'", tables_.states[pipeline.states[i]].tensor.name),
               "a mean over rows, and sums and multiples of such, can be; weight decay stands in "
               "the optimizer");
    }
  for (const auto &[state, value] : elaborator_.context().writtenStates())
    elaborator_.fail(DiagnosticKind::NotShardable, train.shards->location,
                     fmt::format("'{}' is written with '<-', which parts of a batch cannot do",
                                 tables_.states[state].tensor.name),
                     "an 'after' block writes once, when the parts are together");
  size_t reports = body.reports.size();
  for (size_t i = 0; i < reports; ++i) {
    const RowDependence &found = all[graph.results[i]];
    FunctionResult &result = function.results[i];
    if (found.kind == RowDependence::Kind::Sum)
      result.kind = result.kind == ResultKind::Scalar ? ResultKind::Sum : result.kind;
    else if (found.kind != RowDependence::Kind::Same || result.kind != ResultKind::Scalar)
      refuse(found, graph.value(graph.results[i]).location,
             fmt::format("the report '{}'", result.name), "report means and sums over the rows");
  }
}

/// The call names the rows of the whole batch; its inputs are those of a part.
void ModelElaborator::divideRows(apr::Function &grad, Location location) {
  const auto &[count, rows] = *grad.shards;
  const Dim whole = Dim::variable(rows);
  const Dim part = Dim::floorDivide(whole, Dim(count));
  substituteDims(grad, {{rows, part}});
  grad.checks.insert(grad.checks.begin(),
                     {DimCheck::Kind::Zero, whole - part * Dim(count),
                      fmt::format("{} must be a multiple of {}, the number of shards", rows, count),
                      location});
}

} // namespace apr::frontend
