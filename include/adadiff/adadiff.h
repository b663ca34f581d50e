// Everything an application needs. Extenders include network.h, noise_schedule.h, solver.h and
// sampler.h as well.
#pragma once

#include <adadiff/error.h>
#include <adadiff/exit_policy.h>
#include <adadiff/image.h>
#include <adadiff/pipeline.h>
#include <adadiff/plan.h>
#include <adadiff/trace.h>
