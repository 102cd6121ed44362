// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/step_record.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"
#include "runtime/train/sha256.h"
#include "runtime/train/weights.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

namespace apr::train {
namespace {

constexpr const char *fileName = "steps.bin";
constexpr std::string_view magic = "aprsteps";
constexpr std::uint32_t version = 1;
constexpr std::size_t headerBytes = 16;

void putNumber(std::string &to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i)
    to += static_cast<char>(number >> (8 * i));
}

std::uint64_t numberAt(std::string_view bytes, std::size_t offset, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;)
    number = number << 8 | static_cast<std::uint8_t>(bytes[offset + i]);
  return number;
}

/// The first 8 bytes of a digest, as the little-endian number they are stored as.
std::uint64_t firstBytes(const std::string &digest) {
  const auto digit = [](char c) {
    return static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number |= (digit(digest[2 * i]) << 4 | digit(digest[2 * i + 1])) << (8 * i);
  return number;
}

std::string digestOf(std::string_view first, std::string_view second) {
  Sha256 hash;
  hash.update(first.data(), first.size());
  hash.update(second.data(), second.size());
  return hash.finish();
}

std::string header(std::size_t columns) {
  std::string bytes(magic);
  putNumber(bytes, version, 4);
  putNumber(bytes, columns, 4);
  return bytes;
}

std::string partOf(const std::string &folder) {
  return fmt::format("{}/{}.part", folder, fileName);
}

bool isRegularFile(const std::string &path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

std::uint64_t sizeOf(const std::string &path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

} // namespace

std::vector<std::string> stepColumns(const Model &model) {
  std::vector<std::string> columns;
  for (const aprt_tensor &tensor : model.tensors())
    columns.emplace_back(tensor.name);
  columns.emplace_back("reports");
  return columns;
}

StepHashes stepHashes(const Instance &instance, const EntryCall &call) {
  StepHashes hashes;
  for (const aprt_tensor &tensor : instance.model().tensors())
    hashes.push_back(firstBytes(tensorHash(instance, tensor)));
  hashes.push_back(firstBytes(resultHash(call)));
  return hashes;
}

std::uint64_t stepRecordBytes(const Model &model, std::uint64_t steps) {
  const std::uint64_t row = 8 * (model.tensors().size() + 2);
  return steps > (~std::uint64_t{0} - headerBytes) / row ? ~std::uint64_t{0}
                                                         : headerBytes + steps * row;
}

StepRecorder::StepRecorder(const std::string &folder, const Model &model)
    : folder_(folder),
      recorded_{fileName, stepColumns(model), 0, digestOf(header(model.tensors().size() + 1), "")},
      file_(std::make_unique<GrowingFile>(partOf(folder), 0)) {
  file_->add(header(recorded_.columns.size()));
}

StepRecorder::StepRecorder(const std::string &folder, const Model &model,
                           const RecordedSteps &soFar)
    : folder_(folder), recorded_(soFar) {
  // A training that had ended has the whole file; one that was cut off has a part. Beside the whole
  // file lies what is left of one that had ended, and failed when it went on.
  const std::string part = partOf(folder);
  const std::string whole = fmt::format("{}/{}", folder, fileName);
  const std::uint64_t size = stepRecordBytes(model, soFar.steps);
  if (soFar.columns != stepColumns(model))
    throw Error(ErrorKind::Data, {whole}, "the columns of the step record are not the model's");
  const bool isPart = !isRegularFile(whole) || (isRegularFile(part) && sizeOf(part) >= size);
  const std::string &path = isPart ? part : whole;
  if (!isRegularFile(path))
    throw Error(ErrorKind::Data, {path}, "cannot read the file: it is missing, or no regular file");
  std::string bytes = readFile(path);
  if (bytes.size() < size)
    throw Error(ErrorKind::Data, {path},
                fmt::format("the file has {} bytes, expected at least {}: the hashes of {} steps",
                            bytes.size(), size, soFar.steps));
  bytes.resize(size);
  StepRecord::parse(path, bytes, soFar);
  if (!isPart)
    writeFile(part, bytes);
  file_ = std::make_unique<GrowingFile>(part, size);
}

StepRecorder::~StepRecorder() = default;

void StepRecorder::add(const StepHashes &hashes) {
  constexpr std::size_t pieceBytes = std::size_t{1} << 20;
  std::string row;
  for (const std::uint64_t hash : hashes)
    putNumber(row, hash, 8);
  recorded_.digest = digestOf(recorded_.digest, row);
  putNumber(row, firstBytes(recorded_.digest), 8);
  ++recorded_.steps;
  file_->add(row);
  if (file_->size() > largestStepRecord)
    throw Error(ErrorKind::Data, {fileName},
                fmt::format("the step record grew beyond {} MiB at step {}; --record epoch keeps "
                            "a hash per epoch",
                            largestStepRecord >> 20, recorded_.steps));
  if (file_->pendingBytes() >= pieceBytes)
    file_->tryWrite();
}

bool StepRecorder::trySync() { return file_->trySync(); }

RecordedSteps StepRecorder::finish() {
  file_->flush();
  renameFile(partOf(folder_), fmt::format("{}/{}", folder_, fileName));
  return recorded_;
}

StepRecord StepRecord::read(const std::string &folder, const RecordedSteps &recorded) {
  const std::string path = fmt::format("{}/{}", folder, recorded.file);
  return parse(path, readFile(path), recorded);
}

StepRecord StepRecord::parse(const std::string &path, const std::string &bytes,
                             const RecordedSteps &recorded) {
  const auto fail = [&](const std::string &message) {
    return Error(ErrorKind::Data, {path}, message);
  };
  const std::size_t columns = recorded.columns.size();
  const std::size_t row = 8 * (columns + 1);
  const std::string expected = header(columns);
  if (!std::string_view(bytes).starts_with(expected))
    throw fail(fmt::format("the first {} bytes are not those of a step record of {} columns",
                           headerBytes, columns));
  const std::uint64_t stored = (bytes.size() - headerBytes) / row;
  if (stored != recorded.steps || bytes.size() != headerBytes + stored * row)
    throw fail(fmt::format("the file has {} bytes, expected {} steps of {} bytes after the first "
                           "{}",
                           bytes.size(), recorded.steps, row, headerBytes));
  StepRecord record;
  record.columns_ = recorded.columns;
  record.steps_ = recorded.steps;
  std::string digest = digestOf(expected, "");
  for (std::uint64_t step = 1; step <= stored; ++step) {
    const std::size_t begin = headerBytes + (step - 1) * row;
    digest = digestOf(digest, std::string_view(bytes).substr(begin, row - 8));
    if (numberAt(bytes, begin + row - 8, 8) != firstBytes(digest))
      throw fail(fmt::format("the hashes or the digest of step {} were altered", step));
    for (std::size_t k = 0; k < columns; ++k)
      record.words_.push_back(numberAt(bytes, begin + 8 * k, 8));
  }
  if (digest != recorded.digest)
    throw fail("the file does not end in the digest that the record has for it (steps.digest)");
  return record;
}

std::vector<std::string> StepRecord::differences(std::uint64_t step,
                                                 const StepHashes &hashes) const {
  std::vector<std::string> found;
  for (std::size_t k = 0; k < columns_.size() && step >= 1 && step <= steps_; ++k)
    if (k >= hashes.size() || words_[(step - 1) * columns_.size() + k] != hashes[k])
      found.push_back(columns_[k]);
  return found;
}

} // namespace apr::train
