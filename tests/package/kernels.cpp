// The kernels alone: no LibTorch, nothing of the library above them.
#include <cstring>

#include "kernels/status.h"

int main() {
  return std::strlen(adadiff::kernels::to_string(adadiff::kernels::Status::Ok)) > 0 ? 0 : 1;
}
