// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reduction orders that the IR of the linear-regression models states, written as loops.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

using Vector = std::vector<double>;

// tree over partial results: adjacent pairs level by level, an odd last one moves up.
inline double combine(Vector parts) {
  while (parts.size() > 1) {
    Vector level;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      level.push_back(parts[i] + parts[i + 1]);
    if (parts.size() % 2 == 1)
      level.push_back(parts.back());
    parts = level;
  }
  return parts[0];
}

// sum {order = tree(lanes(32,4096))}
inline double sumByLanes(const Vector &terms) {
  Vector blocks;
  for (size_t begin = 0; begin < terms.size(); begin += 4096) {
    double lane[32];
    for (double &value : lane)
      value = -0.0;
    for (size_t i = begin; i < terms.size() && i < begin + 4096; ++i)
      lane[(i - begin) % 32] += terms[i];
    for (int half = 16; half >= 1; half /= 2)
      for (int j = 0; j < half; ++j)
        lane[j] += lane[j + half];
    blocks.push_back(lane[0]);
  }
  return combine(blocks);
}

// sum {order = tree(seq(512))}
inline double sumInChunks(const Vector &terms) {
  Vector chunks;
  for (size_t begin = 0; begin < terms.size(); begin += 512) {
    double chain = -0.0;
    for (size_t i = begin; i < terms.size() && i < begin + 512; ++i)
      chain += terms[i];
    chunks.push_back(chain);
  }
  return combine(chunks);
}

// matmul {order = tree(seq(512))}, one element of the result
inline double dot(const Vector &a, const Vector &b) {
  Vector chunks;
  for (size_t begin = 0; begin < a.size(); begin += 512) {
    double chain = -0.0;
    for (size_t i = begin; i < a.size() && i < begin + 512; ++i)
      chain = std::fma(a[i], b[i], chain);
    chunks.push_back(chain);
  }
  return combine(chunks);
}
