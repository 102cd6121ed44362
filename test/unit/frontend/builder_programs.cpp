// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/frontend/builder_programs.h"

#include <ostream>

namespace builder_programs {

// As a program outside the compiler's own namespace writes it.
using namespace apr::model;

namespace {

// Numbers are spelled here as C++ prints them; 1e-3 has the same value and another spelling.

// ---- explicit updates, tests ----

const char *const kLine = R"apr(
model Line(real: dtype = f64,
           ## How far a step goes.
           lr: real = 0.1) {
  param w: real = 0
  param b: real = 0

  entry predict(x: real[N]) -> real[N] = w * x + b

  train step(x: real[N], y: real[N]) {
    let error = predict(x) - y
    ## How far off.
    report mse = mean(error ** 2)
    w <- w - lr * mean(error * x)
    b <- b - lr * mean(error)
  }
  train descent(x: real[N], y: real[N]) {
    minimize 0.5 * mse(predict(x), y)
    using sgd(lr = lr)
  }
}

test "one step" {
  let m = Line()
  m.step([1, 2], [3, 5])
  expect m.w != 0
}
)apr";

void buildLine(Program &program) {
  Layer &line = program.model(
      "Line", {{"real", "dtype", "f64"}, Parameter("lr", real(), 0.1).doc("How far a step goes.")});
  Expr x = "x", y = "y", lr = "lr";
  Expr w = line.param("w", real(), 0);
  Expr b = line.param("b", real(), 0);
  line.entry("predict", {{"x", real("N")}}, real("N"), w * x + b);
  line.train("step", {{"x", real("N")}, {"y", real("N")}}, [&](Block &step) {
    Expr error = step.let("error", call("predict", x) - y);
    step.doc("How far off.").report("mse", call("mean", power(error, 2)));
    step.assign(w, w - lr * call("mean", error * x));
    step.assign(b, b - lr * call("mean", error));
  });
  line.train("descent", {{"x", real("N")}, {"y", real("N")}}, [&](Block &step) {
    step.minimize(0.5 * call("mse", call("predict", x), y));
    step.use(call("sgd", "lr"_a = lr));
  });
  program.test("one step", [](Block &test) {
    test.let("m", call("Line"));
    test.value(call("m.step", list({1, 2}), list({3, 5})));
    test.expect(Expr("m.w") != 0);
  });
}

// ---- tuples, draws, row values ----

const char *const kVae = R"apr(
model VAE(latent: int = 3) {
  encoder = chain(Linear(8, 6), relu, Linear(6, 2 * latent))
  decoder = chain(Linear(latent, 6), relu, head = Linear(6, 8))

  entry encode(x: real[B, 8]) -> (mu: real[B, latent], logvar: real[B, latent]) =
    split(encoder(x), 2)
  entry both(x: real[B]) -> (real[B], bool[B]) = (x, not (x == 1) and x < 3 or x > 2 and x <= 5)
  entry sample() -> real[N, 8] {
    let z: real[N, latent] = normal()
    sigmoid(decoder(z))
  }

  train step(x: real[B, 8]) {
    let (mu, logvar) = encode(x)
    let eps: real[B, latent] = normal()
    let z = mu + exp(logvar / 2) * eps
    let reconstruction = bce_with_logits(decoder(z), x, reduce = row_sum)
    let kl = row_sum(exp(logvar) + mu ** 2 - 1 - logvar) / 2
    minimize mean(reconstruction + kl)
    report reconstruction
    report kl
    using adam(lr = 0.001)
  }
}
)apr";

