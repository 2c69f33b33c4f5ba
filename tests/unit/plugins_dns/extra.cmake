target_link_libraries(unit_plugins_dns PRIVATE culvert_resolver_dns_static)
target_include_directories(unit_plugins_dns PRIVATE ${CULVERT_SDK_COPY}/include ${PROJECT_SOURCE_DIR}/plugins)
