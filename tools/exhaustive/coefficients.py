#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Minimax polynomials of the elementary functions (Remez exchange, needs mpmath).

Prints one C++ array of hexadecimal doubles per polynomial, lowest degree first, with the bits of
accuracy that the exact coefficients have and that the rounded ones keep. The arrays stand in
codegen/elementary/coefficients.h and ir/expansions/coefficients.h.
"""
import sys
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, log, sin, sqrt, erf, erfc, expm1, atanh, fabs

mp.prec = 240


def remez(target, weight, low, high, terms, rounds=12):
    """Coefficients c of sum c_k x^k with the least max |weight * (sum - target)| on [low, high]."""
    low, high = mpf(low), mpf(high)
    count = terms + 1
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count))
             for i in range(count)]
    grid_size = 60 * count
    grid = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / grid_size)
            for i in range(grid_size + 1)]
    targets = [target(x) for x in grid]
    weights = [weight(x) for x in grid]
    best = None
    for _ in range(rounds):
        system = matrix(count, count)
        right = matrix(count, 1)
        for row, x in enumerate(nodes):
            for column in range(terms):
                system[row, column] = x ** column
            system[row, terms] = (-1) ** row / weight(x)
            right[row] = target(x)
        solution = lu_solve(system, right)
        coefficients = [solution[k] for k in range(terms)]
        errors = [w * (evaluate(coefficients, x) - t)
                  for x, t, w in zip(grid, targets, weights)]
        worst = max(fabs(e) for e in errors)
        if best is None or worst < best[0]:
            best = (worst, coefficients)
        extrema = alternating_extrema(grid, errors)
        if len(extrema) < count:
            break
        while len(extrema) > count:  # drop the weaker end
            extrema.pop(0 if fabs(extrema[0][1]) < fabs(extrema[-1][1]) else -1)
        levels = [fabs(e) for _, e in extrema]
        nodes = [x for x, _ in extrema]
        if max(levels) / min(levels) < 1.001:
            break
    return best


def alternating_extrema(grid, errors):
    """The largest error of each run of equal sign, in order."""
    extrema = []
    for x, e in zip(grid, errors):
        if extrema and (e > 0) == (extrema[-1][1] > 0):
            if fabs(e) > fabs(extrema[-1][1]):
                extrema[-1] = (x, e)
        else:
            extrema.append((x, e))
    return extrema


def evaluate(coefficients, x):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def rounded_error(coefficients, target, weight, low, high):
    doubles = [mpf(float(c)) for c in coefficients]
    low, high = mpf(low), mpf(high)
    worst = mpf(0)
    for i in range(1001):
        x = low + (high - low) * i / 1000
        worst = max(worst, fabs(weight(x) * (evaluate(doubles, x) - target(x))))
    return worst


def bits(error):
    return float(-log(error) / log(2)) if error else 999.0


def emit(name, target, weight, low, high, terms):
    exact, coefficients = remez(target, weight, low, high, terms)
    kept = rounded_error(coefficients, target, weight, low, high)
    print(f"// error 2^-{bits(exact):.1f}, with rounded coefficients 2^-{bits(kept):.1f}")
    print(f"inline constexpr double {name}[] = {{")
    for c in coefficients:
        print(f"    {float(c).hex()},")
    print("};")


def split(name, value, high_bits):
    """value = high + low with high of at most high_bits significant bits."""
    mantissa, exponent = mp.frexp(value)
    high = mp.floor(mantissa * 2 ** high_bits + mpf(1) / 2) / mpf(2) ** high_bits * mpf(2) ** exponent
    print(f"inline constexpr double {name}High = {float(high).hex()};")
    print(f"inline constexpr double {name}Low = {float(value - high).hex()};")


def small(function, series, x):
    """function(x), or the first terms of its series where the closed form cancels."""
    if fabs(x) > mpf(2) ** -30:
        return function(x)
    return sum(c * x ** k for k, c in enumerate(series))


def exp_tail(x):  # (e^x - 1 - x) / x^2
    return small(lambda t: (expm1(t) - t) / t ** 2, [mpf(1) / 2, mpf(1) / 6, mpf(1) / 24, mpf(1) / 120], x)


def log_tail(w):  # (2 atanh(s) - 2 s) / s^3, w = s^2
    return small(lambda v: (2 * atanh(sqrt(v)) - 2 * sqrt(v)) / sqrt(v) ** 3,
                 [mpf(2) / 3, mpf(2) / 5, mpf(2) / 7, mpf(2) / 9], w)


def sin_tail(z):  # (sin t - t) / t^3, z = t^2
    return small(lambda v: (sin(sqrt(v)) - sqrt(v)) / sqrt(v) ** 3,
                 [-mpf(1) / 6, mpf(1) / 120, -mpf(1) / 5040, mpf(1) / 362880], z)


def cos_tail(z):  # (cos t - 1 + t^2/2) / t^4, z = t^2
    return small(lambda v: (cos(sqrt(v)) - 1 + v / 2) / v ** 2,
                 [mpf(1) / 24, -mpf(1) / 720, mpf(1) / 40320, -mpf(1) / 3628800], z)


def erf_tail(z):  # (erf(x)/x - 2/sqrt(pi)) / x^2, z = x^2
    lead = 2 / sqrt(pi)
    return small(lambda v: (erf(sqrt(v)) / sqrt(v) - lead) / v,
                 [-lead / 3, lead / 10, -lead / 42, lead / 216], z)


def main():
    which = set(sys.argv[1:])

    def wanted(name):
        return not which or name in which

    half_ln2 = log(2) / 2 * mpf("1.0001")
    if wanted("exp"):
        weight = lambda x: (x * x + mpf(2) ** -50) / exp(x)
        emit("kExpTail", exp_tail, weight, -half_ln2, half_ln2, 9)
        emit("kExpTailLong", exp_tail, weight, -half_ln2, half_ln2, 10)
        emit("kExpTailF64", exp_tail, weight, -half_ln2, half_ln2, 11)
        split("kLn2", log(2), 40)
        print(f"inline constexpr double kLog2E = {float(1 / log(2)).hex()};")
    s_max = (sqrt(2) - 1) / (sqrt(2) + 1) * mpf("1.0001")
    if wanted("log"):
        for terms in (7, 8, 9):
            emit(f"kLogTail{terms}", log_tail, lambda w: w + mpf(2) ** -40, 0, s_max ** 2, terms)
    quarter = (pi / 4 * mpf("1.0001")) ** 2
    if wanted("sin"):
        for terms in (6, 7):
            emit(f"kSinTail{terms}", sin_tail, lambda z: z + mpf(2) ** -40, 0, quarter, terms)
    if wanted("cos"):
        for terms in (6, 7):
            emit(f"kCosTail{terms}", cos_tail, lambda z: z * z + mpf(2) ** -40, 0, quarter, terms)
    if wanted("erf"):
        split("kTwoOverSqrtPi", 2 / sqrt(pi), 29)
        for terms in (12, 13, 14):
            emit(f"kErfTail{terms}", erf_tail, lambda z: z + mpf(2) ** -40, 0, 1, terms)
        def scaled(t):
            x = 2 * (1 + t) / (1 - t)
            return erfc(x) * exp(x * x)

        emit("kErfcScaled", scaled, lambda t: 1 / scaled(t), -mpf(1) / 3, mpf(1) / 3, 16)

        def complement(t):  # its share of erf is what counts
            x = 2 * (1 + t) / (1 - t)
            return exp(-x * x) + mpf(2) ** -60

        emit("kErfcScaledF64", scaled, complement, -mpf("0.42"), mpf(1) / 2, 17)
        emit("kErfTailF64", erf_tail, lambda z: z + mpf(2) ** -40, 0, mpf("0.75"), 12)


if __name__ == "__main__":
    main()