void buildVae(Program &program) {
  Layer &vae = program.model("VAE", {{"latent", "int", 3}});
  Expr x = "x", z = "z", mu = "mu", logvar = "logvar", latent = "latent";
  vae.let("encoder", call("chain", call("Linear", 8, 6), "relu", call("Linear", 6, 2 * latent)));
  vae.let("decoder",
          call("chain", call("Linear", latent, 6), "relu", "head"_a = call("Linear", 6, 8)));
  vae.entry("encode", {{"x", real("B", 8)}},
            Type({{"mu", real("B", latent)}, {"logvar", real("B", latent)}}),
            call("split", call("encoder", x), 2));
  vae.entry("both", {{"x", real("B")}}, Type({{"", real("B")}, {"", Type("bool").of({"B"})}}),
            tuple({x, (!(x == 1) && x < 3) || (x > 2 && x <= 5)}));
  vae.entry("sample", {}, real("N", 8), [&](Block &body) {
    body.let("z", real("N", latent), call("normal"));
    body.value(call("sigmoid", call("decoder", z)));
  });
  vae.train("step", {{"x", real("B", 8)}}, [&](Block &step) {
    step.let(std::vector<Pattern>{"mu", "logvar"}, call("encode", x));
    Expr eps = step.let("eps", real("B", latent), call("normal"));
    step.let("z", mu + call("exp", logvar / 2) * eps);
    Expr reconstruction = step.let(
        "reconstruction", call("bce_with_logits", call("decoder", z), x, "reduce"_a = "row_sum"));
    Expr kl = step.let("kl", call("row_sum", call("exp", logvar) + power(mu, 2) - 1 - logvar) / 2);
    step.minimize(call("mean", reconstruction + kl));
    step.report("reconstruction");
    step.report("kl");
    step.use(call("adam", "lr"_a = 1e-3));
  });
}

// ---- attention: strings, repetition, pipes, slices, tied weights, groups ----

const char *const kGpt = R"apr(
## Looks at earlier positions.
layer Attention(width: int, heads: int) {
  qkv = Linear(width, 3 * width, weight = normal(0, 0.02))
  fn (x: real[B, T, width]) -> real[B, T, width] {
    let (q, k, v) = unstack(rearrange(qkv(x), "b t (s h d) -> s b h t d", s = 3, h = heads))
    let score = where(causal(T), q @ transpose(k) / sqrt(width / heads), -inf)
    score |> softmax |> matmul(v) |> rearrange("b h t d -> b t (h d)")
  }
}
model GPT(vocab: int = 9, context: int = 8, width: int = 4, depth: int = 2, lr: real = 0.001) {
  tokens = Embedding(vocab, width, weight = normal(0, 0.02))
  ## Where a token stands.
  param positions: real[context, width] = normal(0, 0.02)
  blocks = chain(depth x Attention(width, 2), LayerNorm(width))
  entry predict(x: i32[B, T]) -> real[B, T, vocab] =
    blocks(tokens(x) + positions[:T]) @ transpose(tokens.weight)
  entry picks(x: real[B, 6]) -> (real[B, 1], real[B], real[B, 2, 1]) =
    (x[:, 5:], x[.., 1], x[:, 1:5:2, none])
  train step(x: i32[B, T], y: i32[B, T]) {
    minimize cross_entropy(predict(x), y)
    using clip_norm(1)
    using adamw(lr = lr, weight_decay = 0.1) on matrices
    using adamw(lr = lr, weight_decay = 0)
  }
}
)apr";

