// A plugin that does not answer, for the doubles of tests.
#pragma once

#include "plugin/kinds.hpp"

namespace culvert::test {

/// What it is asked stays open until the caller lets it go; one at a time.
template <typename Value> struct Silence {
  void ask(Io &io_of_it, PluginOperation<Value> &operation) {
    io = &io_of_it;
    asked = &operation;
    operation.begin(Delegate<>::to<&Silence::let_go>(*this));
  }
  void let_go() {
    asked->finish(*io, Status::failure(Code::kTimeout, Source::kPlugin, Retry::kBackoff,
                                       "plugin silent has not completed its call"));
  }
  Io *io = nullptr;
  PluginOperation<Value> *asked = nullptr;
};

} // namespace culvert::test
