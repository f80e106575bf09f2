# Compiler flags, sanitizers, ccache.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
                                CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()

include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-std=c++23")
check_cxx_source_compiles("#include <expected>
  int main() { std::expected<int, int> e = 1; return *e - 1; }" CLOISTER_HAS_EXPECTED)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT CLOISTER_HAS_EXPECTED)
  message(FATAL_ERROR "this compiler has no std::expected; "
    "use g++ 12 or newer, or clang 19 or newer")
endif()

# Only our own targets get the warnings: third-party code is linked through `cloister_flags` users.
add_library(cloister_flags INTERFACE)
target_compile_options(cloister_flags INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fno-strict-aliasing)
target_compile_definitions(cloister_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(NOT CLOISTER_SANITIZE)
  target_compile_options(cloister_flags INTERFACE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>
                                                  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives inside libstdc++ (PR 105651, PR 105329).
  target_compile_options(cloister_flags INTERFACE -Wno-restrict -Wno-stringop-overflow
                                                  -Wno-array-bounds -Wno-maybe-uninitialized
                                                  -Wno-stringop-overread)
endif()
target_link_options(cloister_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

if(CLOISTER_SANITIZE)
  string(REPLACE ";" "," sanitizers "${CLOISTER_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented coroutine frames of Asio look to GCC as if new and delete did not match.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete>)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CLOISTER_SANITIZE MATCHES "thread")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-tsan>)  # Asio's fences, which it cannot model
  endif()
endif()

# Coverage for libFuzzer in the libraries too: without it a fuzzer is blind to what it tests.
if(CLOISTER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
