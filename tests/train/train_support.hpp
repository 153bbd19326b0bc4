// What the tests of layer train share. libtorch's headers bring glog's CHECK, which would shadow
// doctest's without a word: include this header last.
#pragma once

#include "axmul/train/training.hpp"
#include "support/support.hpp"

#undef CHECK
#define CHECK(...) DOCTEST_CHECK(__VA_ARGS__)
