// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/proof_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace apr::exhaustive {
namespace {

struct Header {
  char magic[8];
  uint64_t formula;
  char cpu[48];
};
static_assert(sizeof(Header) == 64);

/// A record with a check sum, so that a record cut short by a crash does not count.
struct StoredRecord {
  BlockRecord record;
  uint64_t checkSum;
};

constexpr char kMagic[8] = {'a', 'p', 'r', 'p', 'r', 'o', 'v', '1'};

uint64_t checkSumOf(const BlockRecord &record, uint64_t block) {
  uint64_t words[sizeof(BlockRecord) / 8];
  std::memcpy(words, &record, sizeof record);
  uint64_t sum = block + 1;
  for (uint64_t word : words)
    sum = (sum ^ word) * 0x9e3779b97f4a7c15 + (sum >> 31);
  return sum;
}

off_t offsetOf(uint64_t block) {
  return static_cast<off_t>(sizeof(Header) + block * sizeof(StoredRecord));
}

} // namespace

ProofState::ProofState(const std::string &path, uint64_t formula, const std::string &cpu)
    : path_(path), file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_ < 0)
    throw UsageError("cannot open " + path_ + ": " + std::strerror(errno));
  // Two processes may both find the file empty; only one of them writes the header.
  try {
    lock(kBlocks, Wait::Always);
    checkHeader(formula, cpu);
    unlock(kBlocks);
  } catch (...) {
    close(file_); // and with it the lock
    throw;
  }
}

ProofState::~ProofState() { close(file_); }

void ProofState::checkHeader(uint64_t formula, const std::string &cpu) {
  Header wanted{}, found{};
  std::memcpy(wanted.magic, kMagic, sizeof kMagic);
  wanted.formula = formula;
  cpu.copy(wanted.cpu, sizeof wanted.cpu - 1);
  if (pread(file_, &found, sizeof found, 0) != sizeof found) {
    if (pwrite(file_, &wanted, sizeof wanted, 0) != sizeof wanted)
      throw UsageError("cannot write " + path_ + ": " + std::strerror(errno));
    return;
  }
  if (std::memcmp(found.magic, wanted.magic, sizeof kMagic) != 0)
    throw UsageError(path_ + " is not a state of this program; expected one, or no file: name "
                             "another folder with --state");
  if (found.formula != wanted.formula)
    throw UsageError(path_ + " is of another formula of the function than this program's; delete "
                             "it to begin again");
  if (std::memcmp(found.cpu, wanted.cpu, sizeof found.cpu) != 0)
    throw UsageError(path_ + " is of the CPU level " +
                     std::string(found.cpu, strnlen(found.cpu, sizeof found.cpu)) + ", not " + cpu +
                     "; delete it to begin again, or say --cpu");
}

bool ProofState::lock(uint64_t block, Wait wait) {
  // Locks of the open file, not of the process: threads exclude each other by them too.
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = offsetOf(block);
  range.l_len = sizeof(StoredRecord);
  while (fcntl(file_, wait == Wait::Always ? F_OFD_SETLKW : F_OFD_SETLK, &range) != 0)
    if (errno != EINTR) {
      if (errno == EAGAIN || errno == EACCES)
        return false;
      throw UsageError("cannot lock " + path_ + ": " + std::strerror(errno));
    }
  return true;
}

void ProofState::unlock(uint64_t block) {
  struct flock range{};
  range.l_type = F_UNLCK;
  range.l_whence = SEEK_SET;
  range.l_start = offsetOf(block);
  range.l_len = sizeof(StoredRecord);
  fcntl(file_, F_OFD_SETLK, &range);
}

std::optional<BlockRecord> ProofState::read(uint64_t block) const {
  StoredRecord stored;
  if (pread(file_, &stored, sizeof stored, offsetOf(block)) != sizeof stored ||
      stored.checkSum != checkSumOf(stored.record, block))
    return {};
  return stored.record;
}

std::optional<uint64_t> ProofState::claimWith(Wait wait, uint64_t end) {
  for (uint64_t block = 0; block < end; ++block) {
    if (read(block) || !lock(block, wait))
      continue;
    if (!read(block)) // nobody finished it between the two
      return block;
    unlock(block);
  }
  return {};
}

std::optional<uint64_t> ProofState::claim(uint64_t end) {
  auto block = claimWith(Wait::Never, end);
  return block ? block : claimWith(Wait::Always, end);
}

void ProofState::finish(uint64_t block, const BlockRecord &record) {
  StoredRecord stored{record, checkSumOf(record, block)};
  if (pwrite(file_, &stored, sizeof stored, offsetOf(block)) != sizeof stored)
    throw UsageError("cannot write " + path_ + ": " + std::strerror(errno));
  unlock(block);
}

} // namespace apr::exhaustive
