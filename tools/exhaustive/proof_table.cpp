// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/proof_table.h"

#include "tools/exhaustive/block_hashes.h"

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
constexpr const char *kRechecks = "| function |";

constexpr const char *kIntroduction = R"(# Proof of the f32 elementary functions

Written by `apr-exhaustive`; not to be edited. `make exhaustive` compares compiled code with MPFR on all
2^32 inputs of each function and makes the first table: `formula` is a hash of the operations and
constants that were compiled (a test fails where the compiler has others), `results` one of the block
hashes beside this file, `decided by MPFR` counts the inputs whose value is too near a rounding
boundary for the host's f64 function to decide; there the interpreter was compared as well. `seconds`
are those of one core. Rows with dashes are of runs before there was such a table; `make
exhaustive-check` has evaluated their formulas on all inputs since.

`make exhaustive-check` evaluates every function again for each CPU level and compares the hashes; the
second table says how many blocks of 2^20 results differ.

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
          .decided = cells[4],
          .digest = numberIn(cells[5]),
          .cpu = cells[6],
          .seconds = cells[7]};
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
    else if (header.size() > 1 && header[1] == "formula")
      table.proofs_[cells[0]] = rowOf(cells);
    else
      for (size_t i = 1; i < std::min(cells.size(), header.size()); ++i)
        if (!cells[i].empty())
          table.rechecks_[cells[0]][header[i]] = cells[i];
  }
  return table;
}

void ProofTable::write(const std::string &path) const {
  std::ofstream file(path);
  file << kIntroduction << text();
  if (!file.flush())
    throw UsageError("cannot write " + path);
}

void ProofTable::add(const Proof &proof) {
  proofs_[std::string(opInfo(proof.kind).mnemonic)] = {
      .formula = proof.formula,
      .inputs = proof.inputs,
      .misrounded = proof.misrounded,
      .decided = std::to_string(proof.decided),
      .digest = digestOf(proof.hashes),
      .cpu = proof.cpu,
      .seconds = std::to_string(std::lround(proof.seconds))};
}

void ProofTable::add(OpKind kind, const std::string &target, const Recheck &recheck) {
  rechecks_[std::string(opInfo(kind).mnemonic)][target] =
      fmt::format("{} of {} in {:.0f} s", recheck.different, recheck.blocks, recheck.seconds);
}

const ProofTable::Row *ProofTable::findProof(const std::string &function) const {
  auto it = proofs_.find(function);
  return it == proofs_.end() ? nullptr : &it->second;
}

std::string ProofTable::findRecheck(const std::string &function, const std::string &target) const {
  auto row = rechecks_.find(function);
  if (row == rechecks_.end())
    return "";
  auto cell = row->second.find(target);
  return cell == row->second.end() ? "" : cell->second;
}

std::string ProofTable::text() const {
  std::string text;
  if (!proofs_.empty())
    text += fmt::format("{}\n{}", kProofs, ruleFor(8));
  for (const auto &[function, row] : proofs_)
    text += fmt::format("| {} | {:#018x} | {} | {} | {} | {:#018x} | {} | {} |\n", function,
                        row.formula, row.inputs, row.misrounded, row.decided, row.digest, row.cpu,
                        row.seconds);
  std::set<std::string> targets;
  for (const auto &[function, cells] : rechecks_)
    for (const auto &[target, cell] : cells)
      targets.insert(target);
  if (targets.empty())
    return text;
  text += fmt::format("{}{}", text.empty() ? "" : "\n", kRechecks);
  for (const std::string &target : targets)
    text += fmt::format(" {} |", target);
  text += "\n" + ruleFor(targets.size() + 1);
  for (const auto &[function, cells] : rechecks_) {
    text += fmt::format("| {} |", function);
    for (const std::string &target : targets)
      text += fmt::format(" {} |", findRecheck(function, target));
    text += "\n";
  }
  return text;
}

} // namespace apr::exhaustive
