#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Trains every example in full: tools/run_examples.sh BUILD [DATA]. DATA holds mnist/, cifar10/ and
# text/ as docs/examples/README.md says; what is not there is left out with a message.
set -eu
build=$1
data=${2:-${APR_DATA:-../shared/data}}
examples=$(dirname "$0")/../docs/examples
aprun=$build/tools/aprun/aprun
log=$(mktemp)
trap 'rm -f "$log"' EXIT

train() {
  name=$1
  shift
  echo "== $name"
  # A pipe into tail would hide that a training failed.
  if ! "$aprun" train "$examples/$name.run.toml" "$@" >"$log" 2>&1; then
    cat "$log"
    exit 1
  fi
  tail -n 12 "$log"
}

train_on() {
  if [ -e "$data/$2" ]; then
    name=$1
    file=$data/$2
    shift 2
    train "$name" --data "$file" "$@"
  else
    echo "== $1: skipped, $data/$2 is not there"
  fi
}

train linear_regression/line
train linear_regression/descent
train noisy_line/noisy_line
train digits/digits
train softmax_regression/iris
train logistic_regression/breast_cancer
train custom/custom
train lora/lora
train pinn/pinn
train recommender/recommender
train_on autoencoder/autoencoder mnist/t10k-images-idx3-ubyte.gz
train_on vae/vae mnist/t10k-images-idx3-ubyte.gz
train_on lenet/lenet mnist/t10k-images-idx3-ubyte.gz --labels "$data/mnist/t10k-labels-idx1-ubyte.gz"
train_on cifar/cnn cifar10/train_10k.bin.gz
train_on cifar/resnet cifar10/train_10k.bin.gz
train_on char_gru/gru text/tinyshakespeare.txt
train_on gpt/gpt text/tinyshakespeare.txt
