// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/result.h"

#include <memory>
#include <string>

struct aprt_model;

namespace apr {

/// An object file linked into this process, for as long as this lives.
class LinkedObject {
public:
  virtual ~LinkedObject() = default;
  virtual const aprt_model &model() const = 0;
};

/// Links the very bytes of an object that compileModule made and calls its reflection function, the
/// one defined symbol that ends in `_model`. The error says why the bytes are no such object for
/// this machine; `name` is what LLVM calls them in its messages.
Result<std::unique_ptr<LinkedObject>> linkObject(const std::string &bytes, const std::string &name);

} // namespace apr
