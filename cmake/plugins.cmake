# Plugins are built from a copy of sdk/ alone, with no path to the engine.
#
# culvert_plugin(ID SOURCES ... [LINKS ...] [TARGET ...]) makes bin/ID.so as the target culvert_ID or TARGET and,
# for tests that link several plugins into one binary, the object library culvert_ID_static, whose entry is
# culvert_plugin_v1_ID.

set(CULVERT_SDK_COPY ${PROJECT_BINARY_DIR}/sdk)
file(GLOB_RECURSE sdk_files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/sdk ${PROJECT_SOURCE_DIR}/sdk/*)
foreach(file ${sdk_files})
  configure_file(${PROJECT_SOURCE_DIR}/sdk/${file} ${CULVERT_SDK_COPY}/${file} COPYONLY)
endforeach()

function(culvert_plugin id)
  cmake_parse_arguments(PLUGIN "" "TARGET" "SOURCES;LINKS" ${ARGN})
  set(target culvert_${id})
  if(PLUGIN_TARGET)
    set(target ${PLUGIN_TARGET})
  endif()
  add_library(${target} MODULE ${PLUGIN_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${id}
                                             LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin
                                             C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(${target} PRIVATE ${CULVERT_SDK_COPY}/include)
  target_link_libraries(${target} PRIVATE ${PLUGIN_LINKS})
  target_link_options(${target} PRIVATE -Wl,-z,now -Wl,-Bsymbolic-functions
                                        -Wl,--version-script=${CULVERT_SDK_COPY}/plugin.map)
  if(NOT CULVERT_SANITIZE) # a sanitized object takes the runtime's symbols from the program
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()

  add_dependencies(culvert_plugins ${target})
  if(CMAKE_CURRENT_SOURCE_DIR STREQUAL ${PROJECT_SOURCE_DIR}/plugins/${id}) # of the product, not an example
    set_property(GLOBAL APPEND PROPERTY CULVERT_PLUGINS ${target})
  endif()

  if(NOT CULVERT_BUILD_TESTS)
    return()
  endif()
  add_library(${target}_static OBJECT ${PLUGIN_SOURCES})
  target_include_directories(${target}_static PRIVATE ${CULVERT_SDK_COPY}/include)
  target_compile_definitions(${target}_static PRIVATE CULVERT_STATIC_PLUGIN=${id})
  target_link_libraries(${target}_static PUBLIC ${PLUGIN_LINKS})
endfunction()

add_custom_target(culvert_plugins) # all of them
set(plugin_folders plugins)
if(CULVERT_BUILD_TESTS)
  list(APPEND plugin_folders sdk/examples)
endif()
foreach(folder ${plugin_folders})
  file(GLOB lists CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*/CMakeLists.txt)
  foreach(list ${lists})
    get_filename_component(directory ${list} DIRECTORY)
    add_subdirectory(${directory})
  endforeach()
endforeach()
