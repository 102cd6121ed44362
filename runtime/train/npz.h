// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/npy.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct zip;

namespace apr::train {

/// An NPZ file, a zip archive of NPY files, that was read into memory. Only headers are unpacked
/// until an array is asked for. Errors are of kind Data and name file and array: a damaged archive,
/// a name twice, an entry that is no array, a size that the archive's bytes cannot hold.
class NpzFile {
public:
  NpzFile(std::string file, std::string content);

  struct Entry {
    std::string name; ///< without ".npy"
    std::uint64_t index = 0;
    std::optional<NpyHeader> header;
    std::string fault; ///< where there is no header: why the array cannot be read
  };
  /// In the archive's order, at least one.
  const std::vector<Entry> &arrays() const { return arrays_; }

  /// Unpacks an array; one without header is an error.
  NpyArray read(const Entry &entry) const;

private:
  struct Discard {
    void operator()(zip *archive) const;
  };

  void openArchive();
  Entry entryAt(std::uint64_t index) const;
  NpyHeader headerOf(std::uint64_t index, const std::string &place) const;
  std::string placeOf(const std::string &name) const;

  std::string file_;
  std::unique_ptr<const std::string> content_; ///< stays where it is: the archive points into it
  std::unique_ptr<zip, Discard> archive_;
  std::vector<Entry> arrays_;
};

} // namespace apr::train
