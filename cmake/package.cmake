# The files of the service, which belong to the component command, and the Debian packages of both
# components: culvert and culvert-dev. `cpack` in a build of the preset `package` makes them.

function(culvert_written file) # by the command itself
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/${file} DEPENDS culvert
                     COMMAND culvert ${ARGN} >${PROJECT_BINARY_DIR}/${file})
  set_property(GLOBAL APPEND PROPERTY CULVERT_WRITTEN ${PROJECT_BINARY_DIR}/${file})
endfunction()

culvert_written(culvert.toml config example)
culvert_written(culvert.1 document man)
culvert_written(culvert.toml.5 document file-man)
culvert_written(completions/culvert document bash)
culvert_written(completions/_culvert document zsh)
culvert_written(completions/culvert.fish document fish)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/completions)
get_property(written GLOBAL PROPERTY CULVERT_WRITTEN)
add_custom_target(culvert_documents ALL DEPENDS ${written})
add_dependencies(culvert_installed culvert_documents)

set(etc ${CMAKE_INSTALL_SYSCONFDIR}/culvert)
if(CMAKE_INSTALL_PREFIX STREQUAL /usr)
  set(etc /etc/culvert)
endif()
install(FILES ${PROJECT_BINARY_DIR}/culvert.toml DESTINATION ${etc} COMPONENT command)
install(DIRECTORY DESTINATION ${etc}/keys DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
        COMPONENT command)
install(FILES ${PROJECT_BINARY_DIR}/culvert.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command)
install(FILES ${PROJECT_BINARY_DIR}/culvert.toml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT command)
foreach(completion bash-completion/completions/culvert zsh/vendor-completions/_culvert
                   fish/vendor_completions.d/culvert.fish)
  get_filename_component(name ${completion} NAME)
  get_filename_component(folder ${completion} DIRECTORY)
  install(FILES ${PROJECT_BINARY_DIR}/completions/${name} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder}
          COMPONENT command)
endforeach()
install(FILES packaging/culvert.service DESTINATION lib/systemd/system COMPONENT command)
install(FILES packaging/sysusers.conf DESTINATION lib/sysusers.d RENAME culvert.conf COMPONENT command)
install(FILES packaging/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME culvert.conf COMPONENT command)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/culvert RENAME copyright COMPONENT command)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/culvert-dev RENAME copyright
        COMPONENT development)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The Culvert authors <culvert@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "TCP tunnels through a relay, without open firewall ports")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON) # for /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL command development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME culvert)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION net)
set(CPACK_COMPONENT_COMMAND_DESCRIPTION
    "Culvert carries TCP connections to one fixed target through a relay that both sides dial out to.
It speaks the Azure Relay Hybrid Connections protocol.")
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_COMMAND_PACKAGE_CONTROL_EXTRA
    ${debian}/postinst ${debian}/prerm ${debian}/postrm ${debian}/conffiles ${debian}/triggers)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME culvert-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "The engine of Culvert as a library, and what a plugin is built with.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "culvert (= ${PROJECT_VERSION}), liburing-dev, libssl-dev, libspdlog-dev, prometheus-cpp-dev, libboost-url1.81-dev | libboost-url-dev")
include(CPack)
