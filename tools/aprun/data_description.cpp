// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/data_description.h"

#include "runtime/train/byte_table.h"
#include "runtime/train/csv.h"
#include "runtime/train/gzip.h"
#include "runtime/train/sha256.h"

namespace apr::aprun {
namespace {

constexpr std::uint64_t largestFile = std::uint64_t{1} << 40;

train::RecordedFile describeTable(const std::string &path, const train::CsvFormat &format) {
  train::CsvTable table = train::CsvTable::read(path, format);
  std::vector<std::size_t> offsets;
  while (table.next())
    offsets.push_back(table.recordOffset());
  return train::describeRows(table.text(), offsets);
}

} // namespace

std::vector<train::RecordedFile> describeData(const train::RunSettings &settings) {
  std::vector<train::RecordedFile> files;
  if (settings.data.empty())
    return files;
  const bool isText = train::detectFormat(settings.data, settings.bytes) == train::DataFormat::Csv;
  files.push_back(
      isText ? describeTable(settings.data, settings.format)
             : train::describeBytes(train::readMaybeCompressed(settings.data, largestFile)));
  files.back().role = "table";
  if (!settings.bytes.labels.empty()) {
    files.push_back(
        train::describeBytes(train::readMaybeCompressed(settings.bytes.labels, largestFile)));
    files.back().role = "labels";
  }
  return files;
}

std::string hashOfContents(const std::string &path) {
  return train::sha256Of(train::readMaybeCompressed(path, largestFile));
}

const std::string &pathOfRole(const train::RunSettings &settings, const std::string &role) {
  return role == "labels" ? settings.bytes.labels : settings.data;
}

} // namespace apr::aprun
