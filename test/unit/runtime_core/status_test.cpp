// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "aprt.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

TEST(StatusText, EveryStatusHasItsOwn) {
  std::set<std::string> texts;
  for (aprt_status status = APRT_OK; status <= APRT_UNSUPPORTED_CPU; ++status)
    texts.insert(aprt_status_text(status));
  EXPECT_EQ(texts.size(), APRT_UNSUPPORTED_CPU + 1u);
  EXPECT_EQ(texts.count("unknown status"), 0u);
}

TEST(StatusText, CoversEveryNumber) {
  EXPECT_STREQ(aprt_status_text(-1), "unknown status");
  EXPECT_STREQ(aprt_status_text(APRT_UNSUPPORTED_CPU + 1), "unknown status");
  EXPECT_STREQ(aprt_status_text(APRT_FIRST_MODEL_STATUS),
               "a status of the model; its own status text says which");
}
