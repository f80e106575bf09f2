# Builds the two web pages and turns each into one C++ source.
#
#   cloister_web_sources(VARIABLE)
#
# VARIABLE gets the paths of the generated sources. The commands belong to the calling folder, so call
# it where the target is that compiles the source. node_modules stands in web/, as npm wants it, and
# is shared by all presets; everything else is made in the build folder.
function(cloister_web_sources variable)
  find_program(NODE node)
  find_program(NPM npm)
  if(NOT NODE OR NOT NPM)
    message(FATAL_ERROR "the web page needs node 20.19 or newer and npm; install them, or "
                        "configure with -DCLOISTER_UI=OFF to build without the page")
  endif()

  set(web ${CMAKE_SOURCE_DIR}/web)
  set(dist ${CMAKE_BINARY_DIR}/web/dist)
  set(source ${CMAKE_BINARY_DIR}/web/webui_assets.cc)
  set(chain_dist ${CMAKE_BINARY_DIR}/web/dist-chain)
  set(chain_source ${CMAKE_BINARY_DIR}/web/webui_chain_assets.cc)
  set(installed ${web}/node_modules/.package-lock.json)  # npm writes it last
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)
  file(GLOB_RECURSE chain_inputs CONFIGURE_DEPENDS ${web}/chain/* ${web}/sealed/*)

  add_custom_command(
    OUTPUT ${installed}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${installed}
    DEPENDS ${web}/package.json ${web}/package-lock.json ${web}/.npmrc
    WORKING_DIRECTORY ${web}
    COMMENT "Installing the tools of the web page"
    VERBATIM)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${NODE} node_modules/vite/bin/vite.js build --outDir ${dist} --emptyOutDir
            --logLevel warn
    COMMAND ${NODE} embed.mjs ${dist} ${source} assets
    DEPENDS ${installed} ${inputs} ${web}/index.html ${web}/vite.config.ts ${web}/tsconfig.json
            ${web}/embed.mjs
    WORKING_DIRECTORY ${web}
    COMMENT "Building the web page"
    VERBATIM)
  add_custom_command(
    OUTPUT ${chain_source}
    COMMAND ${NODE} node_modules/vite/bin/vite.js build --config chain.config.ts
            --outDir ${chain_dist} --emptyOutDir --logLevel warn
    COMMAND ${NODE} embed.mjs ${chain_dist} ${chain_source} chain_assets
    DEPENDS ${installed} ${inputs} ${chain_inputs} ${web}/chain.config.ts ${web}/tsconfig.json
            ${web}/embed.mjs
    WORKING_DIRECTORY ${web}
    COMMENT "Building the page that needs no gateway"
    VERBATIM)
  set(${variable} ${source} ${chain_source} PARENT_SCOPE)
endfunction()
