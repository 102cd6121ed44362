// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/graph.h"

#include <algorithm>

namespace apr {

namespace {
constexpr uint32_t kNoOp = 0xffffffff;

template <typename T> const T *findNamed(const std::vector<T> &all, std::string_view name) {
  auto found = std::find_if(all.begin(), all.end(), [&](const T &t) { return t.name == name; });
  return found == all.end() ? nullptr : &*found;
}
} // namespace

ValueId Graph::addArgument(Type type, std::string name, Location location) {
  values_.push_back({std::move(type), std::move(name), location, std::nullopt});
  definitions_.push_back(kNoOp);
  arguments_.push_back(static_cast<ValueId>(values_.size() - 1));
  return arguments_.back();
}

size_t Graph::addOp(OpKind kind, std::vector<ValueId> operands, Attributes attributes,
                    std::vector<Type> resultTypes, Location location,
                    std::shared_ptr<const Graph> region) {
  Op op{kind, std::move(operands), {}, std::move(attributes), location, std::move(region)};
  for (Type &type : resultTypes) {
    values_.push_back({std::move(type), {}, location, std::nullopt});
    definitions_.push_back(static_cast<uint32_t>(ops_.size()));
    op.results.push_back(static_cast<ValueId>(values_.size() - 1));
  }
  ops_.push_back(std::move(op));
  return ops_.size() - 1;
}

const Op *Graph::definition(ValueId id) const {
  return definitions_[id] == kNoOp ? nullptr : &ops_[definitions_[id]];
}

std::optional<size_t> Graph::definitionIndex(ValueId id) const {
  return definitions_[id] == kNoOp ? std::nullopt : std::optional<size_t>(definitions_[id]);
}

std::vector<uint32_t> Graph::useCounts() const {
  std::vector<uint32_t> counts(values_.size());
  for (const Op &op : ops_)
    for (ValueId operand : op.operands)
      ++counts[operand];
  for (ValueId result : results)
    ++counts[result];
  return counts;
}

const Function *Module::findFunction(std::string_view name) const {
  return findNamed(functions, name);
}
const StateTensor *Module::findState(std::string_view name) const { return findNamed(state, name); }
const Hyperparameter *Module::findHyper(std::string_view name) const {
  return findNamed(hypers, name);
}

} // namespace apr
