// The backends that stand on a real kernel, for tests that need one.
#pragma once

#include "unit/io/io_world.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <utility>

namespace culvert::test {

struct Backend {
  const char *name;
  Result<std::unique_ptr<Io>> (*make)();
  std::unique_ptr<IoWorld> (*make_world)();
};

class KernelSuite : public testing::TestWithParam<Backend> {
protected:
  static std::unique_ptr<Io> make() { return std::move(GetParam().make().value()); }
};

} // namespace culvert::test
