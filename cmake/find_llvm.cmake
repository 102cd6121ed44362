# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Defines apr_llvm, the only target that brings LLVM in. LLVM 19.1 is the baseline and is taken
# where it is installed; -DAPR_LLVM_VERSION=22 asks for another one.
set(APR_LLVM_VERSION "" CACHE STRING "Major version of LLVM; empty: the oldest supported one found")
set(apr_supported_llvm 19 20 21 22)

function(apr_find_llvm)
  set(candidates ${apr_supported_llvm})
  if(APR_LLVM_VERSION)
    string(REGEX MATCH "^[0-9]+" candidates "${APR_LLVM_VERSION}")
  endif()
  # LLVM's own configuration reports optional libraries that it does not find.
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
  foreach(major IN LISTS candidates)
    # LLVM accepts a request only for its own major and minor version; releases are always x.1.
    find_package(LLVM ${major}.1 CONFIG QUIET HINTS /usr/lib/llvm-${major})
    if(LLVM_FOUND)
      break()
    endif()
  endforeach()
  unset(CMAKE_MESSAGE_LOG_LEVEL)

  if(NOT LLVM_FOUND)
    list(GET candidates 0 major)
    message(FATAL_ERROR "LLVM ${major}.1 was not found. On Debian and Ubuntu: "
                        "apt-get install llvm-${major}-dev (tools/setup.sh does it); elsewhere set "
                        "LLVM_DIR to the folder that holds LLVMConfig.cmake.")
  endif()
  if(NOT TARGET LLVM)
    message(FATAL_ERROR "LLVM ${LLVM_PACKAGE_VERSION} in ${LLVM_DIR} has no shared library libLLVM; "
                        "install llvm-${LLVM_VERSION_MAJOR}-dev or build LLVM with "
                        "LLVM_BUILD_LLVM_DYLIB.")
  endif()
  message(STATUS "LLVM ${LLVM_PACKAGE_VERSION} (${LLVM_DIR})")

  add_library(apr_llvm INTERFACE)
  target_include_directories(apr_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
  separate_arguments(definitions UNIX_COMMAND "${LLVM_DEFINITIONS}")
  # They also define _GNU_SOURCE, which g++ defines itself.
  list(REMOVE_ITEM definitions -D_GNU_SOURCE)
  target_compile_options(apr_llvm INTERFACE ${definitions})
  target_link_libraries(apr_llvm INTERFACE LLVM)

  set(APR_LLVM_MAJOR ${LLVM_VERSION_MAJOR} PARENT_SCOPE)
  set(APR_LLVM_TOOLS_DIR ${LLVM_TOOLS_BINARY_DIR} PARENT_SCOPE)
endfunction()

apr_find_llvm()
