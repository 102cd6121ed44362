// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/data_file.h"
#include "runtime/train/run_settings.h"

#include <string>
#include <vector>

namespace apr::aprun {

/// Reads the data files that the settings name and describes them as a record keeps them. Rows of
/// text tables are told apart; of other formats, bytes. Errors are of kind Data.
std::vector<train::RecordedFile> describeData(const train::RunSettings &settings);

/// SHA-256 of a data file's contents, decompressed where it is gzip.
std::string hashOfContents(const std::string &path);

/// The path of the file of a role, "table" or "labels".
const std::string &pathOfRole(const train::RunSettings &settings, const std::string &role);

} // namespace apr::aprun
