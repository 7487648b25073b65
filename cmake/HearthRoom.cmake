# hearth_room(): a room of the house as a static library.
#
#   hearth_room(trainer SOURCES a.cpp b.cpp IMPORTS runtime inference LIBS toml)
#
# Include paths are the import rules: the room `runtime` is visible as "runtime/..." only to rooms that
# name it in IMPORTS (or get it through one that does). This is done with one folder per room in the
# build tree that holds a single link to the room's sources; there is no include path to the repository's root.
# hearth_test(): a GoogleTest program beside the sources it tests.

find_package(Threads REQUIRED)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # TRY is a statement expression
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Most of a build is the same headers and templates over and over, so files of one target are compiled eight at a time:
# half the processor time of a fresh clone. A name that is static to a file is therefore unique among its neighbours.
# Without it, an edit costs less and everything else more.
option(HEARTH_UNITY "Compile the files of a target in batches" ON)
set(CMAKE_UNITY_BUILD ${HEARTH_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

add_library(hearth_options INTERFACE)
target_compile_options(hearth_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-missing-field-initializers -fno-math-errno>)
target_link_libraries(hearth_options INTERFACE Threads::Threads)
if(HEARTH_SANITIZE)
  target_compile_options(hearth_options INTERFACE
    # GCC 12's flow warnings are mistaken about instrumented code.
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${HEARTH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined
      -Wno-unknown-warning-option -Wno-maybe-uninitialized -Wno-restrict>)
  target_link_options(hearth_options INTERFACE -fsanitize=${HEARTH_SANITIZE})
endif()

function(hearth_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;IMPORTS;LIBS;PRIVATE_LIBS" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${name} ${view}/${name} SYMBOLIC)
  add_library(hearth_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(hearth_${name} PUBLIC ${view})
  list(TRANSFORM ROOM_IMPORTS PREPEND hearth_ OUTPUT_VARIABLE imports)
  foreach(import ${imports})
    if(NOT TARGET ${import})
      message(FATAL_ERROR "${name} imports ${import}, which is not a room below it (see docs/design.md)")
    endif()
  endforeach()
  target_link_libraries(hearth_${name} PUBLIC hearth_options ${imports} ${ROOM_LIBS} PRIVATE ${ROOM_PRIVATE_LIBS})
endfunction()

if(HEARTH_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
endif()

# hearth_test(name SOURCES ... ROOMS ... [LIBS ...] [LABELS ...] [TIMEOUT s])
function(hearth_test name)
  if(NOT HEARTH_TESTS)
    return()
  endif()
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;ROOMS;LIBS;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
    if(HEARTH_SANITIZE)
      set(T_TIMEOUT 900) # several times slower
    endif()
  endif()
  list(TRANSFORM T_ROOMS PREPEND hearth_ OUTPUT_VARIABLE rooms)
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${rooms} ${T_LIBS} hearth_options GTest::gtest_main GTest::gtest)
  target_compile_definitions(${name} PRIVATE HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "unit;${T_LABELS}")
endfunction()

# hearth_optional_tests(name filter): those tests of the program `name` that need what may be absent (data beside the
# checkout, root, another program). They are a test of their own, so that ctest says that they were skipped.
function(hearth_optional_tests name filter)
  if(NOT HEARTH_TESTS)
    return()
  endif()
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "GTEST_FILTER=-${filter}")
  add_test(NAME ${name}_optional COMMAND ${name} --gtest_filter=${filter})
  set_tests_properties(${name}_optional PROPERTIES TIMEOUT 300 LABELS unit SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()
