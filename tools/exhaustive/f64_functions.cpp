// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/f64_functions.h"

// The operators on scalars must be known to the formulas.
#include "tools/exhaustive/scalar_values.h"

#include "ir/expansions/activations.h"
#include "ir/expansions/angle.h"
#include "ir/expansions/arc.h"
#include "ir/expansions/erfinv.h"
#include "ir/expansions/formulas.h"
#include "ir/expansions/pow.h"
#include "tools/exhaustive/reference.h"

namespace apr::exhaustive {
namespace {

using scalar::F64;

template <F64 (*formula)(F64)> double plain(double x) { return formula(F64{x}).value; }
template <F64 (*formula)(F64, F64)> double plain(double x, double y) {
  return formula(F64{x}, F64{y}).value;
}

// Operands whose values lie closest to a rounding boundary of f64, where an error of any size
// shows: V. Lefèvre and J.-M. Muller, Worst Cases for Correct Rounding of the Elementary Functions
// in Double Precision, 2001, and later searches of theirs.
constexpr double kHardExp[] = {
    -0x1.eb7a4cb841fccp-14, -0x1.9a61fb925970dp-14, 0x1.a7b764e2cf47ap-2,  -0x1.757852a4b93aap+5,
    0x1.4c19e5712e377p+5,   -0x1.9a74cdab36c28p+4,  -0x1.5b3e4e2e3bba9p+9, -0x1.6960d591aec34p+9,
    -0x1.6232c09d58d91p+9,  -0x1.74910d52d3051p+9,  -0x1.67a172ceb099p+9,  0x1.b4f0cfb15ca0fp+3,
    0x1.2b708872320ddp+5,   0x1.77f74111e0894p+6,   0x1.a6c3780bbf824p+6,  0x1.e3d57e4c557f6p+6,
    0x1.f07560077985ap+6,   0x1.1f0da93354198p+7,   0x1.71018579c0758p+7,  0x1.204684c1167e9p+8,
    0x1.465655f122ff6p-49,  0x1.bc8ee6b28659ap-46,
};
constexpr double kHardLog[] = {
    0x1.e7812faadb32fp-474, 0x1.d2ccad399848ep+74,  0x1.12ccdffd9d2ecp+171,
    0x1.6f070b92d36cep+358, 0x1.06dcb74f76bccp+732,
};
constexpr double kHardSine[] = {
    0x1.5f09cad750ab1p+3,    -0x1.f635b70b92407p-21,  -0x1.3ecf146c39c0cp-20,
    0x1.6ac5b262ca1ffp+849,  0x1.6c6cbc45dc8dep+5,    0x1.b951f1572eba5p+31,
    0x1.55202aefde314p+31,   -0x1.ab514bfc61c76p+7,   -0x1.f7898d5a756ddp+2,
    -0x1.f42fb19b5b9b2p-6,   -0x1.14823229799c2p+7,   -0x1.0285070f9f1bcp-5,
    0x1.23f40dccdef72p+0,    0x1.43cf16358c9d7p+0,    0x1.addf3b9722265p+0,
    0x1.48ff1782ca91dp+8,    0x1.a211877de55dbp+4,    0x1.dcbfda0c7559ep+8,
    0x1.1ffb509f3db15p+5,    0x1.2345d1e090529p+5,    0x1.ae945054939c2p+10,
    0x1.2e566149bf5fdp+9,    0x1.be886d9c2324dp+6,    -0x1.119471e9216cdp+10,
    -0x1.aaf85537ea4c7p+3,   0x1.cb996c60f437ep+9,    0x1.c96e28eb679f8p+5,
    -0x1.a5eece87e8606p+4,   0x1.e31b55306f22cp+2,    0x1.ae78d360afa15p+0,
    0x1.1685973506319p+3,    0x1.4f2b874135d27p+4,    0x1.3eec5912ea7cdp+331,
    0x1.a65d441ea6dcep+4,    0x1.e639103a05997p+2,    0x1.13114266f9764p+4,
    0x1.08087e9aad90bp+887,  0x1.2b5fe88a9d8d5p+903,  -0x1.a880417b7b119p+1023,
    -0x1.6deb37da81129p+205, 0x1.f6d7518808571p+1023, -0x1.8bb5847d49973p+845,
    0x1.f08b14e1c4d0fp+890,  0x1.e0000000001c2p-20,
};

constexpr F64Function kFunctions[] = {
    {OpKind::Exp, plain<expansions::exp>, -746, 711, 0.79, kHardExp},
    {OpKind::Expm1, plain<expansions::expm1>, -40, 711, 0.83, kHardExp},
    {OpKind::Exp2, plain<expansions::exp2>, -1076, 1025, 0.79, kHardExp},
    {OpKind::Log, plain<expansions::log>, 0.2, 4, 0.72, kHardLog},
    {OpKind::Log2, plain<expansions::log2>, 0.2, 4, 0.51, kHardLog},
    {OpKind::Log1p, plain<expansions::log1p>, -1, 3, 0.71, kHardLog},
    {OpKind::Sin, plain<expansions::sin>, -100, 100, 0.79, kHardSine},
    {OpKind::Cos, plain<expansions::cos>, -100, 100, 0.78, kHardSine},
    {OpKind::Tan, plain<expansions::tan>, -100, 100, 0.91, kHardSine},
    {OpKind::Asin, plain<expansions::asin>, -1, 1, 0.65, {}},
    {OpKind::Acos, plain<expansions::acos>, -1, 1, 0.65, {}},
    {OpKind::Atan, plain<expansions::atan>, -10, 10, 0.64, {}},
    {OpKind::Sinh, plain<expansions::sinh>, -711, 711, 0.77, kHardExp},
    {OpKind::Cosh, plain<expansions::cosh>, -711, 711, 0.75, kHardExp},
    {OpKind::Tanh, plain<expansions::tanh>, -20, 20, 0.72, {}},
    {OpKind::Sigmoid, plain<expansions::sigmoid>, -746, 40, 0.78, kHardExp},
    {OpKind::Erf, plain<expansions::erf>, -6, 6, 0.91, {}},
    {OpKind::ErfInv, plain<expansions::erfinv>, -1, 1, 0.79, {}},
    {OpKind::Softplus, plain<expansions::softplus>, -746, 40, 0.78, {}},
    {OpKind::Silu, plain<expansions::silu>, -750, 40, 0.78, {}},
    {OpKind::Gelu, plain<expansions::gelu>, -39, 9, 0.85, {}},
    {OpKind::GeluTanh, plain<expansions::geluTanh>, -25, 9, 0.76, {}},
    {OpKind::Rsqrt, plain<expansions::rsqrt>, 0, 10, 0.51, {}},
};

constexpr F64BinaryFunction kBinaryFunctions[] = {
    {OpKind::Pow, plain<expansions::pow>, powErrorInUlps, 0.81},
    {OpKind::Atan2, plain<expansions::atan2>, atan2ErrorInUlps, 0.66},
};

} // namespace

std::span<const F64Function> f64Functions() { return kFunctions; }
std::span<const F64BinaryFunction> f64BinaryFunctions() { return kBinaryFunctions; }

} // namespace apr::exhaustive
