// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constants of the f64 expansions, lowest degree first; tools/exhaustive/coefficients.py computes
// the polynomials, the comments state their error in exact arithmetic.
namespace apr::expansions {

inline constexpr double kLog2E = 0x1.71547652b82fep+0;
// 41 bits: n * kLn2High is exact for every exponent n of an f64.
inline constexpr double kLn2High = 0x1.62e42fefa4000p-1;
inline constexpr double kLn2Low = -0x1.8432a1b0e2634p-43;

// (e^r - 1 - r - r^2/2) / r^3 on |r| <= ln2/2: 2^-60.3 of e^r.
inline constexpr double kExpTail[] = {
    0x1.555555555555bp-3,  0x1.5555555555503p-5,  0x1.111111110ec5dp-7,  0x1.6c16c16c3048cp-10,
    0x1.a01a01b37e3a6p-13, 0x1.a01a01369033ap-16, 0x1.71ddf020be4a6p-19, 0x1.27e5b443bb525p-22,
    0x1.af6be80a0f254p-26, 0x1.1e3d3205644adp-29,
};

// (2 atanh(s) - 2 s) / s^3 in s^2 for |s| <= (sqrt2 - 1)/(sqrt2 + 1): 2^-59.6 of 2 s.
inline constexpr double kLogTail[] = {
    0x1.5555555555555p-1, 0x1.999999999998ep-2, 0x1.24924924939b2p-2,
    0x1.c71c71c4bf437p-3, 0x1.745d187805ce4p-3, 0x1.3b1353cc8ca45p-3,
    0x1.1122954cdcca5p-3, 0x1.ddf20837300cdp-4, 0x1.ecef380b14819p-4,
};

// (sin t - t) / t^3 and (cos t - 1 + t^2/2) / t^4 in t^2 for |t| <= pi/4: 2^-57 and 2^-60.
inline constexpr double kSinTail[] = {
    -0x1.5555555555555p-3,  0x1.111111111110bp-7,  -0x1.a01a01a018ae4p-13, 0x1.71de3a533975cp-19,
    -0x1.ae6452984a0e0p-26, 0x1.612092b6b65c1p-33, -0x1.aaa546c3252dep-41,
};
inline constexpr double kCosTail[] = {
    0x1.5555555555555p-5,  -0x1.6c16c16c16c10p-10, 0x1.a01a01a018de9p-16, -0x1.27e4fb75fd708p-22,
    0x1.1eed8ca3a447ap-29, -0x1.9393383c080bcp-37, 0x1.aac5aac06647ap-45,
};

inline constexpr double kQuarterPi = 0x1.921fb54442d18p-1;
inline constexpr double kHalfPi = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiHigh = 0x1.921fb50000000p+0; // 26 bits
inline constexpr double kHalfPiLow = 0x1.110b4611a6263p-26;

// 2/pi in pieces of 26 bits, as integers, after two zeros.
inline constexpr double kTwoOverPiPieces[] = {
    0,        0,        42722829, 48555073, 21659401, 56087029, 13858563, 28715353, 38736100,
    4324945,  26128250, 62674459, 29957006, 37899730, 58726692, 49193117, 6588223,  35515164,
    46442140, 65964067, 24988590, 54822121, 41009306, 54917092, 5137525,  37323603, 15192690,
    4585659,  58608142, 52426903, 67074070, 25231090, 63202006, 34237727, 28629499, 15891632,
    40752081, 37709470, 25143477, 55737260, 33225084, 24853767, 15195689, 19476134, 50255852,
    18845021, 2185228,  50622407, 47901436, 13614112,
};

// 2/sqrt(pi) - 1, and (erf(x)/x - 2/sqrt(pi)) / x^2 in x^2 for |x| <= 0.86: 2^-57.
inline constexpr double kErfLead = 0x1.06eba8214db69p-3;
inline constexpr double kErfTail[] = {
    -0x1.812746b0379e7p-2,  0x1.ce2f21a042bdbp-4,  -0x1.b82ce31288802p-6,  0x1.565bcd0e5d228p-8,
    -0x1.c02db3fc65da5p-11, 0x1.f9a32641fecf5p-14, -0x1.f4d24568487e5p-17, 0x1.b9e4d93289e86p-20,
    -0x1.5f572edc0a8e4p-23, 0x1.fa799a2d94d9ep-27, -0x1.42a91451c47fdp-30, 0x1.260d87587d425p-34,
};
// erfc(x) e^(x^2) in (x - 2)/(x + 2) for 0.82 <= x <= 6: 2^-57 of e^(x^2).
inline constexpr double kErfcScaled[] = {
    0x1.058671b52c776p-2,   -0x1.b57034efd3f72p-2, 0x1.eeea7dc8a78b2p-3,   -0x1.437f0b68c0c30p-4,
    0x1.e9471597a773bp-9,   0x1.ca95ed536467ep-8,  -0x1.bc25a4843063cp-11, -0x1.016b5d16a0177p-10,
    0x1.6d5efa47d230cp-15,  0x1.6da99c63f67fep-13, 0x1.cdd009b59ed83p-16,  -0x1.cebb260f0f309p-16,
    -0x1.d51cfdf50bed4p-17, 0x1.699b59c79787fp-20, 0x1.fab7a4a864ae6p-19,  0x1.93ce2b34e107fp-20,
    0x1.9081254b0bb3cp-23,
};

// 1/3 and 1/5 in two parts, and 1/(2k + 7) minimax for the logarithm of pow.
inline constexpr double kThirdHigh = 0x1.5555555555555p-2;
inline constexpr double kThirdLow = 0x1.5555555555555p-56;
inline constexpr double kFifthHigh = 0x1.999999999999ap-3;
inline constexpr double kFifthLow = -0x1.999999999999ap-57;
inline constexpr double kLn2LowHigh = -0x1.8432a1b0e2634p-43;
inline constexpr double kLn2LowLow = 0x1.f97b57a079a19p-103;
// error 2^-72.8, with rounded coefficients 2^-71.5
inline constexpr double kAtanhRest[] = {
    0x1.24924924927cdp-3, 0x1.c71c71c65a07ep-4, 0x1.745d17d7658ddp-4, 0x1.3b13783350db8p-4,
    0x1.111dce91ac797p-4, 0x1.de9e7ddc11067p-5, 0x1.e7e014ce1ab33p-5,
};

} // namespace apr::expansions
