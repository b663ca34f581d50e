// Includes everything that an application needs. Code that extends the library also includes
// network.h, noise_schedule.h and solver.h.
#pragma once

#include <adadiff/device.h>
#include <adadiff/error.h>
#include <adadiff/exit_policy.h>
#include <adadiff/image.h>
#include <adadiff/pipeline.h>
#include <adadiff/plan.h>
#include <adadiff/trace.h>
