/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_profile.c - what a profile does depends on what it says and not on how. */
#include "fuzz.h"

#include "core/seccomp.h"

static const struct fuzz_shape rule_fields[] = {
    {.name = "args"}, {.name = "includes"}, {.name = "excludes"}};
static const struct fuzz_shape profile_fields[] = {
    {.name = "archMap"},
    {.name = "syscalls", .fields = rule_fields, .count = COUNT(rule_fields)}};
static const struct fuzz_shape profile_shape = {.fields = profile_fields,
                                                .count = COUNT(profile_fields)};

/* What was made of a profile; `result` first. */
struct reading {
	int result;
	enum posture posture;
	size_t open_count, rules;
	bool may_be_empty;
	char digest[72];
	struct err err;
};

static struct reading
read_profile(struct text text, struct arena memory)
{
	cleanup_arena struct arena arena = memory;
	struct reading reading = {0};
	struct seccomp_profile profile = {0};
	int digested;

	reading.result = seccomp_profile_read(text, &arena, &profile, &reading.err);
	digested = seccomp_profile_digest(text, &arena, reading.digest, NULL);
	if (reading.result != 0) {
		CHECK(reading.err.code != ERR_NONE && reading.err.text[0] != '\0');
		return reading;
	}
	CHECK(digested == 0 || memory.limit > 0);
	CHECK(digested != 0 || strlen(reading.digest) == 71);
	CHECK(profile.posture == POSTURE_UNCONFINED ||
	      profile.posture == POSTURE_PERMISSIVE || profile.posture == POSTURE_WEAK ||
	      profile.posture == POSTURE_CUSTOM);
	CHECK((profile.posture == POSTURE_CUSTOM) == (profile.open_count == 0));
	reading.posture = profile.posture;
	reading.open_count = profile.open_count;
	reading.rules = profile.rules;
	reading.may_be_empty = profile.may_be_empty;
	return reading;
}

static void
check_rewriting(struct text text, json_t *tree, const struct reading *before)
{
	struct fuzz_random random = fuzz_random(text);
	cleanup_buf struct buf again = {0};
	struct reading after;

	fuzz_rewrite(&again, tree, &profile_shape, &random);
	CHECK(buf_ok(&again));
	after = read_profile(buf_text(&again), (struct arena){0});
	if (before->result != 0)
		return; /* jansson may have made an ambiguous profile certain */
	CHECK(after.result == 0);
	CHECK(after.posture == before->posture &&
	      after.open_count == before->open_count && after.rules == before->rules &&
	      after.may_be_empty == before->may_be_empty);
	CHECK(strcmp(after.digest, before->digest) == 0);
}

/* With one more rule that lets a dangerous call through nothing is custom any more. */
static void
check_weakened(json_t *tree, const struct reading *before)
{
	const char *key;
	json_t *value, *rules = NULL;
	char *dumped;
	struct reading after;

	if (before->result != 0 || before->posture != POSTURE_CUSTOM)
		return;
	json_object_foreach (tree, key, value) {
		if (fuzz_folds_to(key, "syscalls"))
			rules = value;
	}
	if (!json_is_array(rules))
		return;
	CHECK(json_array_append_new(rules, json_pack("{s:[s], s:s}", "names", "mount",
	                                             "action", "SCMP_ACT_ALLOW")) == 0);
	dumped = json_dumps(tree, JSON_COMPACT);
	CHECK(dumped);
	after = read_profile(text_of(dumped), (struct arena){0});
	CHECK(after.result != 0 || after.posture == POSTURE_WEAK);
	CHECK(strcmp(after.digest, before->digest) != 0);
	free(dumped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = fuzz_text(data, size);
	struct fuzz_random random = fuzz_random(text);
	struct reading before = read_profile(text, (struct arena){0});
	struct reading tight =
	    read_profile(text, fuzz_small_arena((size_t)fuzz_pick(&random, 256) * 16));
	json_error_t error;
	json_t *tree = fuzz_jansson(text, &error);

	CHECK(tight.result != 0 ||
	      (before.result == 0 && tight.posture == before.posture));
	if (tree) {
		check_rewriting(text, tree, &before);
		check_weakened(tree, &before);
	}
	json_decref(tree);
	return 0;
}
