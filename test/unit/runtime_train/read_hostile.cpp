// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "read_hostile.h"

#include "runtime/train/array_source.h"
#include "runtime/train/byte_loader.h"
#include "runtime/train/csv_source.h"
#include "runtime/train/gzip.h"
#include "runtime/train/record.h"
#include "runtime/train/run_settings.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/table_loader.h"

#include <aprt.h>
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

namespace apr::train {
namespace {

/// A file in memory, for readers that take a path.
class MemoryFile {
public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("hostile", 0)) {
    if (descriptor_ < 0 ||
        ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

private:
  int descriptor_;
};

/// Columns of every kind, in turn.
std::vector<InputColumns> columnsOfEveryKind(std::size_t count, std::vector<InputNeed> &needs) {
  constexpr std::int32_t types[] = {APRT_F32, APRT_I32, APRT_U8, APRT_BOOL, APRT_F64, APRT_I64};
  const Pipeline pipelines[] = {{}, parsePipeline("standardise", {}), {},
                                {}, parsePipeline("one_hot", {}),     parsePipeline("log", {})};
  const Missing policies[] = {{}, parseMissing("mean"), parseMissing("drop"), parseMissing("1")};
  constexpr std::size_t most = 12;
  std::vector<InputColumns> bindings;
  for (std::size_t k = 0; k < std::min(count, most); ++k) {
    needs.push_back({fmt::format("x{}", k), types[k % 6], 0, k % 5 == 4 ? 3 : 0});
    ColumnUse use{k, fmt::format("c{}", k), pipelines[k % 6], policies[k % 4]};
    if (takesLabels(use.pipeline) && use.missing.isFitted())
      use.missing = {};
    bindings.push_back({needs.back().name, {use}});
  }
  return bindings;
}

void loadAll(std::unique_ptr<RowSource> source, std::size_t columns) {
  std::vector<InputNeed> needs;
  auto bindings = columnsOfEveryKind(columns, needs);
  TableLoader loader(std::move(source), needs, std::move(bindings));
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < loader.rows(); row += 2)
    rows.push_back(row);
  loader.assemble(rows);
}

void readCsv(std::string_view bytes) {
  CsvTable table = CsvTable::parse("t.csv", std::string(bytes), {});
  const std::size_t columns = table.columnCount();
  loadAll(std::make_unique<CsvSource>(std::move(table)), columns);
}

void readBytes(std::string_view bytes, DataFormat kind) {
  ByteFormat format;
  format.format = kind;
  ByteTable table = ByteTable::parse("t.bin", bytes, {}, format);
  std::vector<InputNeed> needs;
  auto bindings = columnsOfEveryKind(table.columnCount(), needs);
  for (InputColumns &binding : bindings)
    binding.columns[0].missing = {};
  ByteLoader(std::move(table), needs, std::move(bindings)).assemble({0});
}

void readArrays(std::string_view bytes) {
  auto source = std::make_unique<ArraySource>("t.npz", std::string(bytes));
  const std::size_t columns = source->columns().count;
  loadAll(std::move(source), columns);
}

void readToml(std::string_view bytes) {
  RunSettings settings;
  applyEntries(settings, parseToml(bytes, "run.toml"), "folder");
  dataFiles(settings);
  checkSplit(settings);
  for (const Declared &declared : settings.transforms)
    parsePipeline(declared.text, declared.place);
}

void readSafetensors(std::string_view bytes) {
  const MemoryFile memory(bytes);
  const SafetensorsFile file = SafetensorsFile::open(memory.path());
  for (const StoredTensor &tensor : file.tensors()) {
    std::vector<std::byte> values(tensor.end - tensor.begin);
    file.read(tensor, values);
  }
}

using Read = void (*)(std::string_view);

const std::map<std::string, Read, std::less<>> &reads() {
  static const std::map<std::string, Read, std::less<>> table = {
      {"csv", readCsv},
      {"idx", [](std::string_view bytes) { readBytes(bytes, DataFormat::Idx); }},
      {"cifar",
       [](std::string_view bytes) {
         readBytes(bytes, bytes.size() % 3073 == 0 ? DataFormat::Cifar10 : DataFormat::Cifar100);
       }},
      {"npy", readArrays},
      {"npz", readArrays},
      {"gzip",
       [](std::string_view bytes) {
         readMaybeCompressed(MemoryFile(bytes).path(), std::uint64_t{1} << 20);
       }},
      {"toml", readToml},
      {"safetensors", readSafetensors},
      {"record",
       [](std::string_view bytes) { parseRecord(std::string(bytes), "run.json", "run"); }}};
  return table;
}

} // namespace

const std::vector<std::string> &hostileReaders() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto &[name, read] : reads())
      list.push_back(name);
    return list;
  }();
  return names;
}

std::string readHostile(std::string_view reader, std::string_view bytes) {
  try {
    reads().find(reader)->second(bytes);
  } catch (const Error &error) {
    // A promise that the program itself breaks is no fault of a file.
    if (error.kind() == ErrorKind::Internal)
      std::abort();
    return error.what();
  }
  return "read";
}

} // namespace apr::train
