# Finds LibTorch as the PyPI wheel lays it out and makes the target adadiff::torch_cpu (libtorch_cpu, libc10 and, if
# it is there, libgomp; then LibTorch_HAS_GOMP is ON).
# The wheel's own TorchConfig.cmake asks for a CUDA toolkit at configure time even for CPU code, so it is not used.
#
# Looked for in, first one wins: -DADADIFF_LIBTORCH=DIR, ADADIFF_LIBTORCH in the environment, where an earlier configure of this build
# folder found it, the folders of CMAKE_PREFIX_PATH, ADADIFF_LIBTORCH_HINT, the cache folder that ./run fills. DIR is the folder that holds include/ and lib/ (Python's
# site-packages/torch), or the one above it. A DIR that is named but holds no LibTorch is an error, not passed over.
set(ADADIFF_LIBTORCH "" CACHE PATH "Folder of LibTorch: the one that holds include/ and lib/")

if(DEFINED ENV{ADADIFF_CACHE})
  set(_libtorch_cache "$ENV{ADADIFF_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_libtorch_cache "$ENV{XDG_CACHE_HOME}/adadiff")
else()
  set(_libtorch_cache "$ENV{HOME}/.cache/adadiff")
endif()

set(_libtorch_dir "")
string(REPLACE ":" ";" _libtorch_prefixes "$ENV{CMAKE_PREFIX_PATH}")
list(PREPEND _libtorch_prefixes ${CMAKE_PREFIX_PATH})
foreach(_libtorch_root IN ITEMS "${ADADIFF_LIBTORCH}" "$ENV{ADADIFF_LIBTORCH}" "${ADADIFF_LIBTORCH_FOUND}"
        ${_libtorch_prefixes} "${ADADIFF_LIBTORCH_HINT}" "${_libtorch_cache}/libtorch-2.11.0-cpu")
  if(_libtorch_dir OR _libtorch_root STREQUAL "")
    continue()
  endif()
  foreach(_libtorch_candidate IN ITEMS "${_libtorch_root}" "${_libtorch_root}/torch")
    if(NOT _libtorch_dir AND EXISTS "${_libtorch_candidate}/include/ATen/ATen.h")
      file(REAL_PATH "${_libtorch_candidate}" _libtorch_dir)
    endif()
  endforeach()
  if(NOT _libtorch_dir AND (_libtorch_root STREQUAL ADADIFF_LIBTORCH OR _libtorch_root STREQUAL "$ENV{ADADIFF_LIBTORCH}"))
    message(FATAL_ERROR "ADADIFF_LIBTORCH must be a folder with include/ATen/ATen.h, but \"${_libtorch_root}\" is not")
  endif()
endforeach()

unset(_libtorch_cpu)
unset(_libtorch_c10)
unset(_libtorch_gomp)
unset(LibTorch_VERSION)
if(_libtorch_dir)
  if(EXISTS "${_libtorch_dir}/version.py")
    file(STRINGS "${_libtorch_dir}/version.py" _libtorch_version REGEX "^__version__")
  elseif(EXISTS "${_libtorch_dir}/build-version")
    file(STRINGS "${_libtorch_dir}/build-version" _libtorch_version LIMIT_COUNT 1)
  endif()
  if(_libtorch_version MATCHES "([0-9]+\\.[0-9]+\\.[0-9]+)")
    set(LibTorch_VERSION ${CMAKE_MATCH_1})
  endif()
  find_library(_libtorch_cpu torch_cpu PATHS "${_libtorch_dir}/lib" NO_DEFAULT_PATH NO_CACHE)
  find_library(_libtorch_c10 c10 PATHS "${_libtorch_dir}/lib" NO_DEFAULT_PATH NO_CACHE)
  file(GLOB _libtorch_gomp "${_libtorch_dir}/lib/libgomp*.so*")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS _libtorch_dir _libtorch_cpu _libtorch_c10 VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "set ADADIFF_LIBTORCH to the folder of LibTorch 2.11, or let `./run build` fetch it")

if(LibTorch_FOUND AND NOT TARGET adadiff::torch_cpu)
  set(ADADIFF_LIBTORCH_FOUND "${_libtorch_dir}" CACHE INTERNAL "Where LibTorch was found")
  add_library(adadiff::torch_cpu INTERFACE IMPORTED)
  target_include_directories(adadiff::torch_cpu SYSTEM INTERFACE
    "${_libtorch_dir}/include" "${_libtorch_dir}/include/torch/csrc/api/include")
  target_compile_definitions(adadiff::torch_cpu INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(adadiff::torch_cpu INTERFACE "${_libtorch_cpu}" "${_libtorch_c10}")
  # The wheel's own OpenMP library: code that shares torch's threads must link this one and no second.
  set(LibTorch_HAS_GOMP OFF)
  if(_libtorch_gomp)
    list(GET _libtorch_gomp 0 _libtorch_gomp)
    target_link_libraries(adadiff::torch_cpu INTERFACE "${_libtorch_gomp}")
    set(LibTorch_HAS_GOMP ON)
  endif()
  # libtorch_cpu needs libcudart and libcupti, which the wheels lay beside it. It finds them at run time by its own run path; the
  # linker has to be told.
  file(GLOB _libtorch_nvidia LIST_DIRECTORIES true "${_libtorch_dir}/../nvidia/*/lib")
  foreach(_libtorch_folder IN LISTS _libtorch_nvidia)
    file(REAL_PATH "${_libtorch_folder}" _libtorch_folder)
    target_link_options(adadiff::torch_cpu INTERFACE "LINKER:-rpath-link,${_libtorch_folder}")
  endforeach()
endif()
