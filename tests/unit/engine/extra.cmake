# The embedder's API with the plugins as they are shipped.
add_dependencies(unit_engine culvert_plugins)
target_compile_definitions(unit_engine
                           PRIVATE CULVERT_TEST_PLUGIN_DIRECTORY="${PROJECT_BINARY_DIR}/bin")
set(CULVERT_BROKEN_PLUGINS ${PROJECT_BINARY_DIR}/tests/plugins)
culvert_plugin(breaks SOURCES ${PROJECT_SOURCE_DIR}/tests/plugins/breaks.cpp)
set_target_properties(culvert_breaks PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CULVERT_BROKEN_PLUGINS})
set_target_properties(culvert_breaks_static PROPERTIES EXCLUDE_FROM_ALL ON)
add_dependencies(unit_engine culvert_breaks)
target_compile_definitions(unit_engine
                           PRIVATE CULVERT_BROKEN_PLUGINS="${CULVERT_BROKEN_PLUGINS}")
