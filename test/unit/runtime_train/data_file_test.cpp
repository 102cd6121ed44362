// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/data_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace apr::train {
namespace {

/// A header and rows of two bytes.
struct Table {
  std::string text = "h\n";
  std::vector<std::size_t> offsets;

  explicit Table(std::size_t rows) {
    for (std::size_t row = 0; row < rows; ++row) {
      offsets.push_back(text.size());
      text += static_cast<char>('a' + row % 26);
      text += '\n';
    }
  }
  RecordedFile described() const { return describeRows(text, offsets); }
  RecordedFile altered(std::size_t row) const {
    Table other = *this;
    other.text[offsets[row]] = '!';
    return other.described();
  }
};

TEST(DataFile, TellsEachRowOfASmallTable) {
  const Table table(mostBlocks);
  const RecordedFile recorded = table.described();
  EXPECT_EQ(recorded.blockSize, 1u);
  EXPECT_EQ(recorded.blocks.size(), 8 * mostBlocks);
  for (const std::size_t row : {std::size_t{0}, std::size_t{17}, std::size_t{mostBlocks - 1}})
    EXPECT_EQ(describeDifference(recorded, table.altered(row)),
              "it differs in row " + std::to_string(row + 1));
}

TEST(DataFile, TellsBlocksOfALargeTable) {
  const Table table(2 * mostBlocks + 1);
  const RecordedFile recorded = table.described();
  EXPECT_EQ(recorded.blockSize, 4u);
  EXPECT_EQ(describeDifference(recorded, table.altered(9)), "it differs in rows 9 to 12");
  EXPECT_EQ(describeDifference(recorded, table.altered(2 * mostBlocks)), "it differs in row 8193");
}

TEST(DataFile, TellsWhatIsNoRow) {
  Table table(3);
  const RecordedFile recorded = table.described();
  table.text[0] = 'g';
  EXPECT_EQ(describeDifference(recorded, table.described()),
            "all rows are the same, what comes before them is not");
  table.offsets.push_back(table.text.size());
  table.text += "z\n";
  EXPECT_EQ(describeDifference(recorded, table.described()),
            "it has 4 rows, the recorded one 3; it differs in row 4");
}

TEST(DataFile, TellsBytes) {
  std::string bytes(5000, 'x');
  const RecordedFile recorded = describeBytes(bytes);
  EXPECT_EQ(recorded.blockSize, 2u);
  bytes[4999] = 'y';
  bytes[7] = 'y';
  bytes[100] = 'y';
  bytes[200] = 'y';
  EXPECT_EQ(describeDifference(recorded, describeBytes(bytes)),
            "it differs in bytes 6 to 7, bytes 100 to 101, bytes 200 to 201 and 1 more");
}

} // namespace
} // namespace apr::train
