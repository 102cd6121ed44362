// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>

namespace apr::aprun {

/// Says on standard error where a run's record is not what its own digests say: what is told of it,
/// or made of it, may be of another training then.
void warnOfAlterations(const std::string &folder);

} // namespace apr::aprun
