# The promises of the SDK, against the copy from which plugins are built.

find_program(CULVERT_OTHER_C NAMES clang clang-14 clang-19)
find_program(CULVERT_OTHER_CXX NAMES clang++ clang++-14 clang++-19)
set(compilers c:gcc c++:g++)
if(CULVERT_OTHER_C AND CULVERT_OTHER_CXX)
  list(APPEND compilers c:${CULVERT_OTHER_C} c++:${CULVERT_OTHER_CXX})
endif()
set(abi ${PROJECT_SOURCE_DIR}/tests/abi)
add_test(NAME abi_headers COMMAND Python3::Interpreter ${abi}/check_headers.py
                                  ${CULVERT_SDK_COPY}/include ${compilers})
add_test(NAME abi_layout COMMAND Python3::Interpreter ${abi}/check_layout.py
                                 ${CULVERT_SDK_COPY}/include gcc ${abi}/v1.layout.txt)
add_test(NAME abi_exports COMMAND Python3::Interpreter ${abi}/check_exports.py ${CMAKE_NM}
                                  ${PROJECT_BINARY_DIR}/bin ${CULVERT_TEST_PLUGINS}
                                  --except no_symbol,unresolved)
set_tests_properties(abi_headers abi_layout abi_exports PROPERTIES LABELS abi)
