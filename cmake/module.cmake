# One library and one test program a folder.
#
#   cloister_module(NAME ledger_types DEPS base crypto [PRIVATE lib…] [PUBLIC_LIBS lib…])
#
# Sources are the folder's *.cc; *_test.cc go into NAME_test, *_fuzz.cc into one fuzz target each,
# *_testing.cc (shared helpers of tests) into NAME_testing. DEPS are the only modules this folder
# may include: scripts/check_layers reads this line and fails on any other include.
function(cloister_module)
  cmake_parse_arguments(M "" "NAME" "DEPS;PRIVATE;PUBLIC_LIBS;TEST_DEPS;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
  file(GLOB testing CONFIGURE_DEPENDS *_testing.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cc)
  if(tests OR testing OR fuzzers)
    list(REMOVE_ITEM sources ${tests} ${testing} ${fuzzers})
  endif()
  set(deps ${M_DEPS})
  list(TRANSFORM deps PREPEND cloister_)

  if(sources)
    add_library(cloister_${M_NAME} STATIC ${sources})
    target_include_directories(cloister_${M_NAME} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(cloister_${M_NAME} PUBLIC ${deps} ${M_PUBLIC_LIBS}
                                             PRIVATE cloister_flags ${M_PRIVATE})
  else()
    add_library(cloister_${M_NAME} INTERFACE)
    target_include_directories(cloister_${M_NAME} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(cloister_${M_NAME} INTERFACE ${deps} ${M_PUBLIC_LIBS})
  endif()

  set(test_deps ${M_TEST_DEPS})
  list(TRANSFORM test_deps PREPEND cloister_)
  if(testing AND CLOISTER_TESTS)
    add_library(cloister_${M_NAME}_testing STATIC ${testing})
    target_link_libraries(cloister_${M_NAME}_testing PUBLIC cloister_${M_NAME} ${test_deps}
                                                     PRIVATE cloister_flags ${M_TEST_LIBS})
    list(APPEND test_deps cloister_${M_NAME}_testing)
  endif()
  if(tests AND CLOISTER_TESTS)
    add_executable(${M_NAME}_test ${tests})
    target_link_libraries(${M_NAME}_test PRIVATE cloister_${M_NAME} ${test_deps} ${M_TEST_LIBS}
                                                 cloister_flags GTest::gmock GTest::gtest_main)
    target_compile_definitions(${M_NAME}_test PRIVATE CLOISTER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${M_NAME} COMMAND ${M_NAME}_test)
    set_tests_properties(${M_NAME} PROPERTIES TIMEOUT 600)
  endif()
  if(CLOISTER_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(name ${fuzzer} NAME_WE)
      add_executable(${name} ${fuzzer})
      target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${name} PRIVATE cloister_${M_NAME} ${test_deps} cloister_flags)
      add_test(NAME ${name} COMMAND ${name} -max_total_time=60 -timeout=5 -rss_limit_mb=512)
      set_tests_properties(${name} PROPERTIES LABELS fuzz)
    endforeach()
  endif()
endfunction()
