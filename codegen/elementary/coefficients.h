// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constants of the elementary functions, lowest degree first. tools/exhaustive/coefficients.py
// computes them; the comments state the error of the polynomial in exact arithmetic.
namespace apr::elementary {

// (e^r - 1 - r) / r^2 on |r| <= ln2/2: 2^-51.6 of e^r.
inline constexpr double kExpTail[] = {
    0x1.ffffffffffed2p-2,  0x1.55555555507b5p-3,  0x1.5555555589154p-5,
    0x1.11111125b7148p-7,  0x1.6c16c0c81d57ap-10, 0x1.a0198d4c63950p-13,
    0x1.a01b7c6773e7cp-16, 0x1.72e928adc1457p-19, 0x1.2707a885c82d4p-22,
};
// The same to 2^-56.4 of e^r.
inline constexpr double kExpTailLong[] = {
    0x1.000000000000ap-1,  0x1.55555555554fap-3,  0x1.555555555087cp-5,  0x1.1111111127beap-7,
    0x1.6c16c1842a18fp-10, 0x1.a01a012a559b1p-13, 0x1.a0199a0c5affdp-16, 0x1.71df255761396p-19,
    0x1.28ad72d3fa16fp-22, 0x1.ad7f6655530e7p-26,
};
// High has 41 bits: n * high is exact for every exponent n of an f32 or f64.
inline constexpr double kLn2High = 0x1.62e42fefa4000p-1;
inline constexpr double kLn2Low = -0x1.8432a1b0e2634p-43;
inline constexpr double kLog2E = 0x1.71547652b82fep+0;

// (2 atanh(s) - 2 s) / s^3 in s^2 for |s| <= (sqrt2 - 1)/(sqrt2 + 1): 2^-60.5.
inline constexpr double kLogTail[] = {
    0x1.5555555555555p-1, 0x1.9999999999e00p-2, 0x1.249249242b314p-2, 0x1.c71c725910ae7p-3,
    0x1.745cde2f9efb2p-3, 0x1.3b20ac98467f7p-3, 0x1.0f5cb1815fac5p-3, 0x1.0f63e96f0c4eap-3,
};

// (sin t - t) / t^3 and (cos t - 1 + t^2/2) / t^4 in t^2 for |t| <= pi/4.
inline constexpr double kSinTail[] = {
    -0x1.5555555555549p-3, 0x1.111111110f87ap-7,   -0x1.a01a019c119cap-13,
    0x1.71de3577b8c74p-19, -0x1.ae5e663bf0fc1p-26, 0x1.5d9301523a4ffp-33,
};
inline constexpr double kCosTail[] = {
    0x1.555555555554cp-5,   -0x1.6c16c16c1517ep-10, 0x1.a01a019cb1be1p-16,
    -0x1.27e4f809f01f7p-22, 0x1.1ee9ebe86e70ap-29,  -0x1.8fae9bea5646bp-37,
};

// 2/pi in pieces of 28 bits, and what remains of it from each piece on.
inline constexpr double kTwoOverPiPiece[] = {
    0x1.45f306c000000p-1,  0x1.c9c882a000000p-29,  0x1.4fe13a8000000p-59,
    0x1.f47d4d0000000p-86, 0x1.bb81b6c000000p-113, 0x1.4acc9e0000000p-143,
};
inline constexpr double kTwoOverPiRest[] = {
    0x1.45f306dc9c883p-1,   0x1.c9c882a53f84fp-29,  0x1.4fe13abe8fa9ap-59,  0x1.f47d4d377036ep-86,
    0x1.bb81b6c52b328p-113, 0x1.4acc9e21c8210p-143, 0x1.0e4107f9458ebp-170,
};
inline constexpr double kHalfPi = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiHigh = 0x1.921fb50000000p+0; // 26 bits
inline constexpr double kHalfPiLow = 0x1.110b4611a6263p-26;

// 2/sqrt(pi), the high part of 29 bits: its product with an f32 is exact.
inline constexpr double kTwoOverSqrtPiHigh = 0x1.20dd750000000p+0;
inline constexpr double kTwoOverSqrtPiLow = 0x1.0a6db446b8ea4p-30;
// (erf(x)/x - 2/sqrt(pi)) / x^2 in x^2 for |x| <= 1: 2^-56.6.
inline constexpr double kErfTail[] = {
    -0x1.812746b0379e7p-2,  0x1.ce2f21a042bdfp-4,  -0x1.b82ce312889f5p-6,  0x1.565bcd0e65926p-8,
    -0x1.c02db3ff069e1p-11, 0x1.f9a326c59c1fdp-14, -0x1.f4d2566552487p-17, 0x1.b9e65500316f2p-20,
    -0x1.5f6dc0587765fp-23, 0x1.fc45e4eebbbd0p-27, -0x1.4e6c48cf25384p-30, 0x1.7f46da95a56d2p-34,
    -0x1.2a52ac0cc0e6cp-38,
};
// erfc(x) e^(x^2) in (x - 2)/(x + 2) for 1 <= x <= 4: 2^-54.6.
inline constexpr double kErfcScaled[] = {
    0x1.058671b52c776p-2,   -0x1.b57034efd3f72p-2, 0x1.eeea7dc8a78a8p-3,   -0x1.437f0b68c0d81p-4,
    0x1.e9471597c31dap-9,   0x1.ca95ed53d549dp-8,  -0x1.bc25a4a7ef502p-11, -0x1.016b5d56255e8p-10,
    0x1.6d5f6020706ffp-15,  0x1.6da9ccca5eadbp-13, 0x1.cdbc4cc326645p-16,  -0x1.ceddef804084bp-16,
    -0x1.d349353d4c26ep-17, 0x1.887e93d3f75f2p-20, 0x1.dd243afd5b2e4p-19,  0x1.e6105fc6ef3e9p-21,
};

// ln2 and log2(e) with leading parts of 29 and 27 bits.
inline constexpr double kLn2Head = 0x1.62e42ff000000p-1;
inline constexpr double kLn2HeadRest = -0x1.718432a1b0e26p-35;
inline constexpr double kLog2EHead = 0x1.7154764000000p+0;
inline constexpr double kLog2EHeadRest = 0x1.2b82fe1777d10p-28;

// W(a) of e^(-a^2/2) / Phi(-a) = 2 + a (sqrt(2 pi) + W(a)) in (a - 4)/(a + 4) for 0 <= a <= 16:
// 2^-54.8.
inline constexpr double kGeluTail[] = {
    -0x1.6f3a86193ca05p-2,  0x1.eedbd4b9d1af7p-2,   -0x1.0061f30b83bcbp-3,  -0x1.9b42171e37306p-6,
    0x1.20368f8929c74p-5,   -0x1.6ee7a702cd1dep-8,  -0x1.071aeb3ceb73cp-7,  0x1.0b6d783df3d34p-8,
    0x1.5668d9c41338cp-10,  -0x1.a5b5d187b6dacp-10, -0x1.4616014c82fc8p-16, 0x1.09c05ab48e4fep-11,
    -0x1.a3e9bdda47337p-14, -0x1.1c8209a9e9721p-13, 0x1.d056451c91a8bp-15,  0x1.fcac4c8553f8fp-16,
    -0x1.64daed15d02c7p-16, -0x1.4bc391b817e51p-18, 0x1.c9fc4ee2dd161p-18,  0x1.0dfaa492fe675p-23,
    -0x1.0d47fe951222cp-19, 0x1.2cd35b563aea1p-22,  0x1.45dfe5d1df179p-21,  -0x1.c0e6a24603a58p-25,
    -0x1.487fa2f10ede2p-23, -0x1.2ab5e55be5cf8p-25,
};

} // namespace apr::elementary
