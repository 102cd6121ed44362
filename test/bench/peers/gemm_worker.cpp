// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Libraries' side of the matrix products, in row-major order:
//
//   gemm_worker blas|onednn LIBRARY FORM M K N THREADS
//
// FORM is nn, tn (a is stored [K, M]) or nt (b is stored [N, K]). The library is loaded when it
// runs, so none is needed to build this. The protocol is that of worker.cpp.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using CblasGemm = void (*)(int, int, int, int, int, int, float, const float *, int, const float *,
                           int, float, float *, int);
using DnnlGemm = int (*)(char, char, std::int64_t, std::int64_t, std::int64_t, float, const float *,
                         std::int64_t, const float *, std::int64_t, float, float *, std::int64_t);

constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112; // of cblas.h

template <typename Function> Function find(void *library, const char *name) {
  void *const address = dlsym(library, name);
  if (!address)
    throw std::runtime_error(std::string("the library lacks ") + name);
  Function function;
  std::memcpy(&function, &address, sizeof function);
  return function;
}

struct Product {
  bool isATransposed, isBTransposed;
  int m, k, n;
  std::vector<float> a, b, c;
};

Product productOf(char **arguments) {
  const std::string form = arguments[0];
  Product p{form == "tn",
            form == "nt",
            std::atoi(arguments[1]),
            std::atoi(arguments[2]),
            std::atoi(arguments[3]),
            {},
            {},
            {}};
  p.a.resize(static_cast<std::size_t>(p.m) * static_cast<std::size_t>(p.k));
  p.b.resize(static_cast<std::size_t>(p.k) * static_cast<std::size_t>(p.n));
  p.c.resize(static_cast<std::size_t>(p.m) * static_cast<std::size_t>(p.n));
  unsigned random = 1;
  for (auto *values : {&p.a, &p.b})
    for (float &value : *values) {
      random = random * 1664525u + 1013904223u;
      value = static_cast<float>(random >> 8) / 8388608.0f - 1.0f;
    }
  return p;
}

std::function<void()> callOf(const std::string &kind, const char *path, Product &p) {
  void *const library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library)
    throw std::runtime_error(dlerror());
  const int lda = p.isATransposed ? p.m : p.k, ldb = p.isBTransposed ? p.k : p.n;
  if (kind == "onednn") {
    const auto gemm = find<DnnlGemm>(library, "dnnl_sgemm");
    return [gemm, &p, lda, ldb] {
      gemm(p.isATransposed ? 'T' : 'N', p.isBTransposed ? 'T' : 'N', p.m, p.n, p.k, 1.0f,
           p.a.data(), lda, p.b.data(), ldb, 0.0f, p.c.data(), p.n);
    };
  }
  const auto gemm = find<CblasGemm>(library, "cblas_sgemm");
  return [gemm, &p, lda, ldb] {
    gemm(kRowMajor, p.isATransposed ? kTransposed : kPlain, p.isBTransposed ? kTransposed : kPlain,
         p.m, p.n, p.k, 1.0f, p.a.data(), lda, p.b.data(), ldb, 0.0f, p.c.data(), p.n);
  };
}

int serve(int count, char **arguments) {
  if (count != 8)
    throw std::runtime_error("usage: gemm_worker blas|onednn LIBRARY FORM M K N THREADS");
  // Read by the libraries when they are loaded.
  for (const char *name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
    setenv(name, arguments[7], 1);
  Product product = productOf(arguments + 3);
  const std::function<void()> call = callOf(arguments[1], arguments[2], product);
  for (int i = 0; i < 3; ++i)
    call();
  std::cout << "{}" << std::endl;
  for (std::uint64_t calls = 0; std::cin >> calls;) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < calls; ++i)
      call();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%.9f\n", seconds.count());
    std::fflush(stdout);
  }
  return 0;
}

} // namespace

int main(int count, char **arguments) {
  try {
    return serve(count, arguments);
  } catch (const std::exception &error) {
    std::cerr << "bench: " << error.what() << '\n';
    return 1;
  }
}
