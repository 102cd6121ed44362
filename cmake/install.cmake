# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What `cmake --install` puts down beside the tools: libaprt, its header and sources, and the CMake
# package. The package is the same for every architecture, so it lies below share.
include(CMakePackageConfigHelpers)

get_target_property(aprt_type aprt TYPE)
if(aprt_type STREQUAL STATIC_LIBRARY)
  install(TARGETS aprt ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(FILES runtime/core/include/aprt.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY runtime/core/ DESTINATION ${CMAKE_INSTALL_DATADIR}/aprc/runtime/core
        FILES_MATCHING PATTERN *.c PATTERN *.h)

set(package_folder ${CMAKE_INSTALL_DATADIR}/cmake/aprc)
configure_package_config_file(cmake/aprc-config.cmake.in ${PROJECT_BINARY_DIR}/aprc-config.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/aprc-config-version.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/aprc-config.cmake
              ${PROJECT_BINARY_DIR}/aprc-config-version.cmake
        DESTINATION ${package_folder})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
