// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/json_text.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace apr::train {

/// SHA-256 of a JSON value in an encoding that has one form only, so that layout, order of keys and
/// ways to write a number do not count; docs/records.md defines it.
std::string jsonDigest(const ParsedJson &value);

/// The digests of a record, each a SHA-256 in hexadecimal of the one before and what it covers:
/// header, every entry of `epochs`, result (the end of what is the same on every machine), and the
/// rest of the record.
struct RecordDigests {
  std::string header;
  std::vector<std::string> epochs;
  std::string training;
  std::string record;
  /// The first 16 digits of the digest of each member outside of `epochs`, by its path: they tell
  /// which one was altered.
  std::map<std::string, std::string> members;
};

/// Computes the digests of a record; `digests` and the digests within the entries do not count.
RecordDigests digestsOf(const ParsedJson &record);

/// Adds the digests to a record that has none.
void addDigests(Json &record);

/// What does not agree with the record's own digests, a line each that names the member or the
/// epoch; empty where all do. Also where the digests themselves were altered.
std::vector<std::string> findAlterations(const ParsedJson &record);

/// The members of the record, by their keys, that are not those of its digests: what they say of
/// files cannot be relied on.
std::set<std::string> alteredMembers(const ParsedJson &record);

} // namespace apr::train
