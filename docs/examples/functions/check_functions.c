/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Checks the f32 functions of a compiled model against MPFR, sharing nothing with the compiler.
 *
 *   aprc functions.apr -o functions.o
 *   cc -std=c11 -O2 check_functions.c functions.o -lmpfr -lgmp -lm -o check_functions
 *   ./check_functions 65537          # every 65537th float, all functions: seconds
 *   ./check_functions 1 exp          # all floats, one function: hours, for MPFR does it all
 */
#include "functions.h"

#include <math.h>
#include <mpfr.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { precision = 500, chunk = 4096 };

typedef int exact_function(mpfr_ptr result, mpfr_srcptr x, mpfr_rnd_t mode);
typedef aprt_status entry_point(const aprt_exec *exec, const void *state, void *workspace,
                                int64_t N, const float *x, float *result);

/* IEEE 754 has 1/sqrt(-0) = -inf, MPFR has +inf. */
static int reciprocalRoot(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t mode) {
  return mpfr_zero_p(x) ? mpfr_ui_div(y, 1, x, mode) : mpfr_rec_sqrt(y, x, mode);
}

/* numerator / (1 + e^-u) */
static int logistic(mpfr_ptr y, mpfr_srcptr numerator, mpfr_srcptr u, mpfr_rnd_t mode) {
  mpfr_t divisor;
  mpfr_init2(divisor, precision);
  mpfr_neg(divisor, u, mode);
  mpfr_exp(divisor, divisor, mode);
  mpfr_add_ui(divisor, divisor, 1, mode);
  mpfr_div(y, numerator, divisor, mode);
  mpfr_clear(divisor);
  return 0;
}

static int sigmoid(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t mode) {
  mpfr_set_ui(y, 1, mode);
  return logistic(y, y, x, mode);
}

static int softplus(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t mode) {
  mpfr_abs(y, x, mode);
  mpfr_neg(y, y, mode);
  mpfr_exp(y, y, mode);
  mpfr_log1p(y, y, mode);
  return mpfr_sgn(x) > 0 ? mpfr_add(y, y, x, mode) : 0;
}

/* x f(x) with f(-inf) = 0: the limits. */
static int isEnd(mpfr_ptr y, mpfr_srcptr x) {
  if (!mpfr_inf_p(x))
    return 0;
  if (mpfr_sgn(x) > 0)
    mpfr_set(y, x, MPFR_RNDN);
  else
    mpfr_set_zero(y, -1);
  return 1;
}

static int silu(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t mode) {
  return isEnd(y, x) ? 0 : logistic(y, x, x, mode);
}

static int gelu(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t mode) {
  if (isEnd(y, x))
    return 0;
  mpfr_sqrt_ui(y, 2, mode);
  mpfr_div(y, x, y, mode);
  mpfr_neg(y, y, mode);
  mpfr_erfc(y, y, mode);
  mpfr_mul(y, y, x, mode);
  return mpfr_div_2ui(y, y, 1, mode);
}

/* (1 + tanh(u))/2 = 1/(1 + e^-2u), 2u = sqrt(8/pi) (x + 0.044715 x^3) */
static int geluTanh(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t mode) {
  if (isEnd(y, x))
    return 0;
  mpfr_t factor;
  mpfr_init2(factor, precision);
  mpfr_sqr(y, x, mode);
  mpfr_mul_ui(y, y, 44715, mode);
  mpfr_div_ui(y, y, 1000000, mode);
  mpfr_add_ui(y, y, 1, mode);
  mpfr_mul(y, y, x, mode);
  mpfr_const_pi(factor, mode);
  mpfr_ui_div(factor, 8, factor, mode);
  mpfr_sqrt(factor, factor, mode);
  mpfr_mul(y, y, factor, mode);
  mpfr_clear(factor);
  return logistic(y, x, y, mode);
}

