target_sources(unit_link PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/io/kernel_world.cpp
                                 ${PROJECT_SOURCE_DIR}/tests/unit/io/sim_world.cpp)
