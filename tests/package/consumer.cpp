// What an application does first: a plan through its text form, and a model file that is not there.
#include <cstdio>

#include <adadiff/adadiff.h>

int main() {
  const adadiff::Plan plan = adadiff::exit_below(0.08F);
  if (adadiff::parse_plan(adadiff::to_json(plan)) != plan) return 1;
  try {
    adadiff::Pipeline::open("there_is_no_such_model.safetensors");
  } catch (const adadiff::FileError& error) {
    std::puts(error.what());
    return 0;
  }
  return 1;
}
