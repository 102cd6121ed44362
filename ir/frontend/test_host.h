// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/elaborator.h"

namespace apr::frontend {

/// What a test adds to expressions: it makes models and layers, and calls the models' functions.
class TestHost {
public:
  virtual ~TestHost() = default;
  virtual Value construct(const LayerValue &layer, std::vector<CallArgument> arguments,
                          Location location) = 0;
  virtual Value member(const TestModelValue &object, const Name &name, Location location) = 0;
  virtual Value call(const TestModelValue &callee, std::vector<CallArgument> arguments,
                     Location location, const Expected *expected) = 0;
};

} // namespace apr::frontend
