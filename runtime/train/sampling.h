// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace apr::train {

/// A permutation of 0 … count-1 that depends on nothing but its arguments.
///
/// Fisher–Yates from the top: for i = count-1 … 1, element i changes places with element
/// j = (draw · (i+1)) >> 64, where draw is the 64-bit number (word 1 : word 0) of Philox4x32-10
/// with key `seed` and counter (i lo, i hi, epoch mod 2^32, FNV-1a of the stream's name).
std::vector<std::size_t> permutation(std::uint64_t seed, std::uint64_t epoch,
                                     std::string_view stream, std::size_t count);

/// Rows of a data set divided into parts, each in ascending order.
struct Split {
  std::vector<std::size_t> training;
  std::vector<std::size_t> validation;
  std::vector<std::size_t> test = {};
  /// The class of each row of the data set where epochs draw classes equally often; else empty.
  std::vector<std::uint32_t> balanced = {};
};

/// Sets aside the nearest whole number of rows to `fraction` (halves upwards), chosen by the
/// permutation of stream "split" and epoch 0: its first elements are the validation rows.
Split splitRows(std::uint64_t seed, std::size_t count, double fraction);

/// The rows in the order in which an epoch visits them (stream "shuffle"; epochs count from 1).
std::vector<std::size_t> shuffledRows(std::uint64_t seed, std::uint64_t epoch,
                                      const std::vector<std::size_t> &rows);

/// As many rows as there are training rows, drawn with repetition so that each class among them is
/// equally likely: with words w0 … w3 of Philox4x32-10 of key `seed` and counter (i lo, i hi, epoch
/// mod 2^32, FNV-1a of "balance"), place i takes the class of number (w1:w0 · classes) >> 64, in
/// ascending order of their codes, and of its n rows that of number (w3:w2 · n) >> 64.
std::vector<std::size_t> balancedRows(std::uint64_t seed, std::uint64_t epoch, const Split &split);

/// The rows of an epoch: balanced where the split says so, else shuffled.
std::vector<std::size_t> epochRows(std::uint64_t seed, std::uint64_t epoch, const Split &split);

} // namespace apr::train
