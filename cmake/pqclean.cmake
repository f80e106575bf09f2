# ML-KEM-768 in C as scripts/fetch_pqclean brought it, as the target `cloister_pqclean`.
execute_process(
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/fetch_pqclean --where
  OUTPUT_VARIABLE pqclean_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_VARIABLE pqclean_error
  RESULT_VARIABLE pqclean_missing)
if(pqclean_missing)
  message(FATAL_ERROR "${pqclean_error}")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/scripts/fetch_pqclean ${CMAKE_SOURCE_DIR}/cmake/pqclean-wipe.patch)

file(GLOB pqclean_sources ${pqclean_dir}/*.c)
add_library(cloister_pqclean STATIC ${pqclean_sources})
target_include_directories(cloister_pqclean SYSTEM PUBLIC ${pqclean_dir})
set_target_properties(cloister_pqclean PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
target_compile_options(cloister_pqclean PRIVATE -fstack-protector-strong)
