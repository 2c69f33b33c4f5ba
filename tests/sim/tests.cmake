# The whole world in sim: sim_world, its seeds in portions that run side by side, and their sums.

file(GLOB sim_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/sim/*.cpp)
add_executable(sim_world ${sim_sources})
target_include_directories(sim_world PRIVATE ${CULVERT_SDK_COPY}/include)
target_link_libraries(sim_world PRIVATE culvert_transport_azure_static culvert_example_relay_static
                                        culvert_auth_sas_static culvert_resolver_static_static
                                        ${CULVERT_TEST_LIBRARIES})

set(CULVERT_SIM_SEEDS 1000 CACHE STRING "Seeds of the whole world; a sanitized build runs a tenth")
set(sim_portions 10)
set(sim_seeds ${CULVERT_SIM_SEEDS})
set(sim_again 1..60) # seven of them with TLS
if(CULVERT_SANITIZE)
  set(sim_again 1..15)
  math(EXPR sim_seeds "${CULVERT_SIM_SEEDS} / 10")
endif()
math(EXPR sim_portion "${sim_seeds} / ${sim_portions}")
set(sim_files)
set(sim_names)
foreach(index RANGE 1 ${sim_portions})
  math(EXPR first "(${index} - 1) * ${sim_portion} + 1")
  math(EXPR last "${index} * ${sim_portion}")
  set(file ${PROJECT_BINARY_DIR}/sim_world_${index}.totals)
  add_test(NAME sim_world_${index} COMMAND sim_world --seeds ${first}..${last} --totals ${file})
  list(APPEND sim_files ${file})
  list(APPEND sim_names sim_world_${index})
endforeach()
add_test(NAME sim_world_sums COMMAND sim_world --sum ${sim_files})
add_test(NAME sim_world_again COMMAND sim_world --again ${sim_again})
add_test(NAME sim_world_storm COMMAND sim_world --storm 1..3)
set_tests_properties(${sim_names} sim_world_again sim_world_storm PROPERTIES LABELS sim TIMEOUT 600)
set_tests_properties(sim_world_sums PROPERTIES LABELS sim TIMEOUT 60 DEPENDS "${sim_names}")

# The fault board: every fault at every step, and its table in a page.
file(GLOB board_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/sim/board/*.cpp)
foreach(part names people proxy_host roles seeded_openssl services talker)
  list(APPEND board_sources ${PROJECT_SOURCE_DIR}/tests/sim/${part}.cpp)
endforeach()
add_executable(fault_board ${board_sources})
target_include_directories(fault_board PRIVATE ${CULVERT_SDK_COPY}/include)
target_link_libraries(fault_board PRIVATE culvert_transport_azure_static culvert_example_relay_static
                                          culvert_auth_sas_static culvert_resolver_static_static
                                          ${CULVERT_TEST_LIBRARIES})
add_test(NAME sim_fault_board COMMAND fault_board tests/fault_board.md
         WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(sim_fault_board PROPERTIES LABELS sim TIMEOUT 1200)
