// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <aprt.h>

#include <memory>
#include <string>

namespace apr::aprun {

/// An object file linked into this process.
class LinkedObject {
public:
  virtual ~LinkedObject() = default;
  virtual const aprt_model &model() const = 0;
};

/// Links the bytes of an object that aprc emitted and calls its reflection function, the one
/// defined symbol that ends in `_model`. `name` is for messages. Throws `Error` of kind Data where
/// the bytes are no such object for this machine.
std::unique_ptr<LinkedObject> linkObject(std::string bytes, const std::string &name);

} // namespace apr::aprun
