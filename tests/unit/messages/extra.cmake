target_sources(unit_messages PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/io/kernel_world.cpp
                               ${PROJECT_SOURCE_DIR}/tests/unit/io/sim_world.cpp
                               ${PROJECT_SOURCE_DIR}/tests/unit/link/link_suite.cpp)
