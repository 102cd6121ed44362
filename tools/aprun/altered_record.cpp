// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/altered_record.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/json_text.h"
#include "runtime/train/record_digest.h"

#include <fmt/format.h>

namespace apr::aprun {

void warnOfAlterations(const std::string &folder) {
  const std::string path = folder + "/run.json";
  const auto altered = train::findAlterations(train::parseJson(train::readFile(path), path));
  if (altered.empty())
    return;
  const std::string more =
      altered.size() > 1 ? fmt::format(" and {} more", altered.size() - 1) : std::string();
  fmt::print(
      stderr,
      "{}: warning: the record is not what its digests say: {}{}; aprun verify {} tells all\n",
      path, altered.front(), more, folder);
}

} // namespace apr::aprun
