# The embedder's API with the plugins as they are shipped.
add_dependencies(unit_engine plugins)
target_compile_definitions(unit_engine
                           PRIVATE CULVERT_TEST_PLUGIN_DIRECTORY="${CMAKE_BINARY_DIR}/bin")
