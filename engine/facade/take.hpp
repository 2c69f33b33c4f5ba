// Moves the value of a Result into a variable, or returns its failure.
//
// A pure function; safe from any thread.
#pragma once

#include "culvert/status.hpp"

namespace culvert {

template <typename T, typename Place> Status take(Result<T> made, Place &into) {
  if (!made.ok()) {
    return made.status();
  }
  into = std::move(made.value());
  return {};
}

} // namespace culvert
