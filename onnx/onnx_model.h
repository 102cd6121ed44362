// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/type.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace apr::onnx {

/// The operator set that models are written for, and the file format's version that goes with it.
inline constexpr int64_t kOperatorSet = 17;
inline constexpr int64_t kFormatVersion = 8;

/// A tensor with values: row-major, little-endian.
struct Tensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  std::string bytes;
};

struct Graph;

using AttributeValue =
    std::variant<int64_t, std::string, std::vector<int64_t>, Tensor, std::shared_ptr<Graph>>;
struct Attribute {
  std::string name;
  AttributeValue value;
};

struct Node {
  std::string type;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
  std::string doc;
};

/// A number, or the name of an open dimension; empty where it is unknown.
using DimText = std::variant<int64_t, std::string>;

struct ValueInfo {
  std::string name;
  DType dtype = DType::F32;
  std::vector<DimText> shape;
  std::string doc;
};

struct Graph {
  std::string name;
  std::string doc;
  std::vector<Node> nodes;
  std::vector<Tensor> initializers;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
};

struct Model {
  std::string producerVersion;
  std::string doc;
  std::map<std::string, std::string> metadata;
  Graph graph;
};

/// The number that ONNX gives a type.
int64_t dataType(DType dtype);

/// The bytes of an .onnx file. The same model gives the same bytes.
std::string serialize(const Model &model);

} // namespace apr::onnx
