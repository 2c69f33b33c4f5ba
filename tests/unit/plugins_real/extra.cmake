add_dependencies(unit_plugins_real culvert_plugins)
target_compile_definitions(unit_plugins_real PRIVATE PLUGIN_DIRECTORY="${PROJECT_BINARY_DIR}/bin")
