// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "onnx/onnx_model.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace apr::onnx {

/// Something that keeps a graph from being written as ONNX.
struct Problem {
  Location location;
  std::string message;
};

/// The ONNX tensor that stands for a value. ONNX repeats operands of element-wise nodes by itself,
/// so a tensor may be smaller than its value: along a *stretched* axis it has size 1, and it may
/// lack leading axes that are stretched.
struct Ref {
  std::string name;
  size_t rank = 0;             ///< of the tensor: its axes are the last ones of the value
  std::vector<bool> stretched; ///< per axis of the value
};

/// What all graphs of one file share: names, constants, open dimensions.
class FileContext {
public:
  explicit FileContext(std::function<std::string(Location)> describe)
      : describe(std::move(describe)) {}

  /// The name itself where it is free, else with a number.
  std::string uniqueName(const std::string &wanted);

  /// An initializer with these values; equal ones are shared.
  std::string constant(DType dtype, std::vector<int64_t> shape, std::string bytes,
                       const std::string &hint);
  std::string scalar(const Literal &value);
  std::string integers(const std::vector<int64_t> &values);

  /// An int64 tensor of one element that holds the dim; nothing where one of its variables is not
  /// the size of an input's axis.
  std::string dim(const Dim &dim);

  void refuse(Location location, std::string message);

  std::vector<Tensor> initializers;
  std::vector<Node> prologue; ///< computes dims; goes before all other nodes
  std::map<std::string, std::pair<std::string, size_t>> dimSources; ///< variable: input and axis
  std::vector<Problem> problems;
  std::function<std::string(Location)> describe;
  Location current; ///< of the op being written

private:
  std::string arithmetic(const std::string &type, const std::string &a, const std::string &b);
  std::string variable(const std::string &name);
  std::string factor(const Dim::Factor &factor);

  std::set<std::string> names_;
  std::map<std::string, std::string> constants_;
  std::map<std::string, std::string> dims_;
};

/// Writes the ops of one graph, a function's or a region's, as nodes.
class GraphEmitter {
public:
  GraphEmitter(FileContext &file, const apr::Graph &graph) : file(file), graph(graph) {}

  /// Writes all ops; the arguments have been defined.
  void emit();

  void define(ValueId value, Ref ref) { refs_[value] = std::move(ref); }
  /// The value is this tensor, of the value's own shape.
  void define(ValueId value, const std::string &name);
  const Ref &ref(ValueId value) const { return refs_.at(value); }
  /// The tensor of the value's own shape: writes an Expand where it is stretched.
  std::string full(ValueId value);

  /// Adds a node with one result and returns its name.
  std::string node(const std::string &type, std::vector<std::string> inputs,
                   std::vector<Attribute> attributes = {});
  std::string cast(const std::string &name, DType dtype);
  std::string transpose(const std::string &name, const std::vector<int64_t> &perm);
  /// `from` is the shape of the tensor: reshapes of reshapes are one, and none where nothing
  /// changes.
  std::string reshape(const std::string &name, const Shape &from, const Shape &to);
  std::string unsqueeze(const std::string &name, const std::vector<int64_t> &axes);
  /// An int64 tensor with the sizes of a shape.
  std::string shape(const Shape &shape);
  /// A scalar of a type; rounded as `Literal::splat` does.
  std::string scalar(DType dtype, double value);
  std::string concat1(const std::vector<std::string> &parts);
  /// 0, 1, 2 … as int64, of one axis.
  std::string range(const Dim &count);

  const Type &type(ValueId value) const { return graph.type(value); }
  void refuse(const Op &op, const std::string &reason);

  FileContext &file;
  const apr::Graph &graph;
  std::vector<Node> nodes;
  /// A region's arguments are computed, an entry's are the caller's.
  bool isRegion = false;

private:
  std::map<ValueId, Ref> refs_;
  std::map<ValueId, std::string> expanded_;
  std::map<std::string, std::pair<std::string, Shape>> reshaped_;
  std::string hint_; ///< of the names of nodes
};

// One function per kind of op: ops_<theme>.cpp. Each defines the op's results, or refuses it.
void emitUnary(GraphEmitter &emitter, const Op &op);
void emitBinary(GraphEmitter &emitter, const Op &op);
void emitCompare(GraphEmitter &emitter, const Op &op);
void emitFma(GraphEmitter &emitter, const Op &op);
void emitSelect(GraphEmitter &emitter, const Op &op);
void emitConvert(GraphEmitter &emitter, const Op &op);
void emitReduce(GraphEmitter &emitter, const Op &op);
void emitArgReduce(GraphEmitter &emitter, const Op &op);
void emitCumulative(GraphEmitter &emitter, const Op &op);
void emitSort(GraphEmitter &emitter, const Op &op);
void emitContract(GraphEmitter &emitter, const Op &op);
void emitConv(GraphEmitter &emitter, const Op &op);
void emitReshape(GraphEmitter &emitter, const Op &op);
void emitTranspose(GraphEmitter &emitter, const Op &op);
void emitBroadcast(GraphEmitter &emitter, const Op &op);
void emitSlice(GraphEmitter &emitter, const Op &op);
void emitPad(GraphEmitter &emitter, const Op &op);
void emitConcat(GraphEmitter &emitter, const Op &op);
void emitReverse(GraphEmitter &emitter, const Op &op);
void emitWindow(GraphEmitter &emitter, const Op &op);
void emitGather(GraphEmitter &emitter, const Op &op);
void emitScatter(GraphEmitter &emitter, const Op &op);
void emitPick(GraphEmitter &emitter, const Op &op);
void emitOneHot(GraphEmitter &emitter, const Op &op);
void emitConstant(GraphEmitter &emitter, const Op &op);
void emitIota(GraphEmitter &emitter, const Op &op);
void emitScan(GraphEmitter &emitter, const Op &op);

/// Writes a reduction of windows as pooling, or a quotient as Softmax, where the ops around it are
/// just that; false where they are not.
bool emitPooling(GraphEmitter &emitter, const Op &op);
bool emitSoftmax(GraphEmitter &emitter, const Op &op);

/// The sizes of a value, to write down: numbers, names of dimensions, or nothing for a formula.
std::vector<DimText> dimTexts(const Shape &shape);

/// Gives what one of the nodes makes another name; false where none makes it.
bool renameResult(std::vector<Node> &nodes, const std::string &from, const std::string &to);

/// Drops nodes and initializers that nothing uses.
void removeUnused(onnx::Graph &graph);

} // namespace apr::onnx