void buildGpt(Program &program) {
  Expr x = "x", y = "y", width = "width";
  Layer &attention = program.doc("Looks at earlier positions.")
                         .layer("Attention", {{"width", "int"}, {"heads", "int"}});
  attention.let("qkv", call("Linear", width, 3 * width, "weight"_a = call("normal", 0, 0.02)));
  attention.call({{"x", real("B", "T", width)}}, real("B", "T", width), [&](Block &body) {
    body.let(std::vector<Pattern>{"q", "k", "v"},
             call("unstack", call("rearrange", call("qkv", x), str("b t (s h d) -> s b h t d"),
                                  "s"_a = 3, "h"_a = "heads")));
    Expr score =
        body.let("score", call("where", call("causal", "T"),
                               matmul("q", call("transpose", "k")) / call("sqrt", width / "heads"),
                               -Expr("inf")));
    body.value(score | "softmax" | call("matmul", "v") |
               call("rearrange", str("b h t d -> b t (h d)")));
  });
  Layer &gpt = program.model("GPT", {{"vocab", "int", 9},
                                     {"context", "int", 8},
                                     {"width", "int", 4},
                                     {"depth", "int", 2},
                                     {"lr", real(), 1e-3}});
  gpt.let("tokens", call("Embedding", "vocab", width, "weight"_a = call("normal", 0, 0.02)));
  Expr positions = gpt.doc("Where a token stands.")
                       .param("positions", real("context", width), call("normal", 0, 0.02));
  gpt.let("blocks",
          call("chain", repeat("depth", call("Attention", width, 2)), call("LayerNorm", width)));
  gpt.entry("predict", {{"x", i32("B", "T")}}, real("B", "T", "vocab"),
            matmul(call("blocks", call("tokens", x) + positions[slice({}, "T")]),
                   call("transpose", "tokens.weight")));
  gpt.entry(
      "picks", {{"x", real("B", 6)}},
      Type({{"", real("B", 1)}, {"", real("B")}, {"", real("B", 2, 1)}}),
      tuple({x.at(slice(), slice(5)), x.at(rest(), 1), x.at(slice(), slice(1, 5, 2), none())}));
  gpt.train("step", {{"x", i32("B", "T")}, {"y", i32("B", "T")}}, [&](Block &step) {
    step.minimize(call("cross_entropy", call("predict", x), y));
    step.use(call("clip_norm", 1));
    step.use(call("adamw", "lr"_a = "lr", "weight_decay"_a = 0.1), {"matrices"});
    step.use(call("adamw", "lr"_a = "lr", "weight_decay"_a = 0));
  });
}

// ---- two blocks over shared parameters, buffers, branches ----

const char *const kNorm = R"apr(
layer Norm(channels: int, momentum: real = 0.1, shifted: bool = true) {
  param scale: real[channels] = ones()
  param shift: real[channels]? = zeros()
  buffer running_mean: real[channels] = zeros()
  fn (x: real[..S, channels]) -> real[..S, channels] {
    let m = if training { mean(x, axis = axes(S)) } else { running_mean }
    if training {
      running_mean <- (1 - momentum) * running_mean + momentum * m
    }
    let y = (x - m) * scale
    if shift == none { y } else if shifted and channels >= 1 { y + shift } else { y - shift }
  }
}
model Two(hidden: int = 4) {
  hidden_twice: int = 2 * hidden
  net = chain(Linear(2, hidden_twice, bias = none), Norm(hidden_twice), relu)
  head = Linear(hidden_twice, 1)
  entry any_or(x: bool[], y: bool[]) -> bool[] = x or y
  train one(x: real[N, 2]) {
    minimize mean(head(net(x)) ** 2) over head
    using adam(lr = 0.001, beta1 = 0.5)
  }
  train two(x: real[N, 2]) {
    minimize mean(net(x)) over net
    using adam(lr = 0.001)
    after {
      head.bias <- 0.5 * head.bias
    }
  }
}
)apr";

