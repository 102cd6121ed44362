// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/value_tree.h"

namespace apr::frontend {

Value mapLeaves(const Value &tree, const std::function<Value(const Value &)> &function) {
  if (auto *tuple = tree.as<TupleValue>()) {
    TupleValue result{{}, tuple->names};
    for (const Value &element : tuple->elements)
      result.elements.push_back(mapLeaves(element, function));
    return result;
  }
  if (auto *bundle = tree.as<BundleValue>()) {
    BundleValue result;
    for (const auto &[state, leaf] : bundle->leaves)
      result.leaves.emplace_back(state, function(leaf));
    return result;
  }
  return tree.is<NoneValue>() ? tree : function(tree);
}

std::optional<Value>
mapLeavesOf(const Value &like, const Value &given,
            const std::function<Value(const Value &like, const Value &given)> &function) {
  if (auto *tuple = like.as<TupleValue>()) {
    auto *other = given.as<TupleValue>();
    if (!other || other->elements.size() != tuple->elements.size())
      return std::nullopt;
    TupleValue result{{}, tuple->names};
    for (size_t i = 0; i < tuple->elements.size(); ++i) {
      auto element = mapLeavesOf(tuple->elements[i], other->elements[i], function);
      if (!element)
        return std::nullopt;
      result.elements.push_back(std::move(*element));
    }
    return result;
  }
  if (auto *bundle = like.as<BundleValue>()) {
    auto *other = given.as<BundleValue>();
    if (!other || other->leaves.size() != bundle->leaves.size())
      return std::nullopt;
    BundleValue result;
    for (size_t i = 0; i < bundle->leaves.size(); ++i) {
      const auto &[state, leaf] = bundle->leaves[i];
      if (other->leaves[i].first != state)
        return std::nullopt;
      result.leaves.emplace_back(state, function(leaf, other->leaves[i].second));
    }
    return result;
  }
  bool isTree = given.is<TupleValue>() || given.is<BundleValue>();
  if (isTree || like.is<NoneValue>() != given.is<NoneValue>())
    return std::nullopt;
  return like.is<NoneValue>() ? like : function(like, given);
}

} // namespace apr::frontend
