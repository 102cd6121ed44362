// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/proof_table.h"

#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/proof_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace apr::exhaustive {
namespace {

constexpr const char *kProofs = "| function | formula | inputs | misrounded | decided by MPFR | "
                                "results | CPU level | seconds |";
constexpr const char *kRechecks = "| function | formula | results |";
constexpr const char *kInterpreter = "interpreter"; // no target

constexpr const char *kIntroduction = R"(# Proof of the f32 elementary functions

Written by `apr-exhaustive`; not to be edited. `make exhaustive` judges compiled code on all 2^32 inputs
of each function and makes the first table: `formula` is a hash of the operations and constants that
were compiled (a test fails where the compiler has others), `results` one of the block hashes beside
this file. glibc's f64 function judges, and MPFR where the value is too near a rounding boundary for it:
`decided by MPFR` counts these inputs; there the interpreter was compared as well. `seconds` are those
of one core.

`apr-exhaustive check --record` evaluates functions again for each CPU level and compares with the
hashes; the second table says how many blocks of 2^20 results differ, of how many that were compared:
4096 are all.

)";

/// The cells of a row "| a | b |", without the spaces around.
std::vector<std::string> cellsOf(const std::string &line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  std::string cell;
  std::getline(stream, cell, '|');
  while (std::getline(stream, cell, '|')) {
    size_t first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

uint64_t numberIn(const std::string &cell) {
  char *end = nullptr;
  uint64_t number = std::strtoull(cell.c_str(), &end, 0);
  if (cell.empty() || *end != '\0')
    throw UsageError("'" + cell + "' in a table of proofs is no number");
  return number;
}

ProofTable::Row rowOf(const std::vector<std::string> &cells) {
  if (cells.size() != 8)
    throw UsageError("a proof has 8 cells, not " + std::to_string(cells.size()));
  return {.formula = numberIn(cells[1]),
          .inputs = numberIn(cells[2]),
          .misrounded = numberIn(cells[3]),
          .decided = numberIn(cells[4]),
          .digest = numberIn(cells[5]),
          .cpu = cells[6],
          .seconds = numberIn(cells[7])};
}

/// "0 of 4096 in 11 s".
Recheck recheckIn(const std::string &cell) {
  std::istringstream words(cell);
  Recheck recheck;
  std::string of, in, unit;
  words >> recheck.different >> of >> recheck.blocks >> in >> recheck.seconds >> unit;
  if (!words || of != "of" || in != "in" || unit != "s")
    throw UsageError("'" + cell + "' in a table of proofs is no recheck");
  return recheck;
}

ProofTable::Rechecked rechecksOf(const std::vector<std::string> &header,
                                 const std::vector<std::string> &cells) {
  if (cells.size() != header.size())
    throw UsageError(fmt::format("a recheck has {} cells, not {}", header.size(), cells.size()));
  ProofTable::Rechecked row{.formula = numberIn(cells[1]), .digest = numberIn(cells[2])};
  for (size_t i = 3; i < cells.size(); ++i)
    if (!cells[i].empty())
      row.targets[header[i]] = recheckIn(cells[i]);
  return row;
}

std::string ruleFor(size_t columns) {
  std::string rule = "|";
  for (size_t i = 0; i < columns; ++i)
    rule += "---|";
  return rule + "\n";
}

} // namespace

ProofTable ProofTable::read(const std::string &path) {
  ProofTable table;
  std::ifstream file(path);
  std::string line;
  std::vector<std::string> header;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] != '|') {
      header.clear();
      continue;
    }
    auto cells = cellsOf(line);
    if (header.empty())
      header = cells;
    else if (cells[0].starts_with("---"))
      continue;
    else if (header.size() > 2 && header[2] == "inputs")
      table.proofs_[cells[0]] = rowOf(cells);
    else
      table.rechecks_[cells[0]] = rechecksOf(header, cells);
  }
  return table;
}

void ProofTable::write(const std::string &path) const {
  std::ofstream file(path);
  file << document();
  if (!file.flush())
    throw UsageError("cannot write " + path);
}

void ProofTable::add(const Proof &proof) {
  std::string function(opInfo(proof.kind).mnemonic);
  Row row{.formula = proof.formula,
          .inputs = proof.inputs,
          .misrounded = proof.misrounded,
          .decided = proof.decided,
          .digest = digestOf(proof.hashes),
          .cpu = proof.cpu,
          .seconds = static_cast<uint64_t>(std::lround(proof.seconds))};
  const Rechecked *rechecked = findRecheck(function);
  if (rechecked && (rechecked->formula != row.formula || rechecked->digest != row.digest))
    rechecks_.erase(function);
  proofs_[function] = row;
}

void ProofTable::add(OpKind kind, const std::string &target, const Recheck &recheck) {
  Rechecked &row = rechecks_[std::string(opInfo(kind).mnemonic)];
  if (row.formula != recheck.formula || row.digest != recheck.digest)
    row = {.formula = recheck.formula, .digest = recheck.digest, .targets = {}};
  row.targets[target] = recheck;
}

const ProofTable::Row *ProofTable::findProof(const std::string &function) const {
  auto it = proofs_.find(function);
  return it == proofs_.end() ? nullptr : &it->second;
}

const ProofTable::Rechecked *ProofTable::findRecheck(const std::string &function) const {
  auto it = rechecks_.find(function);
  return it == rechecks_.end() ? nullptr : &it->second;
}

std::string ProofTable::document() const { return kIntroduction + text(); }

std::string ProofTable::text() const {
  std::string text;
  if (!proofs_.empty())
    text += fmt::format("{}\n{}", kProofs, ruleFor(8));
  for (const auto &[function, row] : proofs_)
    text += fmt::format("| {} | {:#018x} | {} | {} | {} | {:#018x} | {} | {} |\n", function,
                        row.formula, row.inputs, row.misrounded, row.decided, row.digest, row.cpu,
                        row.seconds);
  std::set<std::string> targets;
  for (const auto &[function, row] : rechecks_)
    for (const auto &[target, recheck] : row.targets)
      targets.insert(target);
  if (targets.empty())
    return text;
  text += fmt::format("{}{}", text.empty() ? "" : "\n", kRechecks);
  for (const std::string &target : targets)
    text += fmt::format(" {} |", target);
  text += "\n" + ruleFor(targets.size() + 3);
  for (const auto &[function, row] : rechecks_) {
    text += fmt::format("| {} | {:#018x} | {:#018x} |", function, row.formula, row.digest);
    for (const std::string &target : targets)
      if (auto cell = row.targets.find(target); cell != row.targets.end())
        text += fmt::format(" {} of {} in {:.0f} s |", cell->second.different, cell->second.blocks,
                            cell->second.seconds);
      else
        text += "  |";
    text += "\n";
  }
  return text;
}

} // namespace apr::exhaustive