void buildNorm(Program &program) {
  Expr x = "x", y = "y", m = "m", momentum = "momentum", training = "training";
  Layer &norm = program.layer(
      "Norm", {{"channels", "int"}, {"momentum", real(), 0.1}, {"shifted", "bool", true}});
  Expr scale = norm.param("scale", real("channels"), call("ones"));
  Expr shift = norm.param("shift", real("channels").optional(), call("zeros"));
  Expr running = norm.buffer("running_mean", real("channels"), call("zeros"));
  norm.call({{"x", real(rest("S"), "channels")}}, real(rest("S"), "channels"), [&](Block &body) {
    body.let("m", when(training, call("mean", x, "axis"_a = call("axes", "S")), running));
    body.value(when(training, [&](Block &inner) {
      inner.assign(running, (1 - momentum) * running + momentum * m);
    }));
    body.let("y", (x - m) * scale);
    body.value(whenElse(shift == none(), y,
                        when(Expr("shifted") && Expr("channels") >= 1, y + shift, y - shift)));
  });
  Layer &two = program.model("Two", {{"hidden", "int", 4}});
  Expr width = two.let("hidden_twice", "int", 2 * Expr("hidden"));
  Expr net = two.let("net", call("chain", call("Linear", 2, width, "bias"_a = none()),
                                 call("Norm", width), "relu"));
  Expr head = two.let("head", call("Linear", width, 1));
  Type scalar = Type("bool").of({});
  two.entry("any_or", {{"x", scalar}, {"y", scalar}}, scalar, x || y);
  two.train("one", {{"x", real("N", 2)}}, [&](Block &step) {
    step.minimize(call("mean", power(head(net(x)), 2)), {head});
    step.use(call("adam", "lr"_a = 1e-3, "beta1"_a = 0.5));
  });
  two.train("two", {{"x", real("N", 2)}}, [&](Block &step) {
    step.minimize(call("mean", net(x)), {net});
    step.use(call("adam", "lr"_a = 1e-3));
    step.after([&](Block &after) { after.assign("head.bias", 0.5 * Expr("head.bias")); });
  });
}

// ---- functions: values, gradients of their own, scans; constants, imports ----

const char *const kFunctions = R"apr(
from "blocks.apr" import Scaled, triple
factor = 3 // 2

## log(cosh(e)) without overflow.
fn smooth_abs(e: real[..]) -> real[..] = abs(e) + log1p(exp(-2 * abs(e))) - log(2)
  with gradient(g) = g * tanh(e)

fn checked(x: real[N, 4]) {
  expect 4 % 2 == 0
  x
} with gradient(g) {
  2 * g
}

fn cumulate(x: real[B, T]) -> real[B, T] {
  let start: real[B] = zeros()
  let (_, states) = scan(start, x, fn (h, x) {
    let h = h + x
    (h, h)
  }, axis = 1)
  states
}

model Uses {
  scaled = Scaled(4)
  many = repeat(2, fn (i) = Linear(4, 4))
  freeze scaled, many
  entry predict(x: real[N, 4]) -> real[N, 4] =
    x |> scaled |> triple |> smooth_abs |> cumulate |> checked |> many
  entry constant_factor(x: real[N]) -> real[N] = factor * x + [1, 2][0]
}
)apr";

void buildFunctions(Program &program) {
  program.import("blocks.apr", {"Scaled", "triple"});
  Expr factor = program.let("factor", floorDivide(3, 2));
  Expr e = "e", g = "g", h = "h", x = "x";
  program.doc("log(cosh(e)) without overflow.")
      .fn("smooth_abs", {{"e", real(rest())}}, real(rest()),
          call("abs", e) + call("log1p", call("exp", -Expr(2) * call("abs", e))) - call("log", 2))
      .withGradient({"g"}, g * call("tanh", e));
  program
      .fn("checked", {{"x", real("N", 4)}}, {},
          [&](Block &body) {
            body.expect(Expr(4) % 2 == 0);
            body.value(x);
          })
      .withGradient({"g"}, [&](Block &body) { body.value(2 * g); });
  program.fn("cumulate", {{"x", real("B", "T")}}, real("B", "T"), [&](Block &body) {
    Expr start = body.let("start", real("B"), call("zeros"));
    body.let(std::vector<Pattern>{"_", "states"}, call("scan", start, x,
                                                       fn({"h", "x"},
                                                          [&](Block &step) {
                                                            step.let("h", h + x);
                                                            step.value(tuple({h, h}));
                                                          }),
                                                       "axis"_a = 1));
    body.value("states");
  });
  Layer &uses = program.model("Uses");
  Expr scaled = uses.let("scaled", call("Scaled", 4));
  Expr many = uses.let("many", call("repeat", 2, fn({"i"}, call("Linear", 4, 4))));
  uses.freeze({scaled, many});
  uses.entry("predict", {{"x", real("N", 4)}}, real("N", 4),
             x | scaled | "triple" | "smooth_abs" | "cumulate" | "checked" | many);
  uses.entry("constant_factor", {{"x", real("N")}}, real("N"), factor * x + list({1, 2})[0]);
}

