// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/run_recorder.h"

#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <sys/utsname.h>
#include <thread>

namespace apr::train {
namespace {

/// "model name" of the first processor; empty where the system does not tell.
std::string processorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "";
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

} // namespace

RunInformation describeMachine() {
  RunInformation information;
  information.processors = std::thread::hardware_concurrency();
  information.processor = processorName();
  utsname names{};
  if (::uname(&names) == 0) {
    information.system = fmt::format("{} {} {}", names.sysname, names.release, names.machine);
    information.host = names.nodename;
  }
  information.started = now();
  return information;
}

} // namespace apr::train
