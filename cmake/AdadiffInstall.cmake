# Installs libraries, headers, the command and a package, so that find_package(adadiff) gives adadiff::adadiff, adadiff::training and
# adadiff::kernels. LibTorch is not installed: the package finds it again, and programs find it by the run path they were linked with.
include(CMakePackageConfigHelpers)

set(ADADIFF_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/adadiff)

# Kernels have an export of their own, so that COMPONENTS kernels needs no LibTorch.
install(TARGETS adadiff_kernels EXPORT adadiff-kernels)
install(EXPORT adadiff-kernels NAMESPACE adadiff:: FILE adadiff-kernels-targets.cmake DESTINATION ${ADADIFF_PACKAGE_DIR})
set(_adadiff_kernel_headers exit_score.h noise.h normal.h philox.h status.h)
list(TRANSFORM _adadiff_kernel_headers PREPEND ${PROJECT_SOURCE_DIR}/kernels/)
install(FILES ${_adadiff_kernel_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/adadiff/kernels)

set(_adadiff_libraries adadiff)
if(TARGET adadiff_training_library)
  list(APPEND _adadiff_libraries adadiff_training_library)
endif()
install(TARGETS ${_adadiff_libraries} EXPORT adadiff)
install(EXPORT adadiff NAMESPACE adadiff:: FILE adadiff-targets.cmake DESTINATION ${ADADIFF_PACKAGE_DIR})
get_property(_adadiff_headers GLOBAL PROPERTY ADADIFF_PUBLIC_HEADERS)
if(NOT ADADIFF_TRAINING)
  list(FILTER _adadiff_headers EXCLUDE REGEX "/(training|tuning)\\.h$")
endif()
install(FILES ${_adadiff_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/adadiff)

if(TARGET adadiff_command)
  set_target_properties(adadiff_command PROPERTIES
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}" INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS adadiff_command)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/examples/models)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/adadiff/models
          FILES_MATCHING PATTERN "*.safetensors")
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.cpp" PATTERN "models" EXCLUDE)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/adadiff-config.cmake.in ${PROJECT_BINARY_DIR}/adadiff-config.cmake
  INSTALL_DESTINATION ${ADADIFF_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/adadiff-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/adadiff-config.cmake ${PROJECT_BINARY_DIR}/adadiff-config-version.cmake
        ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake DESTINATION ${ADADIFF_PACKAGE_DIR})
