# Finds LibTorch as the PyPI wheel lays it out and makes the target adadiff::torch_cpu (libtorch_cpu and libc10).
# The wheel's own TorchConfig.cmake asks for a CUDA toolkit at configure time even for CPU code, so it is not used.
#
# Looked for in: -DADADIFF_LIBTORCH=DIR, the environment's ADADIFF_LIBTORCH, the cache folder that ./run fills. DIR is the folder
# that holds include/ and lib/ (Python's site-packages/torch), or the one above it.
set(ADADIFF_LIBTORCH "" CACHE PATH "Folder of LibTorch: the one that holds include/ and lib/")

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_libtorch_cache $ENV{XDG_CACHE_HOME})
else()
  set(_libtorch_cache $ENV{HOME}/.cache)
endif()
# A LibTorch named in the environment goes before one that an earlier configure found.
foreach(_libtorch_root "${ADADIFF_LIBTORCH}" "$ENV{ADADIFF_LIBTORCH}" "${_libtorch_cache}/adadiff/libtorch-2.11.0-cpu")
  foreach(_libtorch_dir "${_libtorch_root}" "${_libtorch_root}/torch")
    if(NOT LibTorch_DIR_FOUND AND NOT _libtorch_dir MATCHES "^/?(torch)?$" AND EXISTS "${_libtorch_dir}/include/ATen/ATen.h")
      set(LibTorch_DIR_FOUND "${_libtorch_dir}")
    endif()
  endforeach()
endforeach()

if(LibTorch_DIR_FOUND)
  set(_libtorch_dir "${LibTorch_DIR_FOUND}")
  if(EXISTS "${_libtorch_dir}/version.py")
    file(STRINGS "${_libtorch_dir}/version.py" _libtorch_version REGEX "^__version__")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LibTorch_VERSION "${_libtorch_version}")
  endif()
  find_library(LibTorch_cpu_LIBRARY torch_cpu PATHS "${_libtorch_dir}/lib" NO_DEFAULT_PATH NO_CACHE)
  find_library(LibTorch_c10_LIBRARY c10 PATHS "${_libtorch_dir}/lib" NO_DEFAULT_PATH NO_CACHE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_DIR_FOUND LibTorch_cpu_LIBRARY LibTorch_c10_LIBRARY VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "set ADADIFF_LIBTORCH to the folder of LibTorch 2.11, or let ./run fetch it")

if(LibTorch_FOUND AND NOT TARGET adadiff::torch_cpu)
  add_library(adadiff::torch_cpu INTERFACE IMPORTED)
  target_include_directories(adadiff::torch_cpu SYSTEM INTERFACE
    "${LibTorch_DIR_FOUND}/include" "${LibTorch_DIR_FOUND}/include/torch/csrc/api/include")
  target_compile_definitions(adadiff::torch_cpu INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(adadiff::torch_cpu INTERFACE "${LibTorch_cpu_LIBRARY}" "${LibTorch_c10_LIBRARY}")
  # libtorch_cpu needs libcudart and libcupti, which the wheel set lays beside it.
  file(GLOB _libtorch_nvidia LIST_DIRECTORIES true "${LibTorch_DIR_FOUND}/../nvidia/*/lib")
  foreach(_libtorch_folder IN LISTS _libtorch_nvidia)
    target_link_options(adadiff::torch_cpu INTERFACE "LINKER:-rpath-link,${_libtorch_folder}")
  endforeach()
endif()
