// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/json_text.h"
#include "runtime/train/record_digest.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/weights.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/data_description.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

/// Whether digests of tensors, or source files, are shown beside that of the whole.
enum class Detail { Whole, Parts };

void printLine(const std::string &digest, const std::string &what) {
  fmt::print("{}  {}\n", digest, what);
}

void hashTensors(const std::string &path, Detail detail) {
  const auto file = train::SafetensorsFile::open(path);
  printLine(train::fileHash(file), path + " (tensors)");
  if (detail == Detail::Whole)
    return;
  for (const train::StoredTensor &tensor : file.tensors())
    printLine(train::tensorHash(file, tensor), "  " + tensor.name);
}

void hashModel(const std::string &path, Detail detail) {
  const auto model = readModel({path, {}, "native", ""});
  printLine(hashOf(*model), path + " (model source)");
  if (detail == Detail::Parts)
    for (const train::RecordedSource &source : describeSources(model->sources, path))
      printLine(source.sha256, "  " + source.name);
}

void hashObject(const std::string &path) {
  const auto model = loadModel({path, {}, "native", ""});
  printLine(model->table().source_hash, path + " (model source)");
}

/// Data as a record has it: what is behind gzip.
void hashData(const std::string &path) { printLine(hashOfContents(path), path + " (bytes)"); }

/// Whether a file holds tensors, whatever it is called: what begins as such a file has a header of
/// the size that it declares. A pipe is not read twice.
bool holdsTensors(const std::string &path) {
  if (path.ends_with(".safetensors"))
    return true;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return false;
  std::array<char, 9> start{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(start.data(), start.size()))
    return false;
  std::uint64_t header = 0;
  for (std::size_t i = 0; i < 8; ++i)
    header |= std::uint64_t{static_cast<unsigned char>(start[i])} << 8 * i;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return !error && start[8] == '{' && header <= size - 8;
}

/// The digests of the record are made anew; those in the file only tell whether it was altered.
ExitCode hashRun(const std::string &folder, Detail detail) {
  const train::RunRecord record = train::readRecord(folder);
  const std::string path = folder + "/run.json";
  const auto json = train::parseJson(train::readFile(path), path);
  const train::RecordDigests digests = train::digestsOf(json);
  const auto line = [&](const std::string &digest, const std::string &what) {
    printLine(digest, fmt::format("{}: {}", folder, what));
  };
  line(digests.record, "record");
  line(digests.training, "training");
  line(record.sourceHash, "model " + record.modelName);
  for (const train::RecordedFile &file : record.dataFiles)
    line(file.sha256, file.role);
  for (const char *name : {"weights.safetensors", "state.safetensors"})
    hashTensors(fmt::format("{}/{}", folder, name), detail);
  const auto altered = train::findAlterations(json);
  for (const std::string &found : altered)
    fmt::print("altered: {}: {}\n", path, found);
  return altered.empty() ? Success : RecordAltered;
}

} // namespace

int hashCommand(const CommandLine &line) {
  if (line.arguments.empty())
    throw Error(ErrorKind::Usage, "aprun hash takes files and folders of runs");
  const Detail detail =
      line.option("tensors").value_or("false") == "true" ? Detail::Parts : Detail::Whole;
  ExitCode code = Success;
  for (const std::string &path : line.arguments) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
      code = std::max(code, hashRun(path, detail));
    else if (path.ends_with(".apr") || path.ends_with(".apir"))
      hashModel(path, detail);
    else if (path.ends_with(".o"))
      hashObject(path);
    else if (holdsTensors(path))
      hashTensors(path, detail);
    else
      hashData(path);
  }
  return code;
}

} // namespace apr::aprun
