# ADADIFF_CUDA decides whether the CUDA back end is built. There is none yet: AUTO and OFF build for the CPU, ON says so and stops.
if(NOT ADADIFF_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "ADADIFF_CUDA must be AUTO, ON or OFF, but is \"${ADADIFF_CUDA}\"")
endif()
if(ADADIFF_CUDA STREQUAL "ON")
  message(FATAL_ERROR "ADADIFF_CUDA must be AUTO or OFF, but is ON; this version has no CUDA kernels yet")
endif()
