// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/record_digest.h"

#include "runtime/train/sha256.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <string_view>

namespace apr::train {
namespace {

constexpr int deepestMember = 4;
constexpr std::size_t longestList = 64;

void hashTag(Sha256 &hash, char tag) { hash.update(&tag, 1); }

void hashText(Sha256 &hash, char tag, std::string_view text) {
  hashTag(hash, tag);
  hash.updateNumber(text.size());
  hash.update(text.data(), text.size());
}

void hashJson(Sha256 &hash, const ParsedJson &value) {
  switch (value.type()) {
  case ParsedJson::value_t::object:
    hashTag(hash, 'o');
    hash.updateNumber(value.size());
    for (const auto &[key, member] : value.items()) {
      hashText(hash, 's', key);
      hashJson(hash, member);
    }
    return;
  case ParsedJson::value_t::array:
    hashTag(hash, 'a');
    hash.updateNumber(value.size());
    for (const ParsedJson &element : value)
      hashJson(hash, element);
    return;
  case ParsedJson::value_t::string:
    return hashText(hash, 's', value.get_ref<const std::string &>());
  case ParsedJson::value_t::boolean:
    return hashTag(hash, value.get<bool>() ? 't' : 'f');
  case ParsedJson::value_t::number_integer:
    return hashText(hash, 'i', std::to_string(value.get<std::int64_t>()));
  case ParsedJson::value_t::number_unsigned:
    return hashText(hash, 'i', std::to_string(value.get<std::uint64_t>()));
  case ParsedJson::value_t::number_float:
    hashTag(hash, 'd');
    return hash.updateNumber(std::bit_cast<std::uint64_t>(value.get<double>()));
  case ParsedJson::value_t::null:
  case ParsedJson::value_t::binary:
  case ParsedJson::value_t::discarded:
    return hashTag(hash, 'n');
  }
}

/// A link of the chain.
std::string chained(const std::string &previous, const ParsedJson &value) {
  Sha256 hash;
  hash.update(previous.data(), previous.size());
  hashJson(hash, value);
  return hash.finish();
}

bool isTail(std::string_view key) {
  return key == "files" || key == "steps" || key == "information";
}
bool isHeader(std::string_view key) {
  return !isTail(key) && key != "epochs" && key != "result" && key != "digests";
}

template <class Predicate> ParsedJson part(const ParsedJson &record, Predicate isPart) {
  ParsedJson object = ParsedJson::object();
  for (const auto &[key, value] : record.items())
    if (isPart(key))
      object[key] = value;
  return object;
}

void addMembers(std::map<std::string, std::string> &members, const std::string &path,
                const ParsedJson &value, int depth) {
  const bool isDivided = value.is_structured() && !value.empty() && depth < deepestMember &&
                         (value.is_object() || value.size() <= longestList);
  if (!isDivided) {
    members[path] = jsonDigest(value).substr(0, 16);
    return;
  }
  if (value.is_object())
    for (const auto &[key, member] : value.items())
      addMembers(members, fmt::format("{}.{}", path, key), member, depth + 1);
  else
    for (std::size_t i = 0; i < value.size(); ++i)
      addMembers(members, fmt::format("{}[{}]", path, i), value[i], depth + 1);
}

const ParsedJson &memberOf(const ParsedJson &object, const char *key) {
  static const ParsedJson nothing;
  return object.is_object() && object.contains(key) ? object[key] : nothing;
}

std::string textOf(const ParsedJson &value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

ParsedJson withoutDigest(const ParsedJson &entry) {
  ParsedJson rest = entry;
  if (rest.is_object())
    rest.erase("digest");
  return rest;
}

/// Compares a record with the digests in it, link by link. Each link is computed from the digest
/// stored before it, so that one alteration shows at one place.
class Check {
public:
  explicit Check(const ParsedJson &record)
      : record_(record), stored_(memberOf(record, "digests")), computed_(digestsOf(record)) {}

  std::vector<std::string> run() {
    compareMembers();
    checkHeader();
    checkEpochs();
    checkResult();
    checkRest();
    return std::move(found_);
  }

private:
  struct Altered {
    std::string path;
    const char *how;
  };

  void compareMembers() {
    const ParsedJson &stored = memberOf(stored_, "members");
    for (const auto &[path, digest] : computed_.members) {
      if (!stored.is_object() || !stored.contains(path))
        altered_.push_back({path, "was added"});
      else if (textOf(stored[path]) != digest)
        altered_.push_back({path, "was altered"});
    }
    if (stored.is_object())
      for (const auto &[path, digest] : stored.items())
        if (!computed_.members.contains(path))
          altered_.push_back({path, "was removed"});
  }

  /// Takes what belongs to a part of the record out of the list of altered members.
  template <class Predicate> std::vector<Altered> takeAltered(Predicate isPart) {
    std::vector<Altered> taken;
    std::erase_if(altered_, [&](const Altered &altered) {
      const bool isTaken = isPart(altered.path.substr(0, altered.path.find_first_of(".[")));
      if (isTaken)
        taken.push_back(altered);
      return isTaken;
    });
    return taken;
  }

  void reportMembers(const std::vector<Altered> &altered) {
    for (const Altered &member : altered)
      found_.push_back(fmt::format("{} {}", member.path, member.how));
  }
  /// The part agrees with its digest, so what differs are the digests of its members.
  void reportMemberDigests(const std::vector<Altered> &altered) {
    for (const Altered &member : altered)
      found_.push_back(fmt::format("digests.members: the digest of {} was altered", member.path));
  }

  void checkHeader() {
    const auto altered = takeAltered(isHeader);
    const std::string stored = textOf(memberOf(stored_, "header"));
    previous_ = stored;
    if (stored == computed_.header)
      return reportMemberDigests(altered);
    reportMembers(altered);
    if (altered.empty()) {
      found_.push_back("digests.header was altered");
      previous_ = computed_.header;
    }
  }

  /// What the chain covers after this entry, and the digest stored there.
  ParsedJson contentAfter(std::size_t entry) const {
    const ParsedJson &epochs = memberOf(record_, "epochs");
    return entry + 1 < epochs.size() ? withoutDigest(epochs[entry + 1])
                                     : memberOf(record_, "result");
  }
  std::string storedAfter(std::size_t entry) const {
    const ParsedJson &epochs = memberOf(record_, "epochs");
    return textOf(entry + 1 < epochs.size() ? memberOf(epochs[entry + 1], "digest")
                                            : memberOf(stored_, "training"));
  }

  void checkEpochs() {
    const ParsedJson &epochs = memberOf(record_, "epochs");
    for (std::size_t i = 0; epochs.is_array() && i < epochs.size(); ++i) {
      const std::string stored = textOf(memberOf(epochs[i], "digest"));
      const std::string computed = chained(previous_, withoutDigest(epochs[i]));
      previous_ = stored;
      if (stored == computed)
        continue;
      // The next link was made from the right digest: it tells which of the two was altered.
      const bool isDigest = chained(computed, contentAfter(i)) == storedAfter(i);
      const std::string name = fmt::format("epochs[{}] ({})", i, described(epochs[i]));
      found_.push_back(isDigest
                           ? fmt::format("the digest of {} was altered", name)
                           : fmt::format("{} was altered, or entries before it are missing", name));
      if (isDigest)
        previous_ = computed;
    }
  }

  static std::string described(const ParsedJson &entry) {
    const ParsedJson &epoch = memberOf(entry, "epoch");
    const ParsedJson &step = memberOf(entry, "step");
    return fmt::format("epoch {}, step {}", epoch.is_number_unsigned() ? epoch.dump() : "?",
                       step.is_number_unsigned() ? step.dump() : "?");
  }

  void checkResult() {
    const auto altered = takeAltered([](std::string_view key) { return key == "result"; });
    const std::string stored = textOf(memberOf(stored_, "training"));
    const std::string computed = chained(previous_, memberOf(record_, "result"));
    previous_ = stored;
    if (stored == computed)
      return reportMemberDigests(altered);
    reportMembers(altered);
    if (!altered.empty())
      return;
    const bool isDigest = chained(computed, part(record_, isTail)) == storedRecord();
    found_.push_back(isDigest ? "digests.training was altered"
                              : "entries at the end of epochs are missing or were added");
    if (isDigest)
      previous_ = computed;
  }

  void checkRest() {
    const auto altered = takeAltered(isTail);
    if (storedRecord() == chained(previous_, part(record_, isTail))) {
      reportMemberDigests(altered);
    } else {
      reportMembers(altered);
      if (altered.empty())
        found_.push_back("digests.record was altered");
    }
    // Paths that no member ever had.
    reportMemberDigests(altered_);
  }

  std::string storedRecord() const { return textOf(memberOf(stored_, "record")); }

  const ParsedJson &record_;
  const ParsedJson &stored_;
  RecordDigests computed_;
  std::string previous_;
  std::vector<Altered> altered_;
  std::vector<std::string> found_;
};

} // namespace

std::string jsonDigest(const ParsedJson &value) {
  Sha256 hash;
  hashJson(hash, value);
  return hash.finish();
}

RecordDigests digestsOf(const ParsedJson &record) {
  RecordDigests digests;
  digests.header = jsonDigest(part(record, isHeader));
  std::string previous = digests.header;
  if (const ParsedJson &epochs = memberOf(record, "epochs"); epochs.is_array())
    for (const ParsedJson &entry : epochs)
      digests.epochs.push_back(previous = chained(previous, withoutDigest(entry)));
  digests.training = chained(previous, memberOf(record, "result"));
  digests.record = chained(digests.training, part(record, isTail));
  for (const auto &[key, value] : record.items())
    if (key != "epochs" && key != "digests")
      addMembers(digests.members, key, value, 1);
  return digests;
}

void addDigests(Json &record) {
  // The digests are those of what a reader finds, whatever writing does to text that is no UTF-8.
  const auto parsed =
      ParsedJson::parse(record.dump(-1, ' ', false, Json::error_handler_t::replace));
  const RecordDigests digests = digestsOf(parsed);
  for (std::size_t i = 0; i < digests.epochs.size(); ++i)
    record["epochs"][i]["digest"] = digests.epochs[i];
  record["digests"] = {{"header", digests.header},
                       {"training", digests.training},
                       {"record", digests.record},
                       {"members", digests.members}};
}

std::vector<std::string> findAlterations(const ParsedJson &record) { return Check(record).run(); }

std::set<std::string> alteredMembers(const ParsedJson &record) {
  const ParsedJson &stored = memberOf(memberOf(record, "digests"), "members");
  const RecordDigests computed = digestsOf(record);
  std::set<std::string> keys;
  const auto add = [&](const std::string &path) {
    keys.insert(path.substr(0, path.find_first_of(".[")));
  };
  for (const auto &[path, digest] : computed.members)
    if (textOf(memberOf(stored, path.c_str())) != digest)
      add(path);
  if (stored.is_object())
    for (const auto &[path, digest] : stored.items())
      if (!computed.members.contains(path))
        add(path);
  return keys;
}

} // namespace apr::train
