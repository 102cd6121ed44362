# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every folder is one target: its sources are found by pattern, so a new file needs no edit here.

# apr_add_library(<name> [PATTERN <glob>…] [LINK <target>…] [LINK_PRIVATE <target>…]
#                 [EXTRA_SOURCES <file>…])
# A static library of all sources below the current folder; an interface library while there are
# none. Includes are relative to the project root.
function(apr_add_library name)
  cmake_parse_arguments(arg "" "" "PATTERN;LINK;LINK_PRIVATE;EXTRA_SOURCES" ${ARGN})
  if(NOT arg_PATTERN)
    set(arg_PATTERN *.cpp)
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${arg_PATTERN})
  if(sources OR arg_EXTRA_SOURCES)
    add_library(${name} STATIC ${sources} ${arg_EXTRA_SOURCES})
    target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE ${arg_LINK_PRIVATE})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    target_link_libraries(${name} INTERFACE ${arg_LINK} ${arg_LINK_PRIVATE})
  endif()
endfunction()

# apr_add_tool(<name> [FOR_TESTS] LINK <target>…)
# A program of the sources in the current folder; installed unless it only serves the tests.
function(apr_add_tool name)
  cmake_parse_arguments(arg "FOR_TESTS" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  if(sources)
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE ${arg_LINK})
    if(NOT arg_FOR_TESTS)
      install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
  endif()
endfunction()
