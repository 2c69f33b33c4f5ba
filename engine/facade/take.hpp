// What a step made, into its place; or why it made nothing.
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
