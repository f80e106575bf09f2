# The tests of the built program as a whole: tests/e2e/README.md. Their packages are installed like
# the page's (cmake/web.cmake), and only where the page is built: a build without npm stays so.
find_program(NODE node)
find_program(NPM npm)
set(e2e ${CMAKE_CURRENT_SOURCE_DIR}/e2e)

if(CLOISTER_UI AND NPM)
  set(e2e_installed ${e2e}/node_modules/.package-lock.json)  # npm writes it last
  add_custom_command(
    OUTPUT ${e2e_installed}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${e2e_installed}
    DEPENDS ${e2e}/package.json ${e2e}/package-lock.json ${e2e}/.npmrc
    WORKING_DIRECTORY ${e2e}
    COMMENT "Installing the packages of the end-to-end tests"
    VERBATIM)
  add_custom_target(e2e_packages ALL DEPENDS ${e2e_installed})
endif()

# Each starts at most one network, loads models and wants the machine for itself.
function(cloister_e2e_test name)
  add_test(NAME e2e_${name}
           COMMAND ${NODE} ${e2e}/run.mjs $<TARGET_FILE:cloister_program> ${ARGN})
  set_tests_properties(e2e_${name} PROPERTIES
    SKIP_RETURN_CODE 77 RUN_SERIAL ON TIMEOUT 900 LABELS e2e)
endfunction()

if(NODE AND CLOISTER_LLAMA)
  cloister_e2e_test(once once)
  cloister_e2e_test(served openai_client page)
  cloister_e2e_test(canary canary)
  cloister_e2e_test(switch switch)
  cloister_e2e_test(chain chain)
  cloister_e2e_test(chain_page chain_page)
  cloister_e2e_test(chain_page_comet chain_page_comet)
  cloister_e2e_test(ledger ledger)
  cloister_e2e_test(misuse misuse)
  cloister_e2e_test(comet comet)
  cloister_e2e_test(testnet testnet)
  cloister_e2e_test(hosts hosts)
endif()
