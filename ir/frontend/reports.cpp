// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a train block reports: scalars, row values, counts, and pairs of a sum and a count.
#include "ir/frontend/model_elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

void ModelElaborator::addReport(TrainBody &body, std::string name, Value value, Location location) {
  for (const ReportEntry &known : body.reports)
    if (known.name == name)
      elaborator_.fail(DiagnosticKind::DuplicateName, location,
                       fmt::format("'{}' is reported twice", name),
                       "'report other_name = …', or bind what is minimized to a name",
                       {{known.location, "the first is here"}});
  body.reports.push_back({std::move(name), elaborator_.snapshot(value, location), location, false});
}

void ModelElaborator::emitReports(const TrainBody &body) {
  FunctionContext &context = elaborator_.context();
  std::vector<ReportEntry> reports = body.reports;
  std::stable_partition(reports.begin(), reports.end(),
                        [](const ReportEntry &report) { return report.isMinimized; });
  for (const ReportEntry &report : reports) {
    context.builder.at(report.location);
    emitReport(report);
  }
}

void ModelElaborator::emitReport(const ReportEntry &report) {
  FunctionContext &context = elaborator_.context();
  auto add = [&](ValueId value, ResultKind kind) {
    context.addResult(value, ResultRole::Result, report.name, kind);
  };
  if (auto *pair = report.value.as<TupleValue>())
    return add(reportRatio(*pair, report), ResultKind::Ratio);
  if (context.purpose == FunctionContext::Purpose::Eval)
    if (std::optional<ValueId> rows = reportRows(report))
      return add(*rows, ResultKind::Rows);

  TensorValue value = elaborator_.anyTensor(report.value, report.location, "a report");
  if (value.isWeak && isFloat(value.type.dtype))
    value = elaborator_.requireTensor(value, real_, report.location, "a report");
  if (value.type.dtype == DType::BF16)
    value = elaborator_.convertTo(value, real_);
  if (isRowValues(value.type))
    return add(meanOfRows(value), ResultKind::Scalar);
  if (value.type.dtype == DType::Bool || value.type.dtype == DType::U8)
    value = elaborator_.convertTo(value, DType::I32);
  bool isCount = !isFloat(value.type.dtype) || !value.type.shape.empty();
  bool hasOpenDim = std::any_of(value.type.shape.begin(), value.type.shape.end(),
                                [](const Dim &dim) { return !dim.isConstant(); });
  if (hasOpenDim)
    elaborator_.fail(DiagnosticKind::ShapeMismatch, report.location,
                     fmt::format("a report is a scalar, one value per row, or counts of a size "
                                 "that is known at compile time; found {}",
                                 str(value.type)),
                     "reduce it: 'row_sum(x)', or 'mean(x)'");
  add(value.id, isCount ? ResultKind::Sum : ResultKind::Scalar);
}

/// A sum and a count as f64[2]; tensors are summed first.
ValueId ModelElaborator::reportRatio(const TupleValue &pair, const ReportEntry &report) {
  if (pair.elements.size() != 2)
    elaborator_.fail(DiagnosticKind::KindMismatch, report.location,
                     fmt::format("a tuple that is reported has two elements, a sum and a count; "
                                 "found {}",
                                 pair.elements.size()),
                     "report each figure under a name of its own");
  Builder &builder = elaborator_.context().builder;
  std::vector<ValueId> halves;
  for (const Value &element : pair.elements) {
    TensorValue half = elaborator_.anyTensor(element, report.location, "half of a report");
    half = elaborator_.convertTo(half, DType::F64);
    std::vector<int64_t> axes;
    for (size_t i = 0; i < half.type.rank(); ++i)
      axes.push_back(static_cast<int64_t>(i));
    ValueId total = axes.empty() ? half.id : builder.sum(half.id, axes);
    halves.push_back(builder.reshape(total, {Dim(1)}));
  }
  return builder.concat(halves, 0);
}

ValueId ModelElaborator::meanOfRows(TensorValue rows) {
  if (!isFloat(rows.type.dtype))
    rows = elaborator_.convertTo(rows, real_);
  Builder &builder = elaborator_.context().builder;
  ValueId sum = builder.sum(rows.id, {0});
  TensorValue count = elaborator_.dimTensor(rows.type.shape[0], rows.type.dtype);
  return builder.div(sum, count.id);
}

/// True where the first axis is that of an input.
bool ModelElaborator::hasInputRows(const Type &type, WithoutRows otherwise) {
  const apr::Function &function = elaborator_.context().function;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Shape &shape = function.graph.type(function.graph.arguments()[i]).shape;
    if (function.arguments[i].role != ArgumentRole::Input || shape.empty())
      continue;
    if (!type.shape.empty() && shape[0] == type.shape[0])
      return true;
    otherwise = WithoutRows::No;
  }
  return otherwise == WithoutRows::Yes;
}

/// One value per row, of the inputs or, where there are none, of what the block draws.
bool ModelElaborator::isRowValues(const Type &type) {
  return type.rank() == 1 && (hasInputRows(type, WithoutRows::Yes) || !type.shape[0].isConstant());
}

/// One value per row of the call's inputs, where the report has that form.
std::optional<ValueId> ModelElaborator::reportRows(const ReportEntry &report) {
  auto *tensor = report.value.as<TensorValue>();
  if (!tensor || tensor->owner != &elaborator_.context())
    return std::nullopt;
  if (tensor->rows && tensor->rows->kind == RowForm::Kind::Mean) {
    const Type terms = elaborator_.context().graph().type(tensor->rows->terms);
    return hasInputRows(terms, WithoutRows::No) ? std::optional(tensor->rows->terms) : std::nullopt;
  }
  if (tensor->type.rank() != 1 || !hasInputRows(tensor->type, WithoutRows::No))
    return std::nullopt;
  return isFloat(tensor->type.dtype) ? tensor->id : elaborator_.convertTo(*tensor, real_).id;
}

} // namespace apr::frontend
