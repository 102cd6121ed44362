// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr::frontend {

/// How a value of a train block depends on the rows of its batch, which decides whether parts of
/// the batch can be computed apart.
struct RowDependence {
  enum class Kind : uint8_t {
    Same,  ///< the same for every part
    Rows,  ///< part by part along `axis`: each range of it depends on its own rows alone
    Sum,   ///< a sum over the rows, possibly weighted: the parts' values add up to it
    Mixed, ///< anything else
  };
  Kind kind = Kind::Same;
  size_t axis = 0;
  Location location;  ///< Mixed: where rows met
  std::string reason; ///< Mixed: in which way

  static RowDependence rows(size_t axis) { return {Kind::Rows, axis, {}, {}}; }
  static RowDependence sum() { return {Kind::Sum, 0, {}, {}}; }
  friend bool operator==(const RowDependence &a, const RowDependence &b) {
    return a.kind == b.kind && a.axis == b.axis;
  }
};

/// The dependence of every value of a graph, given that of its arguments. `rows` is the dim
/// variable that counts the rows of a part; a number made of it is that of the whole batch, and a
/// multiple of `count`.
std::vector<RowDependence> findRowDependence(const Graph &graph, const Shards &shards,
                                             const std::vector<RowDependence> &arguments);

/// True where the variable occurs in the dim.
bool mentions(const Dim &dim, const std::string &variable);

} // namespace apr::frontend
