// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace apr::train {
namespace {

std::string digest(std::string_view text, Sha256::Form form = Sha256::Form::Fastest) {
  Sha256 hash(form);
  hash.update(text.data(), text.size());
  return hash.finish();
}

/// The examples of FIPS 180-4 and NIST.
TEST(Sha256, AgreesWithTheStandard) {
  for (const auto form : {Sha256::Form::Fastest, Sha256::Form::Portable}) {
    EXPECT_EQ(digest("", form), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(digest("abc", form),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", form),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(digest(std::string(1'000'000, 'a'), form),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST(Sha256, DoesNotDependOnFormOrPieces) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += static_cast<char>(i * 37 + i / 7);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view part = std::string_view(text).substr(0, size);
    const std::string expected = digest(part, Sha256::Form::Portable);
    EXPECT_EQ(digest(part), expected) << size;
    Sha256 pieces;
    for (std::size_t at = 0; at < size; at += 1 + at % 70)
      pieces.update(part.data() + at, std::min(1 + at % 70, size - at));
    EXPECT_EQ(pieces.finish(), expected) << size;
  }
}

} // namespace
} // namespace apr::train
