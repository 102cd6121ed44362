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

// Constants in two parts.
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;
inline constexpr double kLn2Rest = 0x1.abc9e3b39803fp-56;
inline constexpr double kLog2ERest = 0x1.777d0ffda0d24p-56;
inline constexpr double kPi = 0x1.921fb54442d18p+1;
inline constexpr double kPiRest = 0x1.1a62633145c07p-53;
inline constexpr double kSqrtPiOver2 = 0x1.c5bf891b4ef6bp-1;
inline constexpr double kSqrtPiOver2Rest = -0x1.618f13eb7ca89p-55;
inline constexpr double kSqrtTwoPi = 0x1.40d931ff62706p+1;
inline constexpr double kSqrtTwoPiRest = -0x1.a6a0d6f814637p-53;
// 2 sqrt(2/pi), and 0.044715 times that.
inline constexpr double kGeluSlope = 0x1.9884533d43651p+0;
inline constexpr double kGeluSlopeRest = -0x1.cbc0d30ebfd15p-54;
inline constexpr double kGeluCubic = 0x1.2444f2a4d8b4bp-4;
inline constexpr double kGeluCubicRest = -0x1.6c843a29d1c70p-61;

// (sinh r - r) / r^3 and (cosh r - 1 - r^2/2) / r^4 in r^2 for |r| <= ln2/2: 2^-60 and 2^-67.
inline constexpr double kSinhTail[] = {
    0x1.5555555555559p-3,  0x1.111111110f6aep-7,  0x1.a01a01afe555fp-13,
    0x1.71ddf853283b6p-19, 0x1.af5ebfcf01139p-26,
};
inline constexpr double kCoshTail[] = {
    0x1.5555555555558p-5,  0x1.6c16c16c1504bp-10, 0x1.a01a01ad63c8dp-16,
    0x1.27e4cc4e45212p-22, 0x1.1f8b7b21bb112p-29,
};

inline constexpr double kTangentOfEighth = 0x1.a827999fcef32p-2; // sqrt(2) - 1
// (atan t - t) / t^3 in t^2 for |t| <= sqrt(2) - 1: 2^-58.6 of t.
inline constexpr double kAtanTail[] = {
    -0x1.555555555553dp-2, 0x1.99999999958e8p-3, -0x1.24924922b10f7p-3, 0x1.c71c70e79c25ep-4,
    -0x1.745cf90a785b6p-4, 0x1.3b111c5a1aea8p-4, -0x1.10ebdd2fc416dp-4, 0x1.df1161969dc2fp-5,
    -0x1.9cdc0da7df67cp-5, 0x1.37ed033cf55b4p-5, -0x1.259cc922190a6p-6,
};
// (asin t - t) / t^3 in t^2 for |t| <= 1/2: 2^-59 of t.
inline constexpr double kAsinTail[] = {
    0x1.5555555555578p-3, 0x1.333333332df7ep-4, 0x1.6db6db722606ap-5, 0x1.f1c71a8dc61a7p-6,
    0x1.6e8bdfa60d028p-6, 0x1.1c49e2c32003cp-6, 0x1.ca20cd4818a02p-7, 0x1.757b80c791a46p-7,
    0x1.6173cc4a6ca12p-7, 0x1.e2c0f719dab2ep-9, 0x1.6491ee57d2f54p-6, -0x1.59536d0c2accfp-6,
    0x1.0bb00b7312fe4p-5,
};

