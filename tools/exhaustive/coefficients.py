#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Minimax polynomials of the elementary functions (Remez exchange, needs mpmath).

Prints one C++ array of hexadecimal doubles per polynomial, lowest degree first, with the bits of
accuracy that the exact coefficients have and that the rounded ones keep. The arrays stand in
codegen/elementary/coefficients.h and ir/expansions/coefficients.h.
"""
import sys
from mpmath import (mp, mpf, matrix, lu_solve, cos, cosh, pi, exp, log, sin, sinh, sqrt, erf, erfc, expm1,
                    asin, atan, atanh, fabs)

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


def rational(target, low, high, degree):
    """p and q of `degree` with p/q = target in Chebyshev points of [low, high], q(0) = 1: within a
    small factor of the best."""
    low, high = mpf(low), mpf(high)
    count = 2 * degree + 1
    system, right = matrix(count, count), matrix(count, 1)
    for row in range(count):
        x = (low + high) / 2 - (high - low) / 2 * cos(pi * (2 * row + 1) / (2 * count))
        value = target(x)
        for k in range(degree + 1):
            system[row, k] = x ** k
        for k in range(1, degree + 1):
            system[row, degree + k] = -value * x ** k
        right[row] = value
    solution = lu_solve(system, right)
    numerator = [solution[k] for k in range(degree + 1)]
    return numerator, [mpf(1)] + [solution[degree + k] for k in range(1, degree + 1)]


def emit_rational(name, target, weight, low, high, degree):
    numerator, denominator = rational(target, low, high, degree)
    low, high = mpf(low), mpf(high)
    worst = mpf(0)
    for i in range(401):
        x = low + (high - low) * i / 400
        kept = (evaluate([mpf(float(c)) for c in numerator], x) /
                evaluate([mpf(float(c)) for c in denominator], x))
        worst = max(worst, fabs(weight(x) * (kept - target(x))))
    print(f"// error with rounded coefficients 2^-{bits(worst):.1f}")
    for part, coefficients in (("Numerator", numerator), ("Denominator", denominator)):
        print(f"inline constexpr double {name}{part}[] = {{")
        for c in coefficients:
            print(f"    {float(c).hex()},")
        print("};")


def pair(name, value):
    print(f"inline constexpr double {name} = {float(value).hex()};")
    print(f"inline constexpr double {name}Rest = {float(value - mpf(float(value))).hex()};")


def sinh_tail(z):  # (sinh r - r) / r^3, z = r^2
    return small(lambda v: (sinh(sqrt(v)) - sqrt(v)) / sqrt(v) ** 3,
                 [mpf(1) / 6, mpf(1) / 120, mpf(1) / 5040, mpf(1) / 362880], z)


def cosh_tail(z):  # (cosh r - 1 - r^2/2) / r^4, z = r^2
    return small(lambda v: (cosh(sqrt(v)) - 1 - v / 2) / v ** 2,
                 [mpf(1) / 24, mpf(1) / 720, mpf(1) / 40320, mpf(1) / 3628800], z)


def atan_tail(z):  # (atan t - t) / t^3, z = t^2
    return small(lambda v: (atan(sqrt(v)) - sqrt(v)) / sqrt(v) ** 3,
                 [-mpf(1) / 3, mpf(1) / 5, -mpf(1) / 7, mpf(1) / 9], z)


def asin_tail(z):  # (asin t - t) / t^3, z = t^2
    return small(lambda v: (asin(sqrt(v)) - sqrt(v)) / sqrt(v) ** 3,
                 [mpf(1) / 6, mpf(3) / 40, mpf(15) / 336, mpf(105) / 3456], z)


def erfcinv(y):
    """The inverse of erfc on (0, 1), by Halley's method."""
    level = -log(y)
    x = sqrt(max(level - log(pi * max(level, mpf("0.5"))) / 2, mpf("0.05")))
    for _ in range(60):
        newton = (erfc(x) - y) / (-2 / sqrt(pi) * exp(-x * x))
        step = newton / (1 + x * newton)
        x -= step
        if fabs(step) < mpf(2) ** -220:
            break
    return x


