# The installed package and the source tree, each used by the small programs in tests/package. Label: package.
set(prefix ${PROJECT_BINARY_DIR}/package/prefix)
add_test(NAME package.install COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DPREFIX=${prefix}
         -P ${CMAKE_CURRENT_SOURCE_DIR}/package/install.cmake)
set_tests_properties(package.install PROPERTIES FIXTURES_SETUP installed_package LABELS package)

# adadiff_add_consumer_test(NAME PROGRAM cmake-option...)
function(adadiff_add_consumer_test name program)
  add_test(NAME package.${name} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/package ${PROJECT_BINARY_DIR}/package/${name}
    --build-generator ${CMAKE_GENERATOR} --build-makeprogram ${CMAKE_MAKE_PROGRAM} --build-noclean --build-target ${program}
    --build-options -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} ${ARGN}
    --test-command ${PROJECT_BINARY_DIR}/package/${name}/${program})
  set_tests_properties(package.${name} PROPERTIES LABELS package TIMEOUT 1800)
endfunction()

# The package has to remember where LibTorch is; only the source tree is told.
set(installed -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Release)
adadiff_add_consumer_test(find_package consumer ${installed})
adadiff_add_consumer_test(find_package_training training_consumer ${installed})
adadiff_add_consumer_test(find_package_kernels kernels_consumer ${installed} -DCONSUMER_KERNELS_ONLY=ON)
set_tests_properties(package.find_package package.find_package_training package.find_package_kernels
                     PROPERTIES FIXTURES_REQUIRED installed_package)
# On another machine LibTorch is elsewhere, and CMAKE_PREFIX_PATH says where; the hint in the package leads nowhere.
add_test(NAME package.finds_libtorch_by_prefix COMMAND ${CMAKE_COMMAND} -DLIBTORCH=${ADADIFF_LIBTORCH_FOUND}
         -DMODULE=${PROJECT_SOURCE_DIR}/cmake -P ${CMAKE_CURRENT_SOURCE_DIR}/package/find_by_prefix.cmake)
set_tests_properties(package.finds_libtorch_by_prefix PROPERTIES LABELS package)
# Unoptimised, since it builds the library once more.
adadiff_add_consumer_test(add_subdirectory consumer -DCONSUMER_SOURCE=${PROJECT_SOURCE_DIR}
                          -DADADIFF_LIBTORCH=${ADADIFF_LIBTORCH_FOUND} -DCMAKE_CXX_FLAGS=-O0)
set_tests_properties(package.add_subdirectory PROPERTIES PROCESSORS 2 COST 1000)
