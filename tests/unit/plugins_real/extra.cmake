add_dependencies(unit_plugins_real transport_azure auth_sas resolver_static example_relay)
target_compile_definitions(unit_plugins_real PRIVATE PLUGIN_DIRECTORY="${CMAKE_BINARY_DIR}/bin")
