/* SPDX-License-Identifier: Apache-2.0 */
/* rulings.c - of several containers, which one decides. */
#include "core/rulings.h"

static int
weight(const struct ruling *ruling)
{
	if (ruling->mode == RULE_ENFORCE)
		return 3;
	if (ruling->mode == RULE_OBSERVE)
		return 2;
	return ruling->exception ? 1 : 0;
}

static bool
is_heavier(const struct ruling *ruling, const struct ruling *than)
{
	if (weight(ruling) != weight(than))
		return weight(ruling) > weight(than);
	if (ruling->mode == RULE_OFF || than->guard >= 0)
		return false;
	if (ruling->guard >= 0)
		return true;
	return posture_worst(ruling->refused) < posture_worst(than->refused);
}

size_t
rulings_heaviest(const struct ruling *rulings, size_t count)
{
	size_t heaviest = 0;

	for (size_t i = 1; i < count; i++) {
		if (is_heavier(&rulings[i], &rulings[heaviest]))
			heaviest = i;
	}
	return heaviest;
}

void
rulings_note_others(const struct ruling *rulings, size_t count, struct verdict *verdict)
{
	enum rule_mode mode = rulings[verdict->container].mode;

	for (size_t i = 0; i < count; i++) {
		const struct ruling *ruling = &rulings[i];

		if (i == verdict->container || ruling->mode != mode)
			continue;
		if (verdict->other_count < VERDICT_OTHERS_MAX)
			verdict->others[verdict->other_count] = (struct verdict_other){
			    .container = i,
			    .posture = posture_worst(ruling->refused),
			    .guard = ruling->guard,
			};
		verdict->other_count++;
	}
}
