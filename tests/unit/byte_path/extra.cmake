target_sources(unit_byte_path PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/io/kernel_world.cpp
                                      ${PROJECT_SOURCE_DIR}/tests/unit/io/sim_world.cpp
                                      ${PROJECT_SOURCE_DIR}/tests/unit/link/allocations.cpp
                                      ${PROJECT_SOURCE_DIR}/tests/unit/link/faulty_world.cpp
                                      ${PROJECT_SOURCE_DIR}/tests/unit/link/link_suite.cpp
                                      ${PROJECT_SOURCE_DIR}/tests/unit/tunnel/tunnel_world.cpp)
# The counters name a caller by its symbol, and answer its calls for the shared libraries too.
set_target_properties(unit_byte_path PROPERTIES ENABLE_EXPORTS ON)
target_compile_options(unit_byte_path PRIVATE -fno-builtin-memcpy -fno-builtin-memmove)
target_link_libraries(unit_byte_path PRIVATE OpenSSL::Crypto)
