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

std::string roleOf(train::FilePart part, FileKind kind) {
  const std::string prefix = part == train::FilePart::Validation ? "validation "
                             : part == train::FilePart::Test     ? "test "
                                                                 : "";
  return prefix + (kind == FileKind::Table ? "table" : "labels");
}

std::vector<NamedFile> namedFiles(const train::RunSettings &settings) {
  std::vector<NamedFile> files;
  for (const train::DataFile &file : train::dataFiles(settings)) {
    const char *flag = file.part == train::FilePart::Validation ? "validation-data"
                       : file.part == train::FilePart::Test     ? "test-data"
                                                                : "data";
    files.push_back({roleOf(file.part, FileKind::Table), file.path, flag});
    if (!file.labels.empty())
      files.push_back({roleOf(file.part, FileKind::Labels), file.labels, "labels"});
  }
  return files;
}

std::vector<train::RecordedFile> describeData(const train::RunSettings &settings) {
  std::vector<train::RecordedFile> files;
  for (const train::DataFile &file : train::dataFiles(settings)) {
    train::ByteFormat bytes = settings.bytes;
    bytes.labels = file.labels;
    std::string content = train::readMaybeCompressed(file.path);
    const auto format = train::detectFormat(file.path, content, bytes);
    files.push_back(format == train::DataFormat::Csv
                        ? describeTable(file.path, std::move(content), settings.format)
                        : train::describeBytes(content));
    files.back().role = roleOf(file.part, FileKind::Table);
    if (file.labels.empty())
      continue;
    files.push_back(train::describeBytes(train::readMaybeCompressed(file.labels)));
    files.back().role = roleOf(file.part, FileKind::Labels);
  }
  return files;
}

std::string hashOfContents(const std::string &path) {
  return train::sha256Of(train::readMaybeCompressed(path));
}

} // namespace apr::aprun
