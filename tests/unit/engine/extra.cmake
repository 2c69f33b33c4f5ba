# The embedder's API with the plugins as they are shipped.
add_dependencies(unit_engine culvert_plugins)
target_compile_definitions(unit_engine
                           PRIVATE CULVERT_TEST_PLUGIN_DIRECTORY="${PROJECT_BINARY_DIR}/bin")
