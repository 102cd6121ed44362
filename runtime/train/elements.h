// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/columns.h"
#include "runtime/train/dataset.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace apr::train {

/// Size in bytes of an element of the reflection table's types; 0 for an unknown one.
std::size_t elementBytes(std::int32_t dtype);
/// "f32" …; "?" for an unknown one.
const char *dtypeName(std::int32_t dtype);

/// Where a transformed number does not fit the type, why; else null.
const char *conversionFault(double x, std::int32_t dtype);
/// Stores a number that fits.
void storeNumber(std::byte *to, std::int32_t dtype, double x);
/// An element of an array of integers or bools.
std::int64_t indexAt(const InputArray &array, std::size_t element);
/// Throws an `Error` of kind Usage where the columns bound to an input make another number of
/// elements than its rows have.
void checkRowElements(const InputNeed &need, std::size_t columns, std::size_t elements,
                      const std::string &file);
/// The first element of an input of indices that is outside its range; `count` where none is.
std::size_t firstBadIndex(const InputNeed &need, const InputArray &array, std::size_t count);
/// "found 7 for input y, expected 0 to 2"
std::string badIndexText(const InputNeed &need, const InputArray &array, std::size_t element);
/// How many elements of a row a column makes: the categories of a one-hot column, else 1.
std::size_t width(const ColumnUse &use);

} // namespace apr::train
