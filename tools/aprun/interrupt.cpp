// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/interrupt.h"

#include <csignal>

namespace apr::aprun {
namespace {

volatile std::sig_atomic_t requested = 0;

extern "C" void noteInterrupt(int) { requested = 1; }

void install(int signal) {
  struct sigaction action{};
  action.sa_handler = noteInterrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

} // namespace

InterruptGuard::InterruptGuard() {
  requested = 0;
  install(SIGINT);
  install(SIGTERM);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool InterruptGuard::isRequested() { return requested != 0; }

} // namespace apr::aprun