def erfinv_tail(z):  # (erfinv(x)/x - sqrt(pi)/2) / x^2, z = x^2
    if z < mpf(2) ** -60:
        return pi ** mpf("1.5") / 24
    x = sqrt(z)
    return (erfcinv(1 - x) / x - sqrt(pi) / 2) / z


def gelu_tail(a):
    """W of e^(-a^2/2) / Phi(-a) = 2 + sqrt(2 pi) a + a W(a)."""
    root = sqrt(2 * pi)
    if a < mpf(2) ** -60:
        return 4 / root - root
    return (2 * exp(-a * a / 2) / erfc(a / sqrt(mpf(2))) - root * a - 2) / a


def emit_inverse_functions(wanted):
    eighth = (sqrt(mpf(2)) - 1) ** 2 * mpf("1.0001")
    if wanted("atan"):
        for terms in (11, 12):
            emit(f"kAtanTail{terms}", atan_tail, lambda z: z + mpf(2) ** -40, 0, eighth, terms)
    if wanted("asin"):
        for terms in (13, 14):
            emit(f"kAsinTail{terms}", asin_tail, lambda z: z + mpf(2) ** -40, 0, mpf("0.25"), terms)
    if wanted("erfinv"):
        for terms in (13, 14):
            emit(f"kErfinvTail{terms}", erfinv_tail, lambda z: z + mpf(2) ** -40, 0, mpf("0.25"), terms)
        for name, low, high, degree in (("kErfinvMiddle", mpf(53) / 64, 2.25, 8),
                                        ("kErfinvFar", mpf(9) / 4, 6.08, 8)):
            # erfcinv(e^-r^2) - r, less its value at the low end, by the distance from there
            start = erfcinv(exp(-low ** 2)) - low
            pair(name + "Start", start)
            emit_rational(name, lambda u: (erfcinv(exp(-(low + u) ** 2)) - (low + u) - start) / u,
                          lambda u: u, mpf(2) ** -20, high - low, degree)


def emit_activations(wanted):
    half_ln2 = (log(2) / 2 * mpf("1.0001")) ** 2
    if wanted("sinh"):
        for terms in (5, 6):
            emit(f"kSinhTail{terms}", sinh_tail, lambda z: z + mpf(2) ** -40, 0, half_ln2, terms)
            emit(f"kCoshTail{terms}", cosh_tail, lambda z: z * z + mpf(2) ** -40, 0, half_ln2, terms)
    if wanted("gelu"):
        for name, high, terms in (("kGeluTail", "16", 26), ("kGeluTailF64", "40", 30)):
            end = (mpf(high) - 4) / (mpf(high) + 4)
            emit(name, lambda t: gelu_tail(4 * (1 + t) / (1 - t)), lambda t: mpf(1), -1, end, terms)


def main():
    which = set(sys.argv[1:])

    def wanted(name):
        return not which or name in which

    emit_inverse_functions(wanted)
    emit_activations(wanted)
    half_ln2 = log(2) / 2 * mpf("1.0001")
    if wanted("exp"):
        weight = lambda x: (x * x + mpf(2) ** -50) / exp(x)
        emit("kExpTail", exp_tail, weight, -half_ln2, half_ln2, 9)
        emit("kExpTailLong", exp_tail, weight, -half_ln2, half_ln2, 10)
        emit("kExpTailF64", exp_tail, weight, -half_ln2, half_ln2, 11)
        split("kLn2", log(2), 40)
        print(f"inline constexpr double kLog2E = {float(1 / log(2)).hex()};")
    if wanted("pairs"):
        split("kLn2Head", log(2), 29)
        split("kLog2EHead", 1 / log(mpf(2)), 27)
        for name, value in (("kLn2", log(2)), ("kLog2E", 1 / log(mpf(2))), ("kPi", pi),
                            ("kSqrtPiOver2", sqrt(pi) / 2), ("kSqrtTwoPi", sqrt(2 * pi)),
                            ("kGeluSlope", 2 * sqrt(2 / pi)),
                            ("kGeluCubic", 2 * sqrt(2 / pi) * mpf("0.044715"))):
            pair(name, value)
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
