// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/isolation.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace apr::fuzz {

void *sharedMemory(size_t bytes) {
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw std::runtime_error("no shared memory");
  return memory;
}

void limitMemory() {
  const rlimit limit{rlim_t(6) << 30, rlim_t(6) << 30};
  setrlimit(RLIMIT_AS, &limit);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

namespace {

void writeAll(int file, const std::string &text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    done += static_cast<size_t>(count);
  }
}

/// Reads to the end, or until the time is over; false for that. Signals interrupt neither.
bool readUntil(std::chrono::steady_clock::time_point deadline, int file, std::string &text) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd entry{file, POLLIN, 0};
    if (left.count() <= 0)
      return false;
    const int ready = poll(&entry, 1, static_cast<int>(left.count()));
    if (ready == 0)
      return false;
    if (ready < 0) {
      if (errno == EINTR)
        continue;
      throw std::runtime_error("a pipe cannot be watched");
    }
    char buffer[4096];
    const ssize_t count = read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      throw std::runtime_error("a pipe cannot be read");
    if (count == 0)
      return true;
    text.append(buffer, static_cast<size_t>(count));
  }
}

} // namespace

Ending runIsolated(double seconds, const std::function<std::string()> &work) {
  int ends[2];
  if (pipe(ends) != 0)
    throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child < 0)
    throw std::runtime_error("no process");
  if (child == 0) {
    limitMemory();
    close(ends[0]);
    writeAll(ends[1], work());
    _exit(0);
  }
  close(ends[1]);
  Ending ending;
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  const bool isInTime = readUntil(deadline, ends[0], ending.output);
  close(ends[0]);
  if (!isInTime)
    kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!isInTime) {
    ending.kind = Ending::Kind::TimedOut;
  } else if (WIFSIGNALED(status)) {
    ending.kind = Ending::Kind::Crashed;
    ending.signal = WTERMSIG(status);
  }
  return ending;
}

} // namespace apr::fuzz
