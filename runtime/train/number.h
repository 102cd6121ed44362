// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string_view>

namespace apr::train {

enum class NumberFault {
  None,
  NotANumber, ///< also "nan" and "inf": a table with them has missing values
  NotWhole,   ///< a fraction where an integer is wanted
  OutOfRange
};

/// Parses decimal text to the final type with a single rounding, whatever the locale.
///
/// Blanks around the number and a leading + are allowed. Integer types also take a decimal notation
/// of a whole number ("3.0"), bool takes 0, 1, true and false. Magnitudes below the type's range
/// become a signed zero; above it they are a fault.
NumberFault parseNumber(std::string_view text, float &value);
NumberFault parseNumber(std::string_view text, double &value);
NumberFault parseNumber(std::string_view text, std::int32_t &value);
NumberFault parseNumber(std::string_view text, std::int64_t &value);
NumberFault parseNumber(std::string_view text, std::uint8_t &value);
NumberFault parseNumber(std::string_view text, bool &value);

} // namespace apr::train
