# Plugins that make one mistake each, in a directory of their own.

set(CULVERT_TEST_PLUGINS ${PROJECT_BINARY_DIR}/tests/plugins)

function(test_plugin id source)
  culvert_plugin(${id} SOURCES ${PROJECT_SOURCE_DIR}/tests/plugins/${source})
  set_target_properties(culvert_${id} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CULVERT_TEST_PLUGINS})
  set_target_properties(culvert_${id}_static PROPERTIES EXCLUDE_FROM_ALL ON)
  target_compile_definitions(culvert_${id} PRIVATE ${ARGN})
  add_dependencies(unit_plugin culvert_${id})
endfunction()

test_plugin(plain entry.c)
test_plugin(wrong_id entry.c ENTRY_ID="other")
test_plugin(wrong_magic entry.c ENTRY_ID="wrong_magic" ENTRY_MAGIC=1)
test_plugin(newer_minor entry.c ENTRY_ID="newer_minor" ENTRY_MINOR_REQUIRED=9)
test_plugin(no_symbol entry.c NO_ENTRY)
test_plugin(unresolved entry.c ENTRY_ID="unresolved" UNRESOLVED)
target_link_options(culvert_unresolved PRIVATE -Wl,-z,undefs)
test_plugin(crashes entry.c ENTRY_ID="crashes" CRASHES)
test_plugin(exits entry.c ENTRY_ID="exits" EXITS)
test_plugin(hangs entry.c ENTRY_ID="hangs" HANGS)
test_plugin(throws throws.cpp)

target_compile_definitions(unit_plugin PRIVATE CULVERT_TEST_PLUGINS="${CULVERT_TEST_PLUGINS}")