// ---- optimizers: states, rows; shards, descend, gradients as values ----

const char *const kOptimizer = R"apr(
optimizer rows(lr: real = 0.001, decay: real? = none) {
  state t: i32 = 0
  t <- t + 1
  let rate = if decay == none { lr } else { lr / real(t) }
  update(p, g) {
    state m = zeros()
    m <- 0.9 * m + g
    p <- p - rate * m
  }
  update row(p, g) {
    state m = zeros()
    m <- 0.9 * m + g
    p <- p - rate * m
  }
}
model Recommender(users: int = 10, parts: int = 2) {
  user = Embedding(users, 4, weight = normal(0, 0.1))
  train step(u: i32[B], y: real[B]) {
    minimize mse(sum(user(u), axis = -1), y)
    using rows(lr = 0.005)
  }
  train sharded(u: i32[B], y: real[B]) shards parts {
    minimize mse(sum(user(u), axis = -1), y)
    using adam()
  }
  train lean(u: i32[parts * M], y: real[parts * M]) {
    let us = reshape(u, [parts, M])
    let ys = reshape(y, [parts, M])
    let (g, losses) = scan(0 * self, (us, ys), fn (g, (u, y)) {
      let loss = mse(sum(user(u), axis = -1), y)
      (g + grad(loss) / parts, loss)
    })
    report loss = mean(losses)
    descend g
    using sgd(lr = 0.1)
  }
}
)apr";

void buildOptimizer(Program &program) {
  Expr p = "p", g = "g", m = "m", t = "t", u = "u", y = "y", lr = "lr", parts = "parts";
  auto rule = [&](Block &update) {
    update.state("m", call("zeros"));
    update.assign(m, 0.9 * m + g);
    update.assign(p, p - "rate" * m);
  };
  program.optimizer("rows", {{"lr", real(), 1e-3}, {"decay", real().optional(), none()}},
                    [&](Block &rules) {
                      rules.state("t", i32(), 0);
                      rules.assign(t, t + 1);
                      rules.let("rate", when(Expr("decay") == none(), lr, lr / call("real", t)));
                      rules.update({"p", "g"}, rule);
                      rules.update({"p", "g"}, rule, Block::Rows::Read);
                    });
  Layer &model = program.model("Recommender", {{"users", "int", 10}, {"parts", "int", 2}});
  Expr user = model.let("user", call("Embedding", "users", 4, "weight"_a = call("normal", 0, 0.1)));
  Expr loss = call("mse", call("sum", user(u), "axis"_a = -1), y);
  Parameters inputs = {{"u", i32("B")}, {"y", real("B")}};
  model.train("step", inputs, [&](Block &step) {
    step.minimize(loss);
    step.use(call("rows", "lr"_a = 5e-3));
  });
  model.train(
      "sharded", inputs,
      [&](Block &step) {
        step.minimize(loss);
        step.use(call("adam"));
      },
      parts);
  Expr rows = parts * "M";
  model.train("lean", {{"u", i32(rows)}, {"y", real(rows)}}, [&](Block &step) {
    step.let("us", call("reshape", u, list({parts, "M"})));
    step.let("ys", call("reshape", y, list({parts, "M"})));
    Pattern pair(std::vector<Pattern>{"u", "y"});
    step.let(std::vector<Pattern>{"g", "losses"},
             call("scan", 0 * Expr("self"), tuple({"us", "ys"}),
                  fn({"g", Parameter(pair)}, [&](Block &body) {
                    Expr part = body.let("loss", loss);
                    body.value(tuple({g + call("grad", part) / parts, part}));
                  })));
    step.report("loss", call("mean", "losses"));
    step.descend(g);
    step.use(call("sgd", "lr"_a = 0.1));
  });
}

