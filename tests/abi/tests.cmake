# The promises of the SDK, against the copy from which plugins are built.

find_program(CULVERT_OTHER_C NAMES clang clang-14 clang-19)
find_program(CULVERT_OTHER_CXX NAMES clang++ clang++-14 clang++-19)
set(compilers c:gcc c++:g++)
if(CULVERT_OTHER_C AND CULVERT_OTHER_CXX)
  list(APPEND compilers c:${CULVERT_OTHER_C} c++:${CULVERT_OTHER_CXX})
endif()
set(abi ${PROJECT_SOURCE_DIR}/tests/abi)

# Plugins from a copy of the SDK as it first landed.
set(CULVERT_V1_PLUGINS ${PROJECT_BINARY_DIR}/tests/plugins_v1)
function(v1_plugin id)
  set(CULVERT_SDK_COPY ${abi}/v1)
  culvert_plugin(${id} TARGET culvert_v1_${id} SOURCES ${abi}/v1/${id}.c)
  set_target_properties(culvert_v1_${id} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CULVERT_V1_PLUGINS})
  set_target_properties(culvert_v1_${id}_static PROPERTIES EXCLUDE_FROM_ALL ON)
endfunction()
foreach(id example_relay auth_v1 resolver_v1)
  v1_plugin(${id})
endforeach()

add_test(NAME abi_headers COMMAND Python3::Interpreter ${abi}/check_headers.py
                                  ${CULVERT_SDK_COPY}/include ${compilers})
add_test(NAME abi_layout COMMAND Python3::Interpreter ${abi}/check_layout.py
                                 ${CULVERT_SDK_COPY}/include gcc ${abi}/v1.layout.txt --grown)
add_test(NAME abi_layout_of_the_first_headers COMMAND Python3::Interpreter ${abi}/check_layout.py
                                                     ${abi}/v1/include gcc ${abi}/v1.layout.txt)
add_test(NAME abi_exports COMMAND Python3::Interpreter ${abi}/check_exports.py ${CMAKE_NM}
                                  ${PROJECT_BINARY_DIR}/bin ${CULVERT_TEST_PLUGINS} ${CULVERT_V1_PLUGINS}
                                  --except no_symbol,unresolved)
set_tests_properties(abi_headers abi_layout abi_layout_of_the_first_headers abi_exports PROPERTIES LABELS abi)
