# What `cmake --install` puts below the prefix. Nothing of it names the prefix, so it may be moved.
#
#   component command      the command and its plugins
#   component development   libculvert (static and shared), the headers, the SDK, culvertConfig.cmake, *.pc

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(CULVERT_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/culvert)
set(CULVERT_SDK_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/culvert-sdk)
set(CULVERT_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/culvert)

# One library of all layers. The shared one exports the functions of engine/include and no others.
set(objects)
foreach(layer ${CULVERT_LAYERS})
  list(APPEND objects $<TARGET_OBJECTS:culvert_${layer}>)
endforeach()
foreach(kind static shared)
  string(TOUPPER ${kind} type)
  add_library(culvert_${kind} ${type} ${objects})
  set_target_properties(culvert_${kind} PROPERTIES OUTPUT_NAME culvert EXPORT_NAME engine_${kind}
                                                   LINKER_LANGUAGE CXX)
  target_compile_features(culvert_${kind} INTERFACE cxx_std_20)
  target_include_directories(culvert_${kind} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(culvert_${kind} PRIVATE PkgConfig::URING PkgConfig::PROMETHEUS Threads::Threads OpenSSL::SSL
                                                OpenSSL::Crypto Boost::url spdlog::spdlog ${CMAKE_DL_LIBS})
endforeach()
# Before 1.0 a minor version may change the C++ API.
set(exports ${PROJECT_SOURCE_DIR}/cmake/install/culvert.map)
set_target_properties(culvert_shared PROPERTIES
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                      LINK_DEPENDS ${exports})
target_link_options(culvert_shared PRIVATE -Wl,--version-script=${exports})
if(NOT CULVERT_SANITIZE)
  target_link_options(culvert_shared PRIVATE -Wl,--no-undefined)
endif()

# What a plugin needs: headers and, as in sdk/README.md, the list of what it exports.
add_library(culvert_sdk INTERFACE)
add_library(culvert::sdk ALIAS culvert_sdk)
set_target_properties(culvert_sdk PROPERTIES EXPORT_NAME sdk)
target_include_directories(culvert_sdk INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/sdk/include>
                                                 $<INSTALL_INTERFACE:${CULVERT_SDK_HEADERS}>)

if(TARGET culvert)
  install(TARGETS culvert RUNTIME COMPONENT command)
endif()
get_property(plugins GLOBAL PROPERTY CULVERT_PLUGINS)
install(TARGETS ${plugins} LIBRARY DESTINATION lib/culvert/plugins COMPONENT command)

install(TARGETS culvert_static culvert_shared culvert_sdk EXPORT culvert
        ARCHIVE COMPONENT development
        LIBRARY COMPONENT command NAMELINK_COMPONENT development)
install(EXPORT culvert NAMESPACE culvert:: FILE culvertTargets.cmake DESTINATION ${CULVERT_PACKAGE}
        COMPONENT development)
install(DIRECTORY engine/include/culvert/ DESTINATION ${CULVERT_HEADERS} COMPONENT development)
install(DIRECTORY sdk/include/culvert DESTINATION ${CULVERT_SDK_HEADERS} COMPONENT development)
install(FILES sdk/plugin.map sdk/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/culvert-sdk COMPONENT development)

configure_package_config_file(cmake/install/culvertConfig.cmake.in culvertConfig.cmake
                              INSTALL_DESTINATION ${CULVERT_PACKAGE})
write_basic_package_version_file(culvertConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/culvertConfig.cmake ${PROJECT_BINARY_DIR}/culvertConfigVersion.cmake
        DESTINATION ${CULVERT_PACKAGE} COMPONENT development)

file(RELATIVE_PATH CULVERT_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(name culvert culvert-sdk)
  configure_file(cmake/install/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT development)
endforeach()

add_custom_target(culvert_installed) # all that `cmake --install` takes
add_dependencies(culvert_installed culvert_plugins culvert_static culvert_shared)
if(TARGET culvert)
  add_dependencies(culvert_installed culvert)
endif()
