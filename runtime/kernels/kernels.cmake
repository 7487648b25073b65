# Kernel sources are compiled once per instruction set, see kernels/isa.h. hearth_cpu_kernels(SOURCES...) adds the
# objects to the room `runtime`.

function(hearth_cpu_kernels)
  set(isas portable)
  set(flags_portable "")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND isas avx2 avx512)
    set(flags_avx2 -mavx2 -mfma -mf16c)
    # GCC 12 warns about its own header (undefined registers on purpose).
    set(flags_avx512 ${flags_avx2} $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> -Wno-uninitialized -mavx512f -mavx512bw -mavx512vl -mprefer-vector-width=512)
  endif()
  # Instrumented, -O3 takes minutes a file and finds no more.
  if(HEARTH_SANITIZE)
    set(optimisation -O1)
  else()
    set(optimisation -O3)
  endif()
  set(level 0)
  foreach(isa ${isas})
    set(target hearth_kernels_${isa})
    add_library(${target} OBJECT ${ARGN})
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF) # every kernel calls its loops `run`
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/rooms/runtime)
    target_link_libraries(${target} PRIVATE hearth_options hearth_base hearth_hwdetect)
    target_compile_definitions(${target} PRIVATE HEARTH_ISA=${isa} HEARTH_ISA_LEVEL=${level})
    # No fast-math: infinities mask scores, and sums keep their order.
    target_compile_options(${target} PRIVATE ${optimisation} -fno-trapping-math -fno-math-errno -ffp-contract=fast -Wno-psabi
      ${flags_${isa}})
    target_sources(hearth_runtime PRIVATE $<TARGET_OBJECTS:${target}>)
    math(EXPR level "${level} + 1")
  endforeach()
  if(HEARTH_TESTS AND NOT HEARTH_SANITIZE AND TARGET hearth_kernels_avx2)
    add_test(NAME kernel_objects_keep_to_themselves
      COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/kernels/check_objects.sh
        $<TARGET_OBJECTS:hearth_kernels_avx2> $<TARGET_OBJECTS:hearth_kernels_avx512>
      COMMAND_EXPAND_LISTS)
    set_tests_properties(kernel_objects_keep_to_themselves PROPERTIES LABELS unit)
  endif()
endfunction()
