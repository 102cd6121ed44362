// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/graph_emitter.h"

namespace apr::onnx {
namespace {

/// An input of the body for an argument of the region.
void addInput(GraphEmitter &body, onnx::Graph &graph, ValueId argument) {
  const Value &value = body.graph.value(argument);
  const std::string name = body.file.uniqueName(value.name.empty() ? "step" : value.name);
  graph.inputs.push_back({name, value.type.dtype, dimTexts(value.type.shape), {}});
  body.define(argument, name);
}

/// An output needs a name of its own: that of a node of the body, once.
void addOutput(GraphEmitter &body, onnx::Graph &graph, ValueId result) {
  const std::string name = body.node("Identity", {body.full(result)});
  const Type &type = body.type(result);
  graph.outputs.push_back({name, type.dtype, dimTexts(type.shape), {}});
}

} // namespace

/// ONNX has the same loop: values handed on, slices of inputs, stacked outputs; what the region
/// captures, its body reads by name.
void emitScan(GraphEmitter &emitter, const Op &op) {
  const auto carries = static_cast<size_t>(op.attributes.integer(AttrKey::Carries));
  const auto inputs = static_cast<size_t>(op.attributes.integer(AttrKey::Inputs));
  const int64_t direction = op.attributes.integerOr0(AttrKey::Backwards);
  const auto &arguments = op.region->arguments();
  auto graph = std::make_shared<onnx::Graph>();
  graph->name = emitter.file.uniqueName("scan_body");
  GraphEmitter body(emitter.file, *op.region);
  body.isRegion = true;
  std::vector<std::string> operands;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i < carries + inputs) {
      operands.push_back(emitter.full(op.operands[i]));
      addInput(body, *graph, arguments[i]);
    } else {
      body.define(arguments[i], emitter.ref(op.operands[i]));
    }
  }
  if (inputs == 0) {
    // ONNX counts steps by what is scanned.
    operands.push_back(emitter.range(op.attributes.dims(AttrKey::Length)[0]));
    graph->inputs.push_back({emitter.file.uniqueName("step"), DType::I64, {}, {}});
  }
  body.emit();
  emitter.file.current = op.location;
  for (ValueId result : op.region->results)
    addOutput(body, *graph, result);
  graph->nodes = std::move(body.nodes);
  const std::vector<int64_t> inputDirections(std::max<size_t>(inputs, 1), direction);
  const std::vector<int64_t> outputDirections(op.results.size() - carries, direction);
  std::vector<Attribute> attributes = {
      {"body", graph},
      {"num_scan_inputs", static_cast<int64_t>(inputDirections.size())},
      {"scan_input_directions", inputDirections}};
  if (!outputDirections.empty())
    attributes.push_back({"scan_output_directions", outputDirections});
  const std::string first = emitter.node("Scan", std::move(operands), std::move(attributes));
  const size_t scan = emitter.nodes.size() - 1;
  emitter.define(op.results[0], first);
  for (size_t i = 1; i < op.results.size(); ++i) {
    const std::string &name = emitter.graph.value(op.results[i]).name;
    const std::string output = emitter.file.uniqueName(name.empty() ? "Scan" : name);
    emitter.nodes[scan].outputs.push_back(output);
    emitter.define(op.results[i], output);
  }
}

} // namespace apr::onnx
