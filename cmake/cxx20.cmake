# A compiler or standard library without C++20 is refused here, in one sentence.

include(CheckCXXSourceCompiles)
check_cxx_source_compiles("
#include <bit>
#include <compare>
#include <concepts>
#include <span>
static_assert(__cplusplus >= 202002L);
template <std::integral T> T twice(T value) { return value + value; }
struct Point { int x = 0; auto operator<=>(const Point &) const = default; };
int main() { return twice(Point{.x = 1} == Point{.x = 1} ? 0 : 1); }
" CULVERT_HAS_CXX20)
if(NOT CULVERT_HAS_CXX20)
  message(FATAL_ERROR "culvert needs C++20, which ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} "
                      "${CMAKE_CXX_COMPILER_VERSION}) cannot compile: take GCC 12, Clang 14 or newer, "
                      "and configure an empty build folder with -DCMAKE_CXX_COMPILER=...")
endif()