static const struct {
  const char *name;
  entry_point *entry;
  exact_function *exact; /* none: erfinv, which isInverse judges */
} functions[] = {
    {"sqrt", functions_sqrt_f32, mpfr_sqrt},
    {"rsqrt", functions_rsqrt_f32, reciprocalRoot},
    {"exp", functions_exp_f32, mpfr_exp},
    {"exp2", functions_exp2_f32, mpfr_exp2},
    {"expm1", functions_expm1_f32, mpfr_expm1},
    {"log", functions_log_f32, mpfr_log},
    {"log2", functions_log2_f32, mpfr_log2},
    {"log1p", functions_log1p_f32, mpfr_log1p},
    {"sin", functions_sin_f32, mpfr_sin},
    {"cos", functions_cos_f32, mpfr_cos},
    {"tan", functions_tan_f32, mpfr_tan},
    {"asin", functions_asin_f32, mpfr_asin},
    {"acos", functions_acos_f32, mpfr_acos},
    {"atan", functions_atan_f32, mpfr_atan},
    {"sinh", functions_sinh_f32, mpfr_sinh},
    {"cosh", functions_cosh_f32, mpfr_cosh},
    {"tanh", functions_tanh_f32, mpfr_tanh},
    {"sigmoid", functions_sigmoid_f32, sigmoid},
    {"erf", functions_erf_f32, mpfr_erf},
    {"erfinv", functions_erfinv_f32, NULL},
    {"softplus", functions_softplus_f32, softplus},
    {"silu", functions_silu_f32, silu},
    {"gelu", functions_gelu_f32, gelu},
    {"gelu_tanh", functions_gelu_tanh_f32, geluTanh},
};

static float fromBits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static int isSame(float a, float b) {
  return a == b ? !signbit(a) == !signbit(b) : isnan(a) && isnan(b);
}

static int isRounded(exact_function *exact, float x, float result) {
  mpfr_t operand, value;
  mpfr_init2(operand, 24);
  mpfr_init2(value, precision);
  mpfr_set_flt(operand, x, MPFR_RNDN);
  exact(value, operand, MPFR_RNDN);
  const float nearest = mpfr_get_flt(value, MPFR_RNDN);
  mpfr_clears(operand, value, (mpfr_ptr)0);
  return isSame(nearest, result);
}

/* erf of the number halfway between a and b, compared with x: its sign. */
static int compareHalfway(float a, float b, float x) {
  mpfr_t y;
  mpfr_init2(y, precision);
  mpfr_set_d(y, ((double)a + (double)b) / 2, MPFR_RNDN);
  mpfr_erf(y, y, MPFR_RNDN);
  const int order = mpfr_cmp_d(y, x);
  mpfr_clear(y);
  return order;
}

/* A result is the nearest float where x lies between the values of erf halfway to its neighbours.
 */
static int isInverse(float x, float y) {
  if (x == 0)
    return isSame(x, y);
  if (!(fabsf(x) < 1))
    return isSame(y, fabsf(x) == 1 ? x * INFINITY : NAN);
  return compareHalfway(nextafterf(y, -INFINITY), y, x) <= 0 &&
         compareHalfway(y, nextafterf(y, INFINITY), x) >= 0;
}

/* The model has no parameters, and needs no workspace; a state has an address all the same. */
static _Alignas(FUNCTIONS_ALIGNMENT) unsigned char state[FUNCTIONS_ALIGNMENT];

int main(int argc, char **argv) {
  const uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 65537;
  if (stride == 0) {
    fprintf(stderr, "usage: check_functions STRIDE [FUNCTION]\n");
    return 2;
  }
  uint64_t wrongInAll = 0;
  for (size_t f = 0; f < sizeof functions / sizeof *functions; ++f) {
    if (argc > 2 && strcmp(argv[2], functions[f].name) != 0)
      continue;
    float x[chunk], y[chunk];
    uint64_t count = 0, wrong = 0;
    for (uint64_t next = 0; next <= UINT32_MAX;) {
      int n = 0;
      for (; n < chunk && next <= UINT32_MAX; ++n, next += stride)
        x[n] = fromBits((uint32_t)next);
      const aprt_status status = functions[f].entry(NULL, state, NULL, n, x, y);
      if (status != APRT_OK) {
        fprintf(stderr, "check_functions: %s\n", functions_status_text(status));
        return 1;
      }
      for (int i = 0; i < n; ++i) {
        exact_function *exact = functions[f].exact;
        if (exact ? isRounded(exact, x[i], y[i]) : isInverse(x[i], y[i]))
          continue;
        if (++wrong <= 5)
          printf("%s(%a) gives %a\n", functions[f].name, x[i], y[i]);
      }
      count += (uint64_t)n;
    }
    printf("%-10s %llu inputs, %llu misrounded\n", functions[f].name, (unsigned long long)count,
           (unsigned long long)wrong);
    fflush(stdout);
    wrongInAll += wrong;
  }
  return wrongInAll == 0 ? 0 : 1;
}