// (erfinv(x)/x - sqrt(pi)/2) / x^2 in x^2 for |x| <= 1/2: 2^-58 of erfinv(x).
inline constexpr double kErfinvTail[] = {
    0x1.db29fb2fee5dbp-3,  0x1.053c2c0ab9eeap-3, 0x1.62847c4710463p-4,   0x1.0a1318cf0ef15p-4,
    0x1.a7c84dc37af19p-5,  0x1.5eec81a90f132p-5, 0x1.2aa3c4386b27bp-5,   0x1.049f0753edf05p-5,
    0x1.b9ae8b52ec37fp-6,  0x1.fb7313a724b61p-6, -0x1.bb6a4fcebd3bfp-10, 0x1.6786e557baa9dp-4,
    -0x1.8e0388bbf64dap-4, 0x1.ed85e53941bdfp-4,
};
// erfcinv(e^(-r^2)) - r: at the low end, and the change from there over the distance; to 2^-59, for
// r up to 2.25 and 6.08.
inline constexpr double kErfinvMiddleLow = 0.828125;
inline constexpr double kErfinvMiddleStart = -0x1.6bd09d55be0ccp-2;
inline constexpr double kErfinvMiddleStartRest = -0x1.5414e9ec5d386p-57;
inline constexpr double kErfinvMiddleNumerator[] = {
    -0x1.35057de4f4d5ap-4, -0x1.932846dc18346p-4, 0x1.85d2bfda7e36cp-5,
    0x1.c358e1e8e8da9p-3,  0x1.aeaaaa1c4068fp-3,  0x1.7d7639a16c7edp-4,
    0x1.1613a370c7322p-6,  0x1.b0d436f3659f8p-11, 0x1.a0dd25f991c34p-23,
};
inline constexpr double kErfinvMiddleDenominator[] = {
    0x1.0000000000000p+0, 0x1.f4cfb6a6bfcf8p+1, 0x1.c87057e32ca89p+2,
    0x1.e976b8ce160c9p+2, 0x1.4a72b220a1640p+2, 0x1.1705dfeea6b8ep+1,
    0x1.129444a9b9084p-1, 0x1.0454bc43422d1p-4, 0x1.3992ba5e94698p-9,
};
inline constexpr double kErfinvFarLow = 2.25;
inline constexpr double kErfinvFarStart = -0x1.4720f398c4a53p-2;
inline constexpr double kErfinvFarStartRest = -0x1.06fcddaf5692fp-56;
inline constexpr double kErfinvFarNumerator[] = {
    0x1.90dc180731d28p-5,   0x1.3c24ba6bbea70p-4,   0x1.6d1af065d306cp-5,
    0x1.689ae32ac2e55p-7,   0x1.8de129956d381p-11,  -0x1.ac750a71e3646p-14,
    -0x1.c8442ae249c60p-17, -0x1.596d307041f99p-22, -0x1.7e9397d620397p-36,
};
inline constexpr double kErfinvFarDenominator[] = {
    0x1.0000000000000p+0,   0x1.a3023f47b8d47p+0,   0x1.13d73b4e7481ap+0,
    0x1.64cf40963da88p-2,   0x1.a1a4c65b43476p-5,   0x1.6e2506f5815fdp-11,
    -0x1.3bfc9a32eae35p-11, -0x1.ad1de0838e616p-15, -0x1.12c0ea128aa02p-20,
};

// W(a) of e^(-a^2/2) / Phi(-a) = 2 + a (sqrt(2 pi) + W(a)) in (a - 4)/(a + 4) for 0 <= a <= 40:
// 2^-55.
inline constexpr double kGeluTail[] = {
    -0x1.6f3a86193ca05p-2,  0x1.eedbd4b9d1af7p-2,   -0x1.0061f30b83bc7p-3,  -0x1.9b42171e36f89p-6,
    0x1.20368f89296b1p-5,   -0x1.6ee7a7030147dp-8,  -0x1.071aeb3cc09cbp-7,  0x1.0b6d7843a2d6dp-8,
    0x1.5668d9b4ad6eap-10,  -0x1.a5b5d2e9f4b6cp-10, -0x1.461600b69dffep-16, 0x1.09c074fc10ee4p-11,
    -0x1.a3e951e02fb7dp-14, -0x1.1c8480b8b478ep-13, 0x1.d04cbec0eae09p-15,  0x1.fcf6c4e008afcp-16,
    -0x1.646fd440a8a0ap-16, -0x1.4e5690631bffbp-18, 0x1.c47d66f4e3afep-18,  0x1.5acc63dd06b1cp-23,
    -0x1.f03205d59c6c8p-20, 0x1.4fbb019b9a07bp-22,  0x1.df0f709e44e42p-22,  -0x1.5f0c191141b8fp-23,
    -0x1.a52e56b604087p-24, 0x1.9e8c1c4d707e0p-25,  0x1.527a5acbabbf0p-26,  -0x1.fe77071ab4779p-28,
    -0x1.711e2dec6ee24p-29, 0x1.6db4cd0c2047cp-33,
};

} // namespace apr::expansions
