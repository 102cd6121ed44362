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

enum class FileKind { Table, Labels };

/// What a record calls a file: "table", "labels", "validation table" and so on.
std::string roleOf(train::FilePart part, FileKind kind);

/// A file as a record names it.
struct NamedFile {
  std::string role;
  std::string path;
  const char *flag; ///< that names it, without its dashes
};

/// The files of `describeData`, in its order.
std::vector<NamedFile> namedFiles(const train::RunSettings &settings);

} // namespace apr::aprun
