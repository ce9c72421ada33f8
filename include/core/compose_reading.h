/* SPDX-License-Identifier: Apache-2.0 */
/* compose_reading - a service as it is read; for compose_read.c and compose_judge.c only. */
#pragma once

#include "core/compose.h"
#include "core/compose_value.h"

struct compose_reading {
	struct compose_service *service;
	struct arena *arena;
	struct container *container;
	struct err *err;
	const char *fault; /* where `err` was set, if it has no byte */
	struct compose_definition layers[COMPOSE_LAYERS_MAX];
};

/* `place` is in the bytes of a layer; `setting` is what made for it, for the message. The
   first of each counts. */
void compose_add_posture(struct compose_reading *reading, enum posture posture,
                         const char *place, struct text setting);

/* Adds what security_opt of the layers comes to, with the profiles that it names. -1: that
   can't be known; reading->err says why. */
int compose_judge_options(struct compose_reading *reading);
