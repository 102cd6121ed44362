// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// The readers of files that a user may give: "csv", "idx", "cifar", "npy", "npz", "gzip", "toml",
/// "safetensors" and "record".
const std::vector<std::string> &hostileReaders();

/// What a reader did with a file: "read", or the message of its `Error`. Any other exception goes
/// through.
std::string readHostile(std::string_view reader, std::string_view bytes);

} // namespace apr::train
