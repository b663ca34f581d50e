// Includes everything that an application needs. Code that extends the library also includes
// network.h, noise_schedule.h, solver.h and sampler.h.
#pragma once

#include <adadiff/error.h>
#include <adadiff/exit_policy.h>
#include <adadiff/image.h>
#include <adadiff/pipeline.h>
#include <adadiff/plan.h>
#include <adadiff/trace.h>
