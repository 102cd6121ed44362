// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// An index out of range must end the program rather than read what happens to lie there.
#ifndef _GLIBCXX_ASSERTIONS
#define _GLIBCXX_ASSERTIONS
#endif

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

// Included by mutated sources only. All mutants are compiled in; APR_MUTANT=<id> switches one of
// them on, none by default. APR_MUTANT_REACHED=<file> collects which of them a run passes by, one
// byte each; the file is mapped, so that what a crashing process reached is known too.
namespace apr::mutants {

constexpr int kMaximumMutants = 4096;

class Switch {
public:
  Switch() {
    if (const char *id = std::getenv("APR_MUTANT"))
      active_ = std::atoi(id);
    if (const char *path = std::getenv("APR_MUTANT_REACHED"))
      map(path);
  }

  bool isOn(int id) {
    reached_[id] = 1;
    return id == active_;
  }

private:
  void map(const char *path) {
    const int file = open(path, O_RDWR | O_CREAT, 0644);
    if (file < 0 || ftruncate(file, kMaximumMutants) != 0)
      std::abort();
    void *bytes = mmap(nullptr, kMaximumMutants, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED)
      std::abort();
    reached_ = static_cast<volatile unsigned char *>(bytes);
    close(file);
  }

  std::array<unsigned char, kMaximumMutants> unmapped_{};
  volatile unsigned char *reached_ = unmapped_.data();
  int active_ = -1;
};

inline bool isOn(int id) {
  static Switch state;
  return state.isOn(id);
}

} // namespace apr::mutants

#define APR_MUTANT(id) (::apr::mutants::isOn(id))
