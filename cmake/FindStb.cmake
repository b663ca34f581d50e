# Finds the single-header stb libraries (Debian: libstb-dev). Makes the target Stb::Stb.
find_path(Stb_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Stb REQUIRED_VARS Stb_INCLUDE_DIR)
mark_as_advanced(Stb_INCLUDE_DIR)
if(Stb_FOUND AND NOT TARGET Stb::Stb)
  add_library(Stb::Stb INTERFACE IMPORTED)
  target_include_directories(Stb::Stb SYSTEM INTERFACE ${Stb_INCLUDE_DIR})
endif()
