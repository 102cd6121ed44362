// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/value.h"

namespace apr::frontend {

/// Tuples, lists and chains are copied as values, so a nest of them must stay small.
inline constexpr size_t kMaximumValueSize = 50'000;

/// How many values a value consists of, itself included.
inline size_t valueSize(const Value &value) {
  const std::vector<Value> *parts = nullptr;
  if (auto *tuple = value.as<TupleValue>())
    parts = &tuple->elements;
  else if (auto *list = value.as<ListValue>())
    parts = &list->elements;
  else if (auto *chain = value.as<ChainValue>())
    parts = &chain->parts;
  size_t size = 1;
  if (parts)
    for (const Value &part : *parts)
      size += valueSize(part);
  return size;
}

} // namespace apr::frontend
