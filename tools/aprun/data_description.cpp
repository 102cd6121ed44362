// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/data_description.h"

#include "runtime/train/byte_table.h"
#include "runtime/train/csv.h"
#include "runtime/train/gzip.h"
#include "runtime/train/sha256.h"

namespace apr::aprun {
namespace {

train::RecordedFile describeTable(const std::string &path, std::string content,
                                  const train::CsvFormat &format) {
  train::CsvTable table = train::CsvTable::parse(path, std::move(content), format);
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
  std::string content = train::readMaybeCompressed(settings.data);
  const auto format = train::detectFormat(settings.data, content, settings.bytes);
  files.push_back(format == train::DataFormat::Csv
                      ? describeTable(settings.data, std::move(content), settings.format)
                      : train::describeBytes(content));
  files.back().role = "table";
  if (!settings.bytes.labels.empty()) {
    files.push_back(train::describeBytes(train::readMaybeCompressed(settings.bytes.labels)));
    files.back().role = "labels";
  }
  return files;
}

std::string hashOfContents(const std::string &path) {
  return train::sha256Of(train::readMaybeCompressed(path));
}

const std::string &pathOfRole(const train::RunSettings &settings, const std::string &role) {
  return role == "labels" ? settings.bytes.labels : settings.data;
}

} // namespace apr::aprun
