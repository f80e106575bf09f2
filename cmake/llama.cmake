# llama.cpp as scripts/fetch_llama built it, as the target `cloister_llama`.
if(NOT CLOISTER_LLAMA)
  return()
endif()

execute_process(
  COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER}
          ${CMAKE_SOURCE_DIR}/scripts/fetch_llama --where
  OUTPUT_VARIABLE llama_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_VARIABLE llama_error
  RESULT_VARIABLE llama_missing)
if(llama_missing)
  message(FATAL_ERROR "${llama_error}"
    "llama.cpp is not built: run scripts/fetch_llama, or configure with -DCLOISTER_LLAMA=OFF")
endif()
# A change of the pinned source, the patches or the options must be looked up again.
file(GLOB llama_patches ${CMAKE_SOURCE_DIR}/cmake/llama-*.patch)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/scripts/fetch_llama ${llama_patches})

add_library(cloister_llama INTERFACE)
target_include_directories(cloister_llama SYSTEM INTERFACE ${llama_dir}/include
                                                           ${llama_dir}/include/common)
foreach(archive llama-common llama-common-base llama cpp-httplib ggml ggml-cpu ggml-base)
  target_link_libraries(cloister_llama INTERFACE ${llama_dir}/lib/lib${archive}.a)
endforeach()
# Most of llama-common (downloads, argument parsing) is unused: the linker drops it.
target_link_libraries(cloister_llama INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
target_link_options(cloister_llama INTERFACE -Wl,--gc-sections)
