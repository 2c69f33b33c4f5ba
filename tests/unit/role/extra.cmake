# The scripted peers of the relay's tests serve here too.
target_sources(unit_role PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/relay/raw_peer.cpp)
target_sources(unit_role PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/io/kernel_world.cpp)
