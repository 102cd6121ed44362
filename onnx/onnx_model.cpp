// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/onnx_model.h"

#include "onnx/protobuf_writer.h"

namespace apr::onnx {
namespace {

// Field numbers are those of onnx.proto, the format's definition; each message has its own.

std::string bytesOf(const Graph &graph);

std::string bytesOf(const Tensor &tensor) {
  enum { Dims = 1, DataType = 2, Name = 8, RawData = 9 };
  ProtobufWriter writer;
  for (int64_t size : tensor.shape)
    writer.integer(Dims, size);
  writer.integer(DataType, dataType(tensor.dtype));
  writer.text(Name, tensor.name);
  writer.bytes(RawData, tensor.bytes);
  return writer.finish();
}

std::string bytesOf(const Attribute &attribute) {
  enum { Name = 1, Integer = 3, String = 4, TensorField = 5, GraphField = 6, Integers = 8 };
  enum {
    Type = 20,
    IntegerType = 2,
    StringType = 3,
    TensorType = 4,
    GraphType = 5,
    IntegersType = 7
  };
  ProtobufWriter writer;
  writer.bytes(Name, attribute.name);
  if (const auto *number = std::get_if<int64_t>(&attribute.value)) {
    writer.integer(Integer, *number);
    writer.integer(Type, IntegerType);
  } else if (const auto *text = std::get_if<std::string>(&attribute.value)) {
    writer.bytes(String, *text);
    writer.integer(Type, StringType);
  } else if (const auto *numbers = std::get_if<std::vector<int64_t>>(&attribute.value)) {
    for (int64_t each : *numbers)
      writer.integer(Integers, each);
    writer.integer(Type, IntegersType);
  } else if (const auto *tensor = std::get_if<Tensor>(&attribute.value)) {
    writer.bytes(TensorField, bytesOf(*tensor));
    writer.integer(Type, TensorType);
  } else {
    writer.bytes(GraphField, bytesOf(*std::get<std::shared_ptr<Graph>>(attribute.value)));
    writer.integer(Type, GraphType);
  }
  return writer.finish();
}

std::string bytesOf(const Node &node) {
  enum { Input = 1, Output = 2, Name = 3, OpType = 4, AttributeField = 5, DocString = 6 };
  ProtobufWriter writer;
  for (const std::string &input : node.inputs)
    writer.bytes(Input, input);
  for (const std::string &output : node.outputs)
    writer.bytes(Output, output);
  writer.text(Name, node.outputs.front());
  writer.bytes(OpType, node.type);
  for (const Attribute &attribute : node.attributes)
    writer.bytes(AttributeField, bytesOf(attribute));
  writer.text(DocString, node.doc);
  return writer.finish();
}

std::string bytesOf(const DimText &dim) {
  enum { DimValue = 1, DimParameter = 2 };
  ProtobufWriter writer;
  if (const auto *size = std::get_if<int64_t>(&dim))
    writer.integer(DimValue, *size);
  else
    writer.text(DimParameter, std::get<std::string>(dim));
  return writer.finish();
}

std::string bytesOf(const ValueInfo &value) {
  enum { Name = 1, Type = 2, DocString = 3 };
  enum { TensorType = 1, ElementType = 1, ShapeField = 2, DimField = 1 };
  ProtobufWriter shape;
  for (const DimText &dim : value.shape)
    shape.bytes(DimField, bytesOf(dim));
  ProtobufWriter tensor;
  tensor.integer(ElementType, dataType(value.dtype));
  tensor.bytes(ShapeField, shape.finish());
  ProtobufWriter type;
  type.bytes(TensorType, tensor.finish());
  ProtobufWriter writer;
  writer.bytes(Name, value.name);
  writer.bytes(Type, type.finish());
  writer.text(DocString, value.doc);
  return writer.finish();
}

std::string bytesOf(const Graph &graph) {
  enum { NodeField = 1, Name = 2, Initializer = 5, DocString = 10, Input = 11, Output = 12 };
  ProtobufWriter writer;
  for (const Node &node : graph.nodes)
    writer.bytes(NodeField, bytesOf(node));
  writer.bytes(Name, graph.name);
  for (const Tensor &tensor : graph.initializers)
    writer.bytes(Initializer, bytesOf(tensor));
  writer.text(DocString, graph.doc);
  for (const ValueInfo &input : graph.inputs)
    writer.bytes(Input, bytesOf(input));
  for (const ValueInfo &output : graph.outputs)
    writer.bytes(Output, bytesOf(output));
  return writer.finish();
}

} // namespace

int64_t dataType(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return 1;
  case DType::U8:
    return 2;
  case DType::I32:
    return 6;
  case DType::I64:
    return 7;
  case DType::Bool:
    return 9;
  case DType::F64:
    return 11;
  case DType::BF16:
    return 16;
  }
  return 0;
}

std::string serialize(const Model &model) {
  enum { FormatVersion = 1, ProducerName = 2, ProducerVersion = 3, DocString = 6, GraphField = 7 };
  enum { OperatorSetImport = 8, MetadataProperties = 14 };
  enum { OperatorSetVersion = 2, Key = 1, Value = 2 };
  ProtobufWriter writer;
  writer.integer(FormatVersion, kFormatVersion);
  writer.text(ProducerName, "aprc");
  writer.text(ProducerVersion, model.producerVersion);
  writer.text(DocString, model.doc);
  writer.bytes(GraphField, bytesOf(model.graph));
  ProtobufWriter operators;
  operators.integer(OperatorSetVersion, kOperatorSet);
  writer.bytes(OperatorSetImport, operators.finish());
  for (const auto &[key, value] : model.metadata) {
    ProtobufWriter entry;
    entry.bytes(Key, key);
    entry.bytes(Value, value);
    writer.bytes(MetadataProperties, entry.finish());
  }
  return writer.finish();
}

} // namespace apr::onnx
