// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/model_summary.h"

#include "runtime/train/elements.h"
#include "tools/aprc/load_module.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace apr::aprun {
namespace {

constexpr std::size_t mostLayers = 20;

struct Layer {
  std::string name;
  std::vector<std::string> tensors;
  std::uint64_t parameters = 0;
};

std::string typeText(const aprt_tensor &tensor) {
  std::vector<std::int64_t> shape;
  for (std::uint32_t i = 0; i < tensor.rank; ++i)
    shape.push_back(tensor.dims[i].value);
  return tensor.rank == 0
             ? train::dtypeName(tensor.dtype)
             : fmt::format("{}[{}]", train::dtypeName(tensor.dtype), fmt::join(shape, ", "));
}

/// Parameters and buffers by what stands before the last dot of their names.
std::vector<Layer> layersOf(const train::Instance &instance) {
  std::vector<Layer> layers;
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    if (tensor.role != APRT_PARAMETER && tensor.role != APRT_BUFFER)
      continue;
    const std::string name = tensor.name;
    const auto dot = name.rfind('.');
    const std::string layer = dot == std::string::npos ? "" : name.substr(0, dot);
    if (layers.empty() || layers.back().name != layer)
      layers.push_back({layer, {}, 0});
    layers.back().tensors.push_back(fmt::format(
        "{} {}", dot == std::string::npos ? name : name.substr(dot + 1), typeText(tensor)));
    if (tensor.role == APRT_PARAMETER)
      layers.back().parameters += train::elementCount(tensor);
  }
  return layers;
}

std::string layerTable(const std::vector<Layer> &layers) {
  std::vector<std::pair<std::string, const Layer *>> rows;
  for (const Layer &layer : layers)
    rows.emplace_back(fmt::format("{}", fmt::join(layer.tensors, ", ")), &layer);
  std::size_t nameWidth = 5;
  std::size_t tensorWidth = 7;
  for (const auto &[tensors, layer] : rows) {
    nameWidth = std::max(nameWidth, layer->name.size());
    tensorWidth = std::max(tensorWidth, tensors.size());
  }
  std::string text =
      fmt::format("{:<{}}  {:<{}}  parameters\n", "layer", nameWidth, "tensors", tensorWidth);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool isCut = rows.size() > mostLayers && i == mostLayers / 2;
    if (isCut) {
      const std::size_t left = rows.size() - mostLayers;
      text += fmt::format("… {} layers more\n", left);
      i += left - 1;
      continue;
    }
    text += fmt::format("{:<{}}  {:<{}}  {:>10}\n", rows[i].second->name, nameWidth, rows[i].first,
                        tensorWidth, rows[i].second->parameters);
  }
  return text;
}

