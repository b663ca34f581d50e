// The training library through the package.
#include <adadiff/training.h>

int main() { return adadiff::loss_mode("paper") == adadiff::loss_mode("official") ? 1 : 0; }
