# cmake -DSOURCE=folder -DBUILD=folder -DOPTIONS=option;... -P build.cmake: builds the libraries, the command and the examples
# with clang, where every warning is an error. Unoptimised, since only the compiler's opinion is asked; a later run builds what changed.
find_program(clang clang++)
if(NOT clang)
  message("skipped: finds no clang++; install it, on Debian by apt-get install clang")
  return()
endif()
execute_process(COMMAND ${clang} -dumpversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(version VERSION_LESS 14)
  message("skipped: finds clang ${version}; C++20 needs clang 14 or newer")
  return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -DCMAKE_CXX_COMPILER=${clang} -DCMAKE_BUILD_TYPE=Debug
                        -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DADADIFF_WERROR=ON -DADADIFF_TESTS=OFF -DADADIFF_INSTALL=OFF ${OPTIONS}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