// ---- gradients of inputs, layers as parameters ----

const char *const kPhysics = R"apr(
layer LoRA(inputs: int, outputs: int, rank: int = 2, scale: real = 1) {
  base = Linear(inputs, outputs)
  freeze base
  param down: real[inputs, rank] = normal(0, 0.1)
  param up: real[rank, outputs] = zeros()
  fn (x: real[.., inputs]) -> real[.., outputs] = base(x) + scale * (x @ down @ up)
}
model Pinn(real: dtype = f64, width: int = 4, linear: fn = LoRA) {
  net = chain(linear(1, width), tanh, linear(width, 1))
  train step() {
    let x: real[16, 1] = uniform(0, 1)
    let u = net(x)
    let du = grad(sum(u), x)
    let d2u = grad(sum(du), x)
    let f = pi * cos(pi * x) - pi ** 2 * sin(pi * x)
    minimize mean((d2u + du - f) ** 2) + mean(net([[0], [1]]) ** 2)
    using adam(lr = 0.003)
  }
}
)apr";

void buildPhysics(Program &program) {
  Expr x = "x", pi = "pi", inputs = "inputs", outputs = "outputs";
  Layer &lora = program.layer(
      "LoRA", {{"inputs", "int"}, {"outputs", "int"}, {"rank", "int", 2}, {"scale", real(), 1}});
  Expr base = lora.let("base", call("Linear", inputs, outputs));
  lora.freeze({base});
  Expr down = lora.param("down", real(inputs, "rank"), call("normal", 0, 0.1));
  Expr up = lora.param("up", real("rank", outputs), call("zeros"));
  lora.call({{"x", real(rest(), inputs)}}, real(rest(), outputs),
            base(x) + "scale" * matmul(matmul(x, down), up));
  Layer &pinn = program.model(
      "Pinn", {{"real", "dtype", "f64"}, {"width", "int", 4}, {"linear", "fn", "LoRA"}});
  Expr net = pinn.let(
      "net", call("chain", call("linear", 1, "width"), "tanh", call("linear", "width", 1)));
  pinn.train("step", {}, [&](Block &step) {
    step.let("x", real(16, 1), call("uniform", 0, 1));
    Expr u = step.let("u", net(x));
    Expr du = step.let("du", call("grad", call("sum", u), x));
    Expr d2u = step.let("d2u", call("grad", call("sum", du), x));
    Expr f = step.let("f", pi * call("cos", pi * x) - power(pi, 2) * call("sin", pi * x));
    step.minimize(call("mean", power(d2u + du - f, 2)) +
                  call("mean", power(net(list({list({0}), list({1})})), 2)));
    step.use(call("adam", "lr"_a = 3e-3));
  });
}

} // namespace

const char *const kImportedBlocks = R"apr(
layer Scaled(width: int) {
  param scale: real[width] = ones()
  fn (x: real[.., width]) -> real[.., width] = scale * x
}
fn triple(x) = 3 * x
)apr";

const std::vector<BuilderProgram> &builderPrograms() {
  static const std::vector<BuilderProgram> programs = {
      {"Line", kLine, buildLine},
      {"Vae", kVae, buildVae},
      {"Gpt", kGpt, buildGpt},
      {"Norm", kNorm, buildNorm},
      {"Functions", kFunctions, buildFunctions},
      {"Optimizer", kOptimizer, buildOptimizer},
      {"Physics", kPhysics, buildPhysics},
  };
  return programs;
}

} // namespace builder_programs