std::optional<std::uint64_t> countOf(const Dim &dim, const DimBindings &dims) {
  const auto value = dim.evaluate(dims);
  return value && *value >= 0 ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

/// How many numbers one op computes per element of its result, or of its operand, or the terms of
/// its contraction.
std::optional<std::uint64_t> operationsOf(const Graph &graph, const Op &op,
                                          const DimBindings &dims) {
  const auto elements = [&](ValueId value) {
    return countOf(elementCount(graph.type(value).shape), dims);
  };
  const auto times = [](std::optional<std::uint64_t> a,
                        std::optional<std::uint64_t> b) -> std::optional<std::uint64_t> {
    std::uint64_t product = 0;
    if (!a || !b || __builtin_mul_overflow(*a, *b, &product))
      return std::nullopt;
    return product;
  };
  switch (opInfo(op.kind).family) {
  case OpFamily::Contract: {
    const Shape &a = graph.type(op.operands[0]).shape;
    const bool isTransposed = op.attributes.integerOr0(AttrKey::TransposeA) != 0;
    const Dim &terms = a[a.size() - (isTransposed ? 2 : 1)];
    return times(elements(op.result()), countOf(Dim(2) * terms, dims));
  }
  case OpFamily::Conv: {
    // Each number of the output (of the kernel's gradient: of y) meets a window or a kernel.
    const bool isForward = op.kind == OpKind::Conv;
    const Shape &weight = graph.type(isForward ? op.operands[1] : op.result()).shape;
    Dim terms = 2;
    for (std::size_t i = 0; i + 1 < weight.size(); ++i)
      terms *= i == weight.size() - 3 ? Dim(1) : weight[i];
    return times(elements(isForward ? op.result() : op.operands[1]), countOf(terms, dims));
  }
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
    return elements(op.operands[0]);
  case OpFamily::Scan:
    return times(operationCount(*op.region, dims),
                 countOf(op.attributes.dims(AttrKey::Length)[0], dims));
  default:
    return isElementwise(op.kind) || op.kind == OpKind::CumSum ? elements(op.result())
                                                               : std::optional<std::uint64_t>(0);
  }
}

/// The dimensions of a batch: its rows, and what the columns of the data decide.
DimBindings batchDims(const train::RunSettings &settings, const aprt_entry &step,
                      const train::Dataset &data) {
  DimBindings dims;
  for (const auto &[name, size] : settings.trainer.fixed.dims)
    dims[name] = size;
  for (std::uint32_t i = 0; i < step.input_count; ++i) {
    const aprt_tensor &input = step.inputs[i];
    const train::InputArray *array = data.find(input.name);
    std::int64_t known = 1;
    std::vector<std::string> open;
    for (std::uint32_t axis = 1; axis < input.rank; ++axis) {
      if (input.dims[axis].variable >= 0)
        open.emplace_back(step.dims[input.dims[axis].variable]);
      else
        known *= input.dims[axis].variable == -1 ? input.dims[axis].value : 0;
    }
    if (input.rank > 0 && input.dims[0].variable >= 0 && array)
      dims[step.dims[input.dims[0].variable]] =
          static_cast<std::int64_t>(std::min(settings.trainer.batchRows, data.rows));
    if (array && open.size() == 1 && known > 0)
      dims[open[0]] = static_cast<std::int64_t>(array->rowElements) / known;
  }
  return dims;
}

/// The forward part of a block, as the source has it; nothing for an object, which has none.
std::optional<std::uint64_t> forwardOperations(const train::RunSettings &settings,
                                               const std::string &block, const DimBindings &dims) {
  if (settings.model.ends_with(".o"))
    return std::nullopt;
  SourceManager sources;
  Diagnostics diagnostics; // what is wrong with the model has been said
  const auto module = aprc::loadModule({settings.model, settings.set, ""}, sources, diagnostics);
  if (!module)
    return std::nullopt;
  for (const Function &function : module->functions)
    if (function.kind == FunctionKind::Eval && function.trainBlock == block)
      return operationCount(function.graph, dims);
  return std::nullopt;
}

} // namespace

SummaryFigures summaryFigures(const train::RunSettings &settings, train::Trainer &trainer,
                              const train::Dataset &data) {
  const aprt_entry &step = trainer.stepEntry();
  const DimBindings dims = batchDims(settings, step, data);
  SummaryFigures figures;
  if (!data.inputs.empty())
    figures.batchRows = std::min(settings.trainer.batchRows, data.rows);
  const train::Instance &instance = trainer.instance();
  figures.operations =
      forwardOperations(settings, instance.model().blocks()[trainer.block()].name, dims);
  std::vector<std::int64_t> values;
  for (std::uint32_t i = 0; i < step.dim_count; ++i)
    if (const auto found = dims.find(step.dims[i]); found != dims.end())
      values.push_back(found->second);
  if (values.size() != step.dim_count)
    return figures;
  const std::size_t bytes = step.workspace(instance.workers(), values.data());
  if (bytes != ~std::size_t{0})
    figures.workspace = bytes;
  return figures;
}

std::optional<std::uint64_t> operationCount(const Graph &graph, const DimBindings &dims) {
  std::uint64_t total = 0;
  for (const Op &op : graph.ops()) {
    const auto count = operationsOf(graph, op, dims);
    if (!count || __builtin_add_overflow(total, *count, &total))
      return std::nullopt;
  }
  return total;
}

std::string shortCount(double count) {
  constexpr const char *units[] = {"", " K", " M", " G", " T", " P"};
  std::size_t unit = 0;
  for (; count >= 1000 && unit + 1 < std::size(units); ++unit)
    count /= 1000;
  return unit == 0 ? fmt::format("{:.0f}", count) : fmt::format("{:.3g}{}", count, units[unit]);
}

std::string shortBytes(std::uint64_t bytes) {
  constexpr const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string summaryText(const train::Instance &instance, const SummaryFigures &figures) {
  const auto layers = layersOf(instance);
  std::uint64_t parameters = 0;
  for (const Layer &layer : layers)
    parameters += layer.parameters;
  std::string text = layers.empty() ? "" : layerTable(layers);
  text += fmt::format("{} parameters; {} of state", parameters,
                      shortBytes(instance.model().table().state_bytes));
  const std::string batch =
      figures.batchRows == 0 ? "a step" : fmt::format("a batch of {}", figures.batchRows);
  if (figures.workspace)
    text += fmt::format(", {} of workspace", shortBytes(*figures.workspace));
  if (figures.operations)
    text += fmt::format("; {} operations forward",
                        shortCount(static_cast<double>(*figures.operations)));
  return text + (figures.workspace || figures.operations ? fmt::format(" for {}\n", batch) : "\n");
}

} // namespace apr::aprun
