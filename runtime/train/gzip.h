// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string>

namespace apr::train {

/// Contents of a file, decompressed where it is gzip (RFC 1952; several members may follow each
/// other). Errors of kind Data name the file: what cannot be read, damaged or truncated streams,
/// and contents beyond `largest` bytes, which are refused before they fill the memory.
std::string readMaybeCompressed(const std::string &path, std::uint64_t largest);
/// The same, as far as the machine's memory allows.
std::string readMaybeCompressed(const std::string &path);

/// Half of the machine's memory: a file of a few megabytes can hold as many gigabytes.
std::uint64_t largestUnpacked();

} // namespace apr::train
