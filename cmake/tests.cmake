# tests/unit/AREA/*.cpp becomes the program unit_AREA, linked with every engine layer there is.

include(GoogleTest)

# What only tests need: the simulated world and the memory link. Nothing of engine/ links it.
file(GLOB support_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*/*.cpp)
add_library(culvert_test_support STATIC ${support_sources})
target_include_directories(culvert_test_support PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(culvert_test_support PUBLIC culvert_link)

set(CULVERT_TEST_LIBRARIES culvert_test_support)
foreach(layer facade admin role config observe plugin tunnel link io crypto core)
  if(TARGET culvert_${layer})
    list(APPEND CULVERT_TEST_LIBRARIES culvert_${layer})
  endif()
endforeach()

# Fills the kernel's memory for sockets: whoever ran beside it would be short of it.
set(CULVERT_TESTS_ALONE unit_byte_path)

function(culvert_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_USES} ${CULVERT_TEST_LIBRARIES} GTest::gtest_main)
  target_precompile_headers(${name} PRIVATE <gtest/gtest.h> <string> <vector> <memory>)
  target_compile_options(${name} PRIVATE -O1) # a test is built more often than it runs
  set(alone FALSE)
  if(name IN_LIST CULVERT_TESTS_ALONE)
    set(alone TRUE)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 300 LABELS unit RUN_SERIAL ${alone})
endfunction()

file(GLOB areas CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/tests/unit ${PROJECT_SOURCE_DIR}/tests/unit/*)
foreach(area ${areas})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${area}/*.cpp)
  if(sources)
    culvert_test(unit_${area} SOURCES ${sources})
    if(EXISTS ${PROJECT_SOURCE_DIR}/tests/unit/${area}/extra.cmake)
      include(${PROJECT_SOURCE_DIR}/tests/unit/${area}/extra.cmake)
    endif()
  endif()
endforeach()

# The rules of the tree, each with a test of its own.
foreach(rule layers doors protocol sizes pages)
  add_test(NAME style_${rule} COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/style/check_tree.py ${rule})
  set_tests_properties(style_${rule} PROPERTIES LABELS style)
endforeach()

# The image and compose.yaml: not in a plain run, because it builds everything once more.
add_test(NAME container
         COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/container/container_test.py)
set_tests_properties(container PROPERTIES LABELS container TIMEOUT 3600 RUN_SERIAL TRUE
                                          SKIP_REGULAR_EXPRESSION "OK [(]skipped=")

# The Debian packages: not in a plain run, because it installs systems and boots them.
add_test(NAME package COMMAND Python3::Interpreter -m unittest discover --verbose --pattern *_test.py
                              --start-directory ${PROJECT_SOURCE_DIR}/tests/package)
set_tests_properties(package PROPERTIES LABELS package TIMEOUT 3600 RUN_SERIAL TRUE
                                        SKIP_REGULAR_EXPRESSION "OK [(]skipped=")

include(${PROJECT_SOURCE_DIR}/tests/abi/tests.cmake)
include(${PROJECT_SOURCE_DIR}/tests/integration/tests.cmake)
add_subdirectory(${PROJECT_SOURCE_DIR}/tests/tools)
include(${PROJECT_SOURCE_DIR}/tests/sim/tests.cmake)
include(${PROJECT_SOURCE_DIR}/tests/fuzz/tests.cmake)
